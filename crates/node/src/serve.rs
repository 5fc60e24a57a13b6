//! What this node answers on streams that members open: blobs, and questions about offers.

use crate::{fetch::blocking, link::read_message, node::Node};
use opensky_ports::{BlobError, BlobReader, BlobStore, ByteStream};
use opensky_protocol::{
    Message, ledger,
    query::{self, OFFERS_MAX, Query, QueryReply},
    service,
    transfer::{self, CHUNK_BYTES, Fetch, FetchReply, Outboard, SubtreeHasher},
    work,
};
use opensky_types::{NodeId, Signed, Timestamp, offer::Offer};
use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
    time::Duration,
};
use tokio::io::AsyncWriteExt;

/// Longest wait for a question, and for the asker to take a chunk.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Offers handed to one asker; enough for a newcomer, and gossip brings the rest.
const REPLY_BYTES_MAX: usize = QueryReply::SIZE_BYTES_MAX / 2;

impl Node {
    /// A member opened a stream.
    pub(crate) fn on_stream(
        &mut self,
        now: Timestamp,
        from: NodeId,
        protocol: &'static str,
        stream: ByteStream,
    ) {
        match protocol {
            work::PROTOCOL => self.accept_link(now, from, stream),
            transfer::PROTOCOL => self.serve_blob(from, stream),
            ledger::PROTOCOL => self.serve_ledger(from, stream),
            service::PROTOCOL => self.serve_service(from, stream),
            query::PROTOCOL => self.serve_query(now, from, stream),
            other => tracing::warn!(%from, protocol = other, "stream of a protocol that is not served"),
        }
    }

    fn serve_blob(&mut self, from: NodeId, stream: ByteStream) {
        let blobs = Arc::clone(&self.blobs);
        self.tasks.spawn(async move {
            if let Err(error) = send_blob(blobs, stream).await {
                tracing::debug!(%from, %error, "a blob could not be sent");
            }
        });
    }

    fn serve_query(&mut self, now: Timestamp, from: NodeId, stream: ByteStream) {
        let seed = u64::from_le_bytes(self.clock.random()[..8].try_into().expect("eight bytes"));
        let own: Vec<Signed<Offer>> =
            self.offers.latest().map(|(_, signed)| signed.clone()).into_iter().collect();
        let known = self.market.sample(now, usize::from(OFFERS_MAX), seed);
        self.tasks.spawn(async move {
            if let Err(error) = answer_query(stream, own, known).await {
                tracing::debug!(%from, %error, "a question was not answered");
            }
        });
    }
}

async fn answer_query(
    mut stream: ByteStream,
    own: Vec<Signed<Offer>>,
    known: Vec<Signed<Offer>>,
) -> io::Result<()> {
    let Some(query) = tokio::time::timeout(SILENCE_MAX, read_message::<Query>(&mut stream)).await?? else {
        return Ok(());
    };
    let mut offers = own;
    if let Query::Offers { limit } = query {
        let mut size_bytes = 0;
        let fitting = known.into_iter().take(usize::from(limit)).take_while(|offer| {
            size_bytes += opensky_types::codec::encode(offer).len();
            size_bytes <= REPLY_BYTES_MAX
        });
        offers.extend(fitting);
    }
    tokio::time::timeout(SILENCE_MAX, stream.write_all(&QueryReply::Offers { offers }.to_frame())).await??;
    stream.shutdown().await
}

/// Answers one fetch: the tree's chaining values first, then the chunks.
async fn send_blob(blobs: Arc<dyn BlobStore>, mut stream: ByteStream) -> io::Result<()> {
    let Some(fetch) = tokio::time::timeout(SILENCE_MAX, read_message::<Fetch>(&mut stream)).await?? else {
        return Ok(());
    };
    let found = blocking(move || open(blobs.as_ref(), &fetch)).await.map_err(io::Error::other)?;
    let Some((mut reader, outboard)) = found else {
        stream.write_all(&FetchReply::Missing.to_frame()).await?;
        return stream.shutdown().await;
    };
    stream.write_all(&outboard.into_reply().to_frame()).await?;
    loop {
        let (back, chunk) = blocking(move || read_chunk(reader)).await?;
        reader = back;
        if chunk.is_empty() {
            return stream.shutdown().await;
        }
        tokio::time::timeout(SILENCE_MAX, stream.write_all(&chunk)).await??;
    }
}

/// A blob at the chunk to go on with, and its tree.
type Opened = (Box<dyn BlobReader>, Outboard);

/// Opens a blob at the first chunk wanted, with its chaining values.
fn open(blobs: &dyn BlobStore, fetch: &Fetch) -> Result<Option<Opened>, BlobError> {
    let io = |source| BlobError::Io { context: format!("reading blob {}", fetch.hash), source };
    let Some(mut reader) = blobs.open(&fetch.hash)? else { return Ok(None) };
    let mut hasher = SubtreeHasher::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        match reader.read(&mut buffer).map_err(io)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let outboard = hasher.finish();
    if outboard.hash != fetch.hash {
        tracing::error!(hash = %fetch.hash, found = %outboard.hash, "a stored blob is damaged; it is not served");
        return Ok(None);
    }
    let from = u64::from(fetch.from_chunk).saturating_mul(CHUNK_BYTES as u64).min(outboard.size_bytes);
    reader.seek(SeekFrom::Start(from)).map_err(io)?;
    Ok(Some((reader, outboard)))
}

fn read_chunk(mut reader: Box<dyn BlobReader>) -> io::Result<(Box<dyn BlobReader>, Vec<u8>)> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    reader.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok((reader, chunk))
}
