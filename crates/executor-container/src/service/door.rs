//! The node's side of a replica's door: connections that wait inside for orders, and what its outlets bring.
//!
//! The node listens, and never connects to anything that a program could have put there. What connects is the
//! door (`door/door.rs`), or the program itself, which can do no more than to spoil its own connections: all
//! are counted, nothing is waited for without an end, and nothing that is read is believed.

use opensky_executor::held::Held;
use opensky_ports::{ByteStream, Outlet};
use opensky_types::{resources::Limit, service::SecretValue, task::Failure};
use rustix::fs::{Mode, OFlags};
use std::{
    collections::VecDeque,
    fs, io,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The socket's name in its folder.
pub const SOCKET: &str = "sock";
/// Connections that may wait for orders; the door itself keeps fewer.
const WAITING_MAX: usize = 8;
/// Connections that have not said what they are for; others wait to be taken.
const STRANGERS_MAX: usize = 64;
/// Longest wait for that word, and for any other that the door has ready.
const WORD_WAIT: Duration = Duration::from_secs(5);
/// Longest wait for a port to answer: longer than the door's own.
const DIAL_WAIT: Duration = Duration::from_secs(10);
/// Longest wait for what an outlet stands for: shorter than the door's own.
const OUTLET_WAIT: Duration = Duration::from_secs(50);
/// Pause after the machine could not take a connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Health checks at a time.
pub const PROBES_MAX: usize = 2;
/// Commands that run beside a program at a time.
const COMMANDS_MAX: usize = 4;
/// Most bytes of a command; what the door takes.
const COMMAND_BYTES_MAX: usize = 1 << 20;

const READY: u8 = b'R';
const OUTLET: u8 = b'O';
const SECRETS: u8 = b'S';
const DONE: u8 = 0;
const REFUSED: u8 = 1;
const TOO_LATE: u8 = 2;

/// One replica's door.
pub struct Door {
    waiting: Mutex<VecDeque<UnixStream>>,
    came: Notify,
    /// Room for connections into the replica.
    inward: Arc<Semaphore>,
    /// Room for health checks, which must not fail because many are connected.
    probes: Arc<Semaphore>,
    commands: Semaphore,
    /// What the door asks for before the program starts, and then nobody again.
    secrets: Mutex<Option<SecretValue>>,
    over: CancellationToken,
    tasks: TaskTracker,
}

/// What a replica reaches.
struct Outlets {
    outlet: Arc<dyn Outlet>,
    count: usize,
    /// Room for connections out of the replica.
    outward: Arc<Semaphore>,
}

impl Door {
    /// Listens in `folder`, for `most` connections each way and so many outlets. The first who asks gets `secrets`.
    pub fn open(
        folder: &Path,
        most: usize,
        (outlet, outlets): (Arc<dyn Outlet>, usize),
        secrets: Option<SecretValue>,
    ) -> io::Result<Arc<Self>> {
        let listener = listen(folder)?;
        let door = Arc::new(Self {
            waiting: Mutex::default(),
            came: Notify::new(),
            inward: Arc::new(Semaphore::new(most)),
            probes: Arc::new(Semaphore::new(PROBES_MAX)),
            commands: Semaphore::new(COMMANDS_MAX),
            secrets: Mutex::new(secrets),
            over: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        let outlets = Arc::new(Outlets { outlet, count: outlets, outward: Arc::new(Semaphore::new(most)) });
        let (serving, over) = (Arc::clone(&door), door.over.clone());
        door.tasks.spawn(async move { over.run_until_cancelled(serving.serve(listener, outlets)).await });
        Ok(door)
    }

    /// Cuts all that goes through it, and waits until it is.
    pub async fn close(&self) {
        self.over.cancel();
        self.waiting().clear();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Whether nobody inside waits for orders. The door is there again within moments, unless the program
    /// broke it.
    pub fn is_unattended(&self) -> bool {
        let mut waiting = self.waiting();
        waiting.retain(is_quiet);
        waiting.is_empty()
    }

    /// A stream to a port of the program.
    pub async fn dial(&self, port: u16) -> io::Result<ByteStream> {
        self.dial_within(&self.inward, port).await
    }

    /// The same for a health check.
    pub async fn probe(&self, port: u16) -> io::Result<ByteStream> {
        self.dial_within(&self.probes, port).await
    }

    async fn dial_within(&self, room: &Arc<Semaphore>, port: u16) -> io::Result<ByteStream> {
        let permit = Arc::clone(room).try_acquire_owned();
        let permit = permit.map_err(|_| io::Error::other("it has too many connections"))?;
        if port == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let order = port.to_le_bytes();
        let ordered = timeout(DIAL_WAIT, self.order(&order)).await;
        let (stream, answer) = ordered.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        if answer != DONE {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(Box::new(Held::new(stream, &self.over, permit)))
    }

    /// Runs a command beside the program; its exit code.
    pub async fn command(&self, args: &[String], patience: Duration) -> Result<i32, Failure> {
        let order = command_order(args, patience)?;
        let patience = patience.saturating_add(WORD_WAIT);
        let ran = timeout(patience, async {
            let _one = self.commands.acquire().await;
            let (mut stream, answer) = self.order(&order).await?;
            let code = if answer == DONE { stream.read_i32_le().await? } else { 0 };
            io::Result::Ok((answer, code))
        });
        match ran.await {
            Ok(Ok((DONE, code))) => Ok(code),
            Ok(Ok((REFUSED, _))) => {
                Err(Failure::InvalidProgram { message: "the command cannot be started".into() })
            }
            Ok(Ok((TOO_LATE, _))) | Err(_) => Err(Failure::Limit { limit: Limit::Time }),
            Ok(_) => Err(Failure::WorkerLost { message: "nobody takes commands in the container".into() }),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<UnixStream>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an order to a connection that waits for one, and hears the answer.
    async fn order(&self, order: &[u8]) -> io::Result<(UnixStream, u8)> {
        let answered = self.over.run_until_cancelled(async {
            loop {
                let mut stream = self.next().await;
                // One that died while it waited: nobody heard the order.
                if stream.write_all(order).await.is_ok() {
                    let answer = stream.read_u8().await?;
                    return Ok((stream, answer));
                }
            }
        });
        answered.await.unwrap_or_else(|| Err(io::ErrorKind::NotConnected.into()))
    }

    async fn next(&self) -> UnixStream {
        loop {
            let mut came = std::pin::pin!(self.came.notified());
            // From here on nothing that comes is missed.
            came.as_mut().enable();
            let next = self.waiting().pop_front();
            match next {
                Some(stream) if is_quiet(&stream) => return stream,
                Some(_) => {}
                None => came.await,
            }
        }
    }

    async fn serve(self: Arc<Self>, listener: UnixListener, outlets: Arc<Outlets>) {
        let strangers = Arc::new(Semaphore::new(STRANGERS_MAX));
        while let Ok(stranger) = Arc::clone(&strangers).acquire_owned().await {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "a connection of a service could not be taken");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            let (door, outlets, over) = (Arc::clone(&self), Arc::clone(&outlets), self.over.clone());
            self.tasks.spawn(async move {
                let greeted = async {
                    match timeout(WORD_WAIT, door.greet(stream, stranger)).await {
                        Ok(Ok(Some((index, stream)))) => outlets.bring(index, stream).await,
                        // What else it was is done with: the program sees its connection end.
                        _ => Ok(()),
                    }
                };
                over.run_until_cancelled(greeted).await
            });
        }
    }

    /// Hears what a connection is for. One of an outlet comes back, with the outlet's number.
    async fn greet(
        &self,
        mut stream: UnixStream,
        _stranger: OwnedSemaphorePermit,
    ) -> io::Result<Option<(usize, UnixStream)>> {
        match stream.read_u8().await? {
            OUTLET => Ok(Some((usize::from(stream.read_u8().await?), stream))),
            READY => {
                let mut waiting = self.waiting();
                if waiting.len() < WAITING_MAX {
                    waiting.push_back(stream);
                    drop(waiting);
                    self.came.notify_one();
                }
                Ok(None)
            }
            SECRETS => {
                let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(secrets) = secrets {
                    stream.write_all(secrets.expose()).await?;
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

impl Outlets {
    async fn bring(&self, index: usize, mut stream: UnixStream) -> io::Result<()> {
        let permit = self.outward.try_acquire();
        let reached = match (&permit, index < self.count) {
            (Ok(_), true) => timeout(OUTLET_WAIT, self.outlet.connect(index)).await.ok().and_then(Result::ok),
            _ => None,
        };
        let answer = if reached.is_some() { DONE } else { REFUSED };
        stream.write_all(&[answer]).await?;
        let Some(mut reached) = reached else { return Ok(()) };
        tokio::io::copy_bidirectional(&mut stream, &mut reached).await.map(|_| ())
    }
}

/// Whether a connection that waits is open and says nothing, as it should.
fn is_quiet(stream: &UnixStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

fn command_order(args: &[String], patience: Duration) -> Result<Vec<u8>, Failure> {
    let text: Vec<u8> = args.iter().flat_map(|arg| arg.bytes().chain([0])).collect();
    let zeros = text.iter().filter(|byte| **byte == 0).count();
    if args.is_empty() || text.len() > COMMAND_BYTES_MAX || zeros > args.len() {
        return Err(Failure::InvalidProgram { message: "not a command".into() });
    }
    let patience_ms = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    let size_bytes = text.len() as u32;
    Ok([&0_u16.to_le_bytes()[..], &patience_ms.to_le_bytes(), &size_bytes.to_le_bytes(), &text].concat())
}

/// Listens on a socket in `folder`. Whoever can see the folder may connect: it is mounted into one container,
/// and nobody else on this machine gets to it.
fn listen(folder: &Path) -> io::Result<UnixListener> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(folder, flags, Mode::empty())?;
    // Paths of sockets have 107 bytes at most, and data folders may be deep.
    let path = format!("/proc/self/fd/{}/{SOCKET}", opened.as_raw_fd());
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

#[cfg(test)]
mod tests;
