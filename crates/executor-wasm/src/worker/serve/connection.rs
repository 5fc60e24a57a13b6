//! Connections that the executor hands over: open files, which this worker reads and writes and could not open.

use rustix::{
    fd::OwnedFd,
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
};
use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::FromRawFd,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, unix::AsyncFd};

/// Where they come from: the socket in the place of standard output.
pub struct Conveyor(AsyncFd<OwnedFd>);

impl Conveyor {
    /// Takes over that socket. Called once, in a runtime.
    pub fn take() -> io::Result<Self> {
        // SAFETY: descriptor 1 is a socket in every worker of this role, and nothing else uses it: what programs
        // write goes to the executor in reports.
        let socket = unsafe { OwnedFd::from_raw_fd(1) };
        fcntl_setfl(&socket, fcntl_getfl(&socket)? | OFlags::NONBLOCK)?;
        // SAFETY: the file is owned, and stays open and the same as long as what is made of it.
        Ok(Self(unsafe { AsyncFd::register(socket) }?))
    }

    /// The next connection; none when the executor hung up.
    pub async fn next(&self) -> io::Result<Option<Connection>> {
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|socket| receive(socket.get_ref())) {
                Ok(Ok(Received::Connection(file))) => return Connection::new(file).map(Some),
                Ok(Ok(Received::Nothing)) => {}
                Ok(Ok(Received::End)) => return Ok(None),
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
    }
}

enum Received {
    Connection(OwnedFd),
    Nothing,
    End,
}

fn receive(socket: &OwnedFd) -> io::Result<Received> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let message =
        recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    if message.bytes == 0 {
        return Ok(Received::End);
    }
    let mut files = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => files.collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    Ok(files.next().map_or(Received::Nothing, Received::Connection))
}

/// One connection. Read and written as a file: no call of sockets is allowed here.
pub struct Connection(AsyncFd<OwnedFd>);

impl Connection {
    fn new(file: OwnedFd) -> io::Result<Self> {
        // SAFETY: as above.
        Ok(Self(unsafe { AsyncFd::register(file) }?))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(context))?;
            let read =
                ready.try_io(|file| Ok(rustix::io::read(file.get_ref(), buffer.initialize_unfilled())?));
            match read {
                Ok(Ok(bytes)) => {
                    buffer.advance(bytes);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(context))?;
            match ready.try_io(|file| Ok(rustix::io::write(file.get_ref(), bytes)?)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(written) => return Poll::Ready(written),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The other side sees the end when the file is closed, which is right after.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
