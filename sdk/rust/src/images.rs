//! Images that the container engine of this machine has, taken from there by name.

use crate::{Client, ClientError};
use opensky_api::{content::BlobRef, routes};
use reqwest::{Body, Method};
use std::process::Stdio;
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
};
use tokio_util::io::ReaderStream;

/// What stands before the name of an image in an engine, where a file could be named too.
const PREFIX: &str = "docker:";
/// Most bytes of what an engine says about a failure.
const SAID_BYTES_MAX: u64 = 4 * 1024;

/// The image's name in the engine, if `text` names one: `docker:python:3.13-slim`.
pub fn image_in_engine(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX).filter(|name| !name.is_empty() && !name.starts_with('-'))
}

impl Client {
    /// Uploads an image by its name in Docker, or Podman where there is no Docker, as their command line saves
    /// it: whatever engine that is set to.
    pub async fn upload_image(&self, name: &str) -> Result<BlobRef, ClientError> {
        let failed = |problem: String| ClientError::Image { name: name.to_owned(), problem };
        let mut saving = save(name).map_err(failed)?;
        let archive = saving.stdout.take().ok_or_else(|| failed("its output is closed".into()))?;
        let body = Body::wrap_stream(ReaderStream::with_capacity(archive, 256 * 1024));
        let uploaded = self.json(routes::BLOBS, self.request(Method::POST, routes::BLOBS).body(body)).await;
        let mut said = String::new();
        if let Some(screen) = saving.stderr.take() {
            // What cannot be read is not said; the status counts.
            let _ = screen.take(SAID_BYTES_MAX).read_to_string(&mut said).await;
        }
        match saving.wait().await {
            Ok(status) if status.success() => uploaded,
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
    fn images_of_engines_are_told_from_files() {
        assert_eq!(image_in_engine("docker:python:3.13-slim"), Some("python:3.13-slim"));
        assert_eq!(image_in_engine("docker:host.example/a/b@sha256:00"), Some("host.example/a/b@sha256:00"));
        for file in ["python.tar", "docker", "docker:", "./docker:x", "docker:--output=/etc/passwd"] {
            assert_eq!(image_in_engine(file), None, "{file}");
        }
    }
}
