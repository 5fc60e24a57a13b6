//! Content: up and down.

use crate::{Client, ClientError, client::bad_answer};
use futures::{Stream, StreamExt, TryStreamExt};
use opensky_api::{
    content::{BlobRef, ContentView},
    routes,
};
use opensky_types::Hash;
use reqwest::{Body, Method, header::CONTENT_LENGTH};
use std::path::Path;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_util::io::ReaderStream;

impl Client {
    /// Uploads bytes. They stay at least until the node restarts or a job uses them.
    pub async fn upload(&self, bytes: Vec<u8>) -> Result<BlobRef, ClientError> {
        let request = self.request(Method::POST, routes::BLOBS).body(bytes);
        self.json(routes::BLOBS, request).await
    }

    /// Uploads a file of any size without holding it in memory.
    pub async fn upload_file(&self, path: &Path) -> Result<BlobRef, ClientError> {
        let file = tokio::fs::File::open(path).await.map_err(ClientError::read(path))?;
        let size_bytes = file.metadata().await.map_err(ClientError::read(path))?.len();
        let body = Body::wrap_stream(ReaderStream::with_capacity(file, 256 * 1024));
        let request = self.request(Method::POST, routes::BLOBS).header(CONTENT_LENGTH, size_bytes).body(body);
        self.json(routes::BLOBS, request).await
    }

    /// The bytes of a blob, as they come.
    pub async fn blob_stream(
        &self,
        hash: Hash,
    ) -> Result<impl Stream<Item = Result<Vec<u8>, ClientError>> + Unpin + use<>, ClientError> {
        let path = routes::blob(hash);
        let answer = self.stream(self.request(Method::GET, &path)).await?;
        let pieces = answer.bytes_stream().map_ok(|piece| piece.to_vec());
        Ok(Box::pin(pieces.map_err(move |source| bad_answer(&path, source))))
    }

    /// A blob in memory.
    pub async fn blob(&self, hash: Hash) -> Result<Vec<u8>, ClientError> {
        let path = routes::blob(hash);
        let answer = self.stream(self.request(Method::GET, &path)).await?;
        Ok(answer.bytes().await.map_err(|source| bad_answer(&path, source))?.to_vec())
    }

    /// What a run wrote, in memory.
    pub async fn content(&self, content: &ContentView) -> Result<Vec<u8>, ClientError> {
        match content.inline_bytes() {
            Some(bytes) => Ok(bytes),
            None => self.blob(content.hash).await,
        }
    }

    /// Writes what a run wrote to `to`. `name` is what an error calls the target.
    pub async fn copy_content<W: AsyncWrite + Unpin>(
        &self,
        content: &ContentView,
        to: &mut W,
        name: &Path,
    ) -> Result<(), ClientError> {
        if let Some(bytes) = content.inline_bytes() {
            return to.write_all(&bytes).await.map_err(ClientError::write(name));
        }
        let mut pieces = self.blob_stream(content.hash).await?;
        while let Some(piece) = pieces.next().await {
            to.write_all(&piece?).await.map_err(ClientError::write(name))?;
        }
        Ok(())
    }
}
