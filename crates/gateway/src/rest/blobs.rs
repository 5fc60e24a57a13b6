//! Uploads and downloads, streamed.

use crate::{
    Gateway,
    problem::{Outcome, problem},
    views::blocking,
};
use axum::{
    Json,
    body::{Body, BodyDataStream, Bytes},
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream, stream::BoxStream};
use opensky_api::{Code, content::BlobRef};
use opensky_ports::{BlobError, BlobReader, Pin};
use opensky_types::Hash;
use std::{io, io::Read, sync::Arc, time::Duration};

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
    headers: HeaderMap,
    body: Body,
) -> Outcome<(StatusCode, Json<BlobRef>)> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let blobs = Arc::clone(gateway.handle.blobs());
    let store = Arc::clone(&blobs);
    let mut writer = blocking(move || store.create(announced.unwrap_or(0))).await?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = next_uploaded(&mut pieces).await? {
        let piece = piece.map_err(|error| problem(Code::InvalidRequest, error))?;
        writer = blocking(move || {
            writer
                .write_all(&piece)
                .map(|()| writer)
                .map_err(|source| BlobError::Io { context: "writing an upload".into(), source })
        })
        .await?;
    }
    let blob = blocking(move || {
        let blob = writer.finish(None)?;
        blobs.pin(Pin::Upload, &[blob.hash])?;
        Ok::<_, BlobError>(blob)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(blob.into())))
}

/// The next bytes of an upload, which may take long in all but must move.
async fn next_uploaded(pieces: &mut BodyDataStream) -> Outcome<Option<Result<Bytes, axum::Error>>> {
    tokio::time::timeout(PATIENCE, pieces.next()).await.map_err(|_| {
        let seconds = PATIENCE.as_secs();
        problem(Code::InvalidRequest, format!("no byte of the upload came for {seconds} s; upload it again"))
    })
}

pub(crate) async fn download(
    State(gateway): State<Gateway>,
    hash: Result<Path<Hash>, PathRejection>,
) -> Outcome<Response> {
    let Path(hash) = hash?;
    let body = open(&gateway, hash)
        .await?
        .ok_or_else(|| problem(Code::BlobNotFound, format!("blob {hash} is not on this node")))?;
    Ok(body)
}

/// A blob as an answer; `None` if it is not here.
async fn open(gateway: &Gateway, hash: Hash) -> Outcome<Option<Response>> {
    let Some((size_bytes, pieces)) = pieces(gateway, hash).await? else { return Ok(None) };
    let size = [(header::CONTENT_LENGTH, size_bytes.to_string())];
    Ok(Some((BLOB_HEADERS, size, Body::from_stream(pieces)).into_response()))
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
