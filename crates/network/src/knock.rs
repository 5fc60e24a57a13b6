//! The only protocol that a stranger is answered on: one frame there, one back.
//!
//! A frame is a little-endian `u32` length and that many bytes, as everywhere in OpenSky. Lengths
//! are checked before anything is allocated, and the whole exchange has one deadline.

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{
    StreamProtocol,
    request_response::{self, ProtocolSupport},
};
use std::{io, time::Duration};

/// Name and version.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/opensky/knock/1");
/// Largest knock.
pub(crate) const KNOCK_BYTES_MAX: usize = 16 * 1024;
/// Largest answer.
pub(crate) const ANSWER_BYTES_MAX: usize = 32 * 1024;
/// Knocks that one connection may have open at a time.
const CONCURRENT_MAX: usize = 2;

pub(crate) type Behaviour = request_response::Behaviour<Codec>;
pub(crate) type Event = request_response::Event<Vec<u8>, Vec<u8>>;
pub(crate) type Channel = request_response::ResponseChannel<Vec<u8>>;

/// The behaviour, with a deadline for each exchange.
pub(crate) fn behaviour(timeout: Duration) -> Behaviour {
    let config = request_response::Config::default()
        .with_request_timeout(timeout)
        .with_max_concurrent_streams(CONCURRENT_MAX);
    request_response::Behaviour::new([(PROTOCOL, ProtocolSupport::Full)], config)
}

/// Reads and writes the frames.
#[derive(Debug, Clone, Default)]
pub(crate) struct Codec;

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_frame(io, KNOCK_BYTES_MAX).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_frame(io, ANSWER_BYTES_MAX).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, body: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &body, KNOCK_BYTES_MAX).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, body: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &body, ANSWER_BYTES_MAX).await
    }
}

async fn read_frame<T: AsyncRead + Unpin>(io: &mut T, size_bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut header = [0; 4];
    io.read_exact(&mut header).await?;
    let size_bytes = u32::from_le_bytes(header) as usize;
    check_size(size_bytes, size_bytes_max)?;
    let mut body = vec![0; size_bytes];
    io.read_exact(&mut body).await?;
    Ok(body)
}

async fn write_frame<T: AsyncWrite + Unpin>(
    io: &mut T,
    body: &[u8],
    size_bytes_max: usize,
) -> io::Result<()> {
    check_size(body.len(), size_bytes_max)?;
    let length = u32::try_from(body.len()).expect("checked against a cap far below 4 GiB");
    io.write_all(&[&length.to_le_bytes(), body].concat()).await?;
    io.close().await
}

fn check_size(size_bytes: usize, size_bytes_max: usize) -> io::Result<()> {
    if size_bytes > size_bytes_max {
        let reason = format!("a frame of {size_bytes} bytes; at most {size_bytes_max} are allowed");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ANSWER_BYTES_MAX, KNOCK_BYTES_MAX, read_frame, write_frame};
    use futures::{executor::block_on, io::Cursor};

    #[test]
    fn p3_a_frame_is_refused_by_its_length_before_it_is_read() {
        for claimed in [KNOCK_BYTES_MAX as u32 + 1, u32::MAX] {
            let mut wire = Cursor::new(claimed.to_le_bytes().to_vec());
            let error = block_on(read_frame(&mut wire, KNOCK_BYTES_MAX)).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn a_cut_frame_is_an_error_and_a_whole_one_is_read() {
        let mut wire = Cursor::new(Vec::new());
        block_on(write_frame(&mut wire, b"hello", ANSWER_BYTES_MAX)).unwrap();
        let bytes = wire.into_inner();
        assert_eq!(bytes, b"\x05\0\0\0hello");
        for cut in 0..bytes.len() {
            let mut wire = Cursor::new(bytes[..cut].to_vec());
            assert!(block_on(read_frame(&mut wire, KNOCK_BYTES_MAX)).is_err(), "cut at {cut}");
        }
        assert_eq!(block_on(read_frame(&mut Cursor::new(bytes), KNOCK_BYTES_MAX)).unwrap(), b"hello");
    }
}
