//! One look at whether a program is well.

use opensky_ports::{ByteStream, Instance};
use opensky_types::service::Probe;
use std::{io, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes of an answer within which its status line ends.
const STATUS_LINE_BYTES_MAX: usize = 1_024;

/// Tries it once; what went wrong otherwise.
pub(super) async fn probe(instance: &dyn Instance, probe: &Probe, patience: Duration) -> Result<(), String> {
    let trying = async {
        match probe {
            Probe::Tcp { port } => match instance.probe(*port).await {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("port {port}: {error}")),
            },
            Probe::Http { port, path } => match http_status(instance, *port, path).await {
                Ok(200..=399) => Ok(()),
                Ok(status) => Err(format!("GET {path} on port {port} was answered with {status}")),
                Err(error) => Err(format!("GET {path} on port {port}: {error}")),
            },
            Probe::Command { args } => match instance.command(args, patience).await {
                Ok(0) => Ok(()),
                Ok(code) => Err(format!("'{}' ended with exit code {code}", args.join(" "))),
                Err(failure) => Err(format!("'{}': {failure}", args.join(" "))),
            },
        }
    };
    match tokio::time::timeout(patience, trying).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {} ms", patience.as_millis())),
    }
}

/// The status of a page: the first line of an answer by HTTP/1.1 (RFC 9112, 4).
async fn http_status(instance: &dyn Instance, port: u16, path: &str) -> io::Result<u16> {
    let mut stream = instance.probe(port).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: opensky\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let line = status_line(&mut stream).await?;
    let text = String::from_utf8_lossy(&line);
    let status =
        text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

async fn status_line(stream: &mut ByteStream) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    let mut piece = [0; 256];
    while read.len() < STATUS_LINE_BYTES_MAX && !read.contains(&b'\n') {
        match stream.read(&mut piece).await? {
            0 => break,
            count => read.extend_from_slice(&piece[..count]),
        }
    }
    Ok(read)
}
