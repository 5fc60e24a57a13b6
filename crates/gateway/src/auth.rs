//! Who may use the API: whoever holds the token, from this machine's own names.

use crate::problem::Answer;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use opensky_api::{Code, Problem};
use std::{net::IpAddr, sync::Arc};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The secret that opens the API. Has no `Debug`.
#[derive(Clone)]
pub struct Token(Arc<Zeroizing<String>>);

impl Token {
    /// A token from its text.
    pub fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    fn fits(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        shown.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

/// Lets a request through or answers 401 or 403.
pub(crate) async fn check(State(token): State<Token>, request: Request, next: Next) -> Response {
    if !is_local_host(request.headers()) {
        // A page on the internet can point its own name at 127.0.0.1; its requests carry that name.
        let problem = Problem::new(Code::NotAllowed, "the Host header does not name this machine");
        return Answer(problem).into_response();
    }
    if !token.fits(request.headers()) {
        let problem = Problem::new(Code::Unauthorized, "the request carries no valid token")
            .with_next("send 'Authorization: Bearer' with the text of the token file in the data folder");
        return Answer(problem).into_response();
    }
    next.run(request).await
}

fn is_local_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|value| value.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
