//! Uploads and downloads, streamed.

use crate::{
    Gateway,
    auth::{Caller, Door, unknown_caller},
    problem::{Outcome, problem},
    views::blocking,
};
use axum::{
    Extension, Json,
    body::{Body, BodyDataStream, Bytes},
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream, stream::BoxStream};
use opensky_api::{Code, content::BlobRef};
use opensky_ports::{BlobError, BlobReader, Pin};
use opensky_types::Hash;
use std::{io, io::Read, pin::pin, sync::Arc, time::Duration};

/// Bytes handed on at a time.
const PIECE_BYTES: usize = 256 * 1024;
/// How long an upload may stand still.
const PATIENCE: Duration = Duration::from_secs(60);
/// Content types are never guessed: a blob's content is a stranger's.
const BLOB_HEADERS: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/octet-stream"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// Content as it comes.
pub(super) type Pieces = BoxStream<'static, io::Result<Bytes>>;

pub(crate) async fn upload(
    State(gateway): State<Gateway>,
    Extension(door): Extension<Door>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Outcome<(StatusCode, Json<BlobRef>)> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let blobs = Arc::clone(gateway.handle.blobs());
    let store = Arc::clone(&blobs);
    let mut writer = blocking(move || store.create(announced.unwrap_or(0))).await?;
    let (mut pieces, mut gone) = (body.into_data_stream(), pin!(door.clone().gone(caller.clone())));
    while let Some(piece) = next_uploaded(&mut pieces, &mut gone).await? {
        let piece = piece.map_err(|error| problem(Code::InvalidRequest, error))?;
        writer = blocking(move || {
            writer
                .write_all(&piece)
                .map(|()| writer)
                .map_err(|source| BlobError::Io { context: "writing an upload".into(), source })
        })
        .await?;
    }
    door.still(&caller)?;
    let blob = blocking(move || {
        let blob = writer.finish(None)?;
        blobs.pin(Pin::Upload, &[blob.hash])?;
        Ok::<_, BlobError>(blob)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(blob.into())))
}

/// The next bytes of an upload, which may take long in all but must move, and ends once its caller is `gone`
/// from this node.
async fn next_uploaded(
    pieces: &mut BodyDataStream,
    gone: &mut (impl Future<Output = ()> + Unpin),
) -> Outcome<Option<Result<Bytes, axum::Error>>> {
    let next = tokio::select! {
        biased;
        () = gone => return Err(unknown_caller()),
        next = tokio::time::timeout(PATIENCE, pieces.next()) => next,
    };
    next.map_err(|_| {
        let seconds = PATIENCE.as_secs();
        problem(Code::InvalidRequest, format!("no byte of the upload came for {seconds} s; upload it again"))
    })
}

pub(crate) async fn download(
    State(gateway): State<Gateway>,
    Extension(door): Extension<Door>,
    Extension(caller): Extension<Caller>,
    hash: Result<Path<Hash>, PathRejection>,
) -> Outcome<Response> {
    let Path(hash) = hash?;
    let body = open(&gateway, hash, door.gone(caller))
        .await?
        .ok_or_else(|| problem(Code::BlobNotFound, format!("blob {hash} is not on this node")))?;
    Ok(body)
}

/// A blob as an answer; `None` if it is not here.
async fn open(
    gateway: &Gateway,
    hash: Hash,
    gone: impl Future<Output = ()> + Send + 'static,
) -> Outcome<Option<Response>> {
    Ok(pieces(gateway, hash).await?.map(|(size_bytes, pieces)| answer(size_bytes, pieces, gone)))
}

/// Breaks off once the reader is `gone`: fewer bytes than announced are no blob to anybody.
fn answer(size_bytes: u64, pieces: Pieces, gone: impl Future<Output = ()> + Send + 'static) -> Response {
    let size = [(header::CONTENT_LENGTH, size_bytes.to_string())];
    (BLOB_HEADERS, size, Body::from_stream(pieces.take_until(gone))).into_response()
}

/// The size of a blob and its bytes; `None` if it is not here.
pub(super) async fn pieces(gateway: &Gateway, hash: Hash) -> Outcome<Option<(u64, Pieces)>> {
    let blobs = Arc::clone(gateway.handle.blobs());
    let reader = blocking(move || blobs.open(&hash)).await?;
    Ok(reader.map(|reader| (reader.size_bytes(), stream::try_unfold(reader, next_piece).boxed())))
}

async fn next_piece(mut reader: Box<dyn BlobReader>) -> io::Result<Option<(Bytes, Box<dyn BlobReader>)>> {
    blocking(move || {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        reader.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
        Ok(if piece.is_empty() { None } else { Some((piece.into(), reader)) })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future;

    #[tokio::test(start_paused = true)]
    async fn w1_an_upload_ends_with_the_key_behind_it() {
        let still = || stream::pending::<io::Result<Bytes>>();
        let mut pieces = Body::from_stream(still()).into_data_stream();
        let mut gone = Box::pin(tokio::time::sleep(PATIENCE / 2));
        let refused = next_uploaded(&mut pieces, &mut gone).await.expect_err("nobody's").0;
        assert_eq!(refused.code, Code::Unauthorized);
        let refused = next_uploaded(&mut pieces, &mut future::pending()).await.expect_err("it stands").0;
        assert_eq!(refused.code, Code::InvalidRequest);
    }

    #[tokio::test(start_paused = true)]
    async fn w1_a_download_ends_with_the_key_behind_it() {
        let piece = || Ok(Bytes::from_static(b"piece"));
        let every_second = stream::unfold((), move |()| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((piece(), ()))
        });
        let gone = tokio::time::sleep(Duration::from_millis(3_500));
        let mut body = answer(1 << 40, every_second.boxed(), gone).into_body().into_data_stream();
        for _ in 0..3 {
            assert_eq!(body.next().await.expect("it goes on").expect("bytes"), "piece");
        }
        assert!(body.next().await.is_none(), "nothing more of what was announced");
    }
}
