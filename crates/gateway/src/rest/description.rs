//! The API's description.

use super::table;
use crate::openapi;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use std::sync::OnceLock;

/// Made at the first request.
pub(crate) async fn show() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| openapi::document(&table::table()).to_string());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}
