//! Images that the container engine of this machine has, taken from there by name.

use crate::{Client, ClientError, client::QueryWith};
use opensky_api::{
    content::BlobRef,
    image::{ImageQuery, ImageView, Images, KeepImageRequest},
    routes,
};
use reqwest::{Body, Method};
use std::process::Stdio;
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
};
use tokio_util::io::ReaderStream;

/// Most bytes of what an engine says about a failure.
const SAID_BYTES_MAX: u64 = 4 * 1024;

/// An image that is named instead of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSource<'a> {
    /// `docker:NAME`: one that the container engine of this machine has.
    Engine(&'a str),
    /// `sky:NAME`: one that the node keeps.
    Kept(&'a str),
}

impl<'a> ImageSource<'a> {
    /// What `text` names, if it is not a file.
    pub fn of(text: &'a str) -> Option<Self> {
        let name =
            |prefix| text.strip_prefix(prefix).filter(|name| !name.is_empty() && !name.starts_with('-'));
        name("docker:").map(Self::Engine).or_else(|| name("sky:").map(Self::Kept))
    }

    /// The name alone.
    pub fn name(self) -> &'a str {
        match self {
            Self::Engine(name) | Self::Kept(name) => name,
        }
    }

    /// What to do where there is none of that name.
    pub(crate) fn hint(self) -> String {
        match self {
            Self::Engine(name) => format!("get it first: docker pull {name}"),
            Self::Kept(name) => format!("keep it first: opensky image push docker:{name}"),
        }
    }
}

impl Client {
    /// The archive of an image, on the node when this returns.
    pub async fn image(&self, source: ImageSource<'_>) -> Result<BlobRef, ClientError> {
        let ImageSource::Kept(name) = source else { return self.upload_image(source.name()).await };
        let kept = self.images().await?.images;
        let found = kept.iter().find(|image| image.name == name).map(ImageView::blob);
        found.ok_or_else(|| ClientError::Image {
            name: name.to_owned(),
            problem: "the node keeps none of that name".to_owned(),
        })
    }

    /// The images that the node keeps by name.
    pub async fn images(&self) -> Result<Images, ClientError> {
        self.get(routes::IMAGES).await
    }

    /// Keeps an image by name until it is removed. Its archive was uploaded before.
    pub async fn keep_image(&self, request: &KeepImageRequest) -> Result<Images, ClientError> {
        self.call(Method::POST, routes::IMAGES, Some(request)).await
    }

    /// Keeps it no longer.
    pub async fn remove_image(&self, query: &ImageQuery) -> Result<Images, ClientError> {
        let request = self.request(Method::DELETE, routes::IMAGES).query_with(query);
        self.json(routes::IMAGES, request).await
    }

    /// Uploads an image by its name in Docker, or Podman where there is no Docker, as their command line saves
    /// it: whatever engine that is set to.
    pub async fn upload_image(&self, name: &str) -> Result<BlobRef, ClientError> {
        let failed = |problem: String| ClientError::Image { name: name.to_owned(), problem };
        let mut saving = save(name).map_err(failed)?;
        let archive = saving.stdout.take().ok_or_else(|| failed("its output is closed".into()))?;
        let body = Body::wrap_stream(ReaderStream::with_capacity(archive, 256 * 1024));
        let uploaded = self.json(routes::BLOBS, self.request(Method::POST, routes::BLOBS).body(body)).await;
        // What the node refuses ends the engine's command too; the node's word counts.
        let uploaded = uploaded?;
        let mut said = String::new();
        if let Some(screen) = saving.stderr.take() {
            // What cannot be read is not said; the status counts.
            let _ = screen.take(SAID_BYTES_MAX).read_to_string(&mut said).await;
        }
        match saving.wait().await {
            Ok(status) if status.success() => Ok(uploaded),
            Ok(_) => Err(failed(said.trim().to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// Starts to save an image to standard output.
fn save(name: &str) -> Result<Child, String> {
    let start = |program: &str, form: &[&str]| {
        let mut command = Command::new(program);
        command.arg("save").args(form).arg(name).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    match start("docker", &[]).or_else(|_| start("podman", &["--format", "docker-archive"])) {
        Ok(child) => Ok(child),
        Err(_) => Err("neither the command docker nor podman is here".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_from_files() {
        let engine = |name| Some(ImageSource::Engine(name));
        assert_eq!(ImageSource::of("docker:python:3.13-slim"), engine("python:3.13-slim"));
        assert_eq!(
            ImageSource::of("docker:host.example/a/b@sha256:00"),
            engine("host.example/a/b@sha256:00")
        );
        assert_eq!(ImageSource::of("sky:tools"), Some(ImageSource::Kept("tools")));
        for file in ["python.tar", "docker", "docker:", "sky:", "./docker:x", "docker:--output=/etc/passwd"] {
            assert_eq!(ImageSource::of(file), None, "{file}");
        }
    }
}
