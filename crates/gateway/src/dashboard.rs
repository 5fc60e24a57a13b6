//! The dashboard: the files of `web/`, built in. They hold no secret, so they need no token.

use axum::{
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rand::{TryRng, rngs::SysRng};

/// A built file: its path below `/`, and what is in it.
struct File {
    path: &'static str,
    bytes: &'static [u8],
}

// `FILES: &[File]`, in order of path; made by build.rs.
include!(concat!(env!("OUT_DIR"), "/dashboard_files.rs"));

const PAGE: &str = "index.html";
/// Names of files below this folder change with what is in them.
const HASHED: &str = "assets/";
/// What the page carries where its nonce belongs.
const NONCE_PLACE: &str = "__CSP_NONCE__";

/// A file of the dashboard; its page for every path that is none, as the page routes by itself.
pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    if ![Method::GET, Method::HEAD].contains(&method) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    match find(path) {
        Some(file) if path != PAGE => plain(file),
        None if path.starts_with(HASHED) => StatusCode::NOT_FOUND.into_response(),
        _ => page(),
    }
}

fn find(path: &str) -> Option<&'static File> {
    FILES.binary_search_by_key(&path, |file| file.path).ok().map(|index| &FILES[index])
}

fn plain(file: &'static File) -> Response {
    let caching =
        if file.path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, content_type(file.path)),
        (header::CACHE_CONTROL, caching),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, file.bytes).into_response()
}

/// The page, with a nonce of its own for the style elements that its components make.
fn page() -> Response {
    let Some(file) = find(PAGE) else { return StatusCode::NOT_FOUND.into_response() };
    let nonce = nonce();
    let text = String::from_utf8_lossy(file.bytes).replace(NONCE_PLACE, &nonce);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy(&nonce)),
    ];
    (headers, text).into_response()
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' blob:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn nonce() -> String {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives randomness");
    hex::encode(bytes)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}
