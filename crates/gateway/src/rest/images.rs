//! Images kept by name.

use crate::{
    Gateway,
    problem::{Outcome, problem},
};
use axum::{
    Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
};
use opensky_api::{
    Code,
    image::{ImageQuery, ImageView, Images, KeepImageRequest},
};
use opensky_node::KeepImageError;

pub(crate) async fn list(State(gateway): State<Gateway>) -> Outcome<Json<Images>> {
    let kept = gateway.handle.images().await?;
    let images = kept.into_iter().map(|image| ImageView {
        name: image.name,
        hash: image.blob.hash,
        size_bytes: image.blob.size_bytes,
        kept_at: image.kept_at,
    });
    Ok(Json(Images { images: images.collect() }))
}

pub(crate) async fn keep(
    State(gateway): State<Gateway>,
    request: Result<Json<KeepImageRequest>, JsonRejection>,
) -> Outcome<Json<Images>> {
    let Json(request) = request?;
    match gateway.handle.keep_image(request.name, request.hash).await {
        Ok(_) => list(State(gateway)).await,
        Err(error @ KeepImageError::BlobMissing(_)) => Err(problem(Code::BlobNotFound, error)),
        Err(error @ (KeepImageError::Name | KeepImageError::TooMany)) => {
            Err(problem(Code::InvalidRequest, error))
        }
        Err(KeepImageError::Store(error)) => Err(error.into()),
        Err(KeepImageError::Gone(error)) => Err(error.into()),
    }
}

pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    query: Result<Query<ImageQuery>, QueryRejection>,
) -> Outcome<Json<Images>> {
    let Query(ImageQuery { name }) = query?;
    if gateway.handle.remove_image(name.clone()).await? {
        return list(State(gateway)).await;
    }
    Err(problem(Code::ImageNotFound, format!("no image is kept as '{name}'")))
}
