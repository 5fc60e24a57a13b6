//! Connections that are kept, each with one request at a time. It does as little as can be, so that the other side is
//! what is measured.

use anyhow::{Context, Result, ensure};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const END_OF_CHUNKS: &[u8] = b"\r\n0\r\n\r\n";
/// Largest answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    pub address: SocketAddr,
    pub path: &'static str,
    pub token: Option<String>,
}

impl Asked {
    fn request(&self) -> Vec<u8> {
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n"));
        format!("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", self.path, self.address, token.unwrap_or_default())
            .into_bytes()
    }
}

/// The times of so many requests, shared by the connections, and how long all took together.
pub async fn load(asked: &Asked, connections: usize, requests: usize) -> Result<(Vec<Duration>, Duration)> {
    let began = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let asked = asked.clone();
        all.spawn(async move {
            let mut connection = Connection::open(&asked).await?;
            let mut times = Vec::new();
            for _ in 0..requests / connections {
                let asked_at = Instant::now();
                connection.ask().await?;
                times.push(asked_at.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = all.join_next().await {
        times.extend(ended??);
    }
    Ok((times, began.elapsed()))
}

/// The body of one answer, on a connection of its own.
pub async fn ask_once(asked: &Asked) -> Result<Vec<u8>> {
    Connection::open(asked).await?.ask().await
}

/// A stream that stays open: its head has come.
pub async fn open_stream(asked: &Asked) -> Result<TcpStream> {
    let mut connection = Connection::open(asked).await?;
    connection.stream.write_all(&connection.request).await?;
    while !connection.answer.windows(END_OF_HEAD.len()).any(|window| window == END_OF_HEAD) {
        let read = connection.stream.read_buf(&mut connection.answer).await?;
        ensure!(read > 0, "the connection ended within a head");
    }
    let head = String::from_utf8_lossy(&connection.answer);
    ensure!(head.starts_with("HTTP/1.1 200"), "no stream: {head}");
    Ok(connection.stream)
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(asked: &Asked) -> Result<Self> {
        let stream = TcpStream::connect(asked.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request: asked.request(), answer: Vec::new() })
    }

    /// Sends the request and reads the answer to its end.
    async fn ask(&mut self) -> Result<Vec<u8>> {
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await?;
            ensure!(read > 0, "the connection ended within an answer");
            ensure!(self.answer.len() <= ANSWER_BYTES_MAX, "an answer is too large");
            if let Some(body) = whole_body(&self.answer)? {
                return Ok(body);
            }
        }
    }
}

/// The body, if all of it is there. Chunks of bodies that are larger than one are left with their sizes.
fn whole_body(answer: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some(end) = answer.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD) else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 200"), "it is answered with: {head}");
    let body = &answer[end + END_OF_HEAD.len()..];
    let Some(length) = head.lines().find_map(|line| line.strip_prefix("content-length: ")) else {
        let Some(chunks) = body.strip_suffix(END_OF_CHUNKS) else { return Ok(None) };
        let size = chunks.windows(2).position(|window| window == b"\r\n").context("a chunk has a size")?;
        return Ok(Some(chunks[size + 2..].to_vec()));
    };
    let length: usize = length.parse()?;
    Ok((body.len() >= length).then(|| body[..length].to_vec()))
}
