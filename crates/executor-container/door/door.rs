//! The door of a service's container: the only way in, and the only way out.
//!
//! A replica has no network but its own loopback. This program, mounted read-only beside the image, connects to
//! the one socket that the node listens on for this replica, and keeps a few connections waiting there. The
//! node takes one and orders: a port to connect to, or a command to run. For each outlet it listens on a
//! loopback address of its own, and brings what connects there to the node.
//!
//! `door start-with-secrets` asks the node for the service's secrets first: they become files that only the
//! program's user can read, in a folder that is in memory, and variables of the program.
//!
//! `door start SOCKET MOST PATIENCE_S OUTLETS PROGRAM ARGS…` leaves a process behind that does this, and becomes
//! PROGRAM: the program is nobody's child but the init's, with its own signals and its own exit code. Whatever
//! the program does to the door, or says to the socket itself, it does to itself. When the node was gone for
//! PATIENCE_S, the door ends the program: nobody reaches it any more, and nobody else would end it. Only the
//! standard library is used, so that one call of rustc makes it.

use std::{
    env,
    ffi::OsString,
    fs::OpenOptions,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::{
        ffi::OsStringExt,
        fs::OpenOptionsExt,
        net::UnixStream,
        process::{CommandExt, ExitStatusExt},
    },
    process::{self, Child, Command, ExitCode, Stdio, exit},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Connections that wait for orders.
const WAITING: usize = 4;
/// Enough for the few calls of a thread.
const STACK_BYTES: usize = 64 * 1024;
/// Bytes on their way in one direction.
const BUFFER_BYTES: usize = 32 * 1024;
/// Longest wait for a port of the program to answer.
const CONNECT_WAIT: Duration = Duration::from_secs(3);
/// Longest wait for the node to reach what an outlet stands for.
const OUTLET_WAIT: Duration = Duration::from_secs(60);
/// Time between two tries, the first and the longest.
const AGAIN: Duration = Duration::from_millis(20);
const AGAIN_MAX: Duration = Duration::from_secs(1);
/// Most bytes of a command.
const COMMAND_BYTES_MAX: usize = 1 << 20;

/// Most bytes of all secrets.
const SECRETS_BYTES_MAX: usize = 1 << 20;
/// Longest wait for them.
const SECRETS_WAIT: Duration = Duration::from_secs(10);
/// Where the program finds those that are files.
const SECRETS_FOLDER: &str = "/run/secrets";

/// A connection that waits for orders says so.
const READY: u8 = b'R';
/// One that an outlet brings; the number of the outlet follows.
const OUTLET: u8 = b'O';
/// One that asks for the secrets.
const SECRETS: u8 = b'S';
const FILE: u8 = b'F';
const VARIABLE: u8 = b'V';
const DONE: u8 = 0;
const REFUSED: u8 = 1;
const TOO_LATE: u8 = 2;

/// The exit codes of shells for what cannot be started.
const NOT_STARTED: i32 = 126;
const NOT_FOUND: i32 = 127;

/// How many arguments say what the door is to do: socket, most connections, patience, outlets.
const WAY: usize = 4;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().collect();
    let [door, mode, rest @ ..] = args.as_slice() else {
        eprintln!("door: too few arguments");
        return ExitCode::FAILURE;
    };
    let done = match (mode.to_str(), rest.split_at_checked(WAY)) {
        (Some("start"), Some((way, [program, args @ ..]))) => start(door, way, (program, args), Vec::new()),
        (Some("start-with-secrets"), Some((way, [program, args @ ..]))) => {
            take_secrets(way).and_then(|secrets| start(door, way, (program, args), secrets))
        }
        (Some("leave"), Some((way, [program]))) => leave(door, way, program),
        (Some("serve"), Some((way, [program]))) => serve(way, program),
        _ => Err(io::Error::other("nothing to start")),
    };
    if let Err(error) = done {
        eprintln!("door: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

type Variables = Vec<(OsString, OsString)>;

/// Has the door opened, and becomes the program.
fn start(
    door: &OsString,
    way: &[OsString],
    (program, args): (&OsString, &[OsString]),
    secrets: Variables,
) -> io::Result<()> {
    let given = || secrets.iter().map(|(name, value)| (name, value));
    // The program keeps this number.
    let number = process::id().to_string();
    let mut leave = Command::new(door);
    // Commands that run beside the program are given what it is given.
    leave.arg("leave").args(way).arg(number).envs(given()).stdout(Stdio::null());
    if !leave.status()?.success() {
        return Err(io::Error::other("it stays closed"));
    }
    let error = Command::new(program).args(args).envs(given()).exec();
    eprintln!("door: cannot start {}: {error}", program.display());
    exit(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_STARTED })
}

/// Gets the secrets from the node, which gives them once: files are written, variables come back.
fn take_secrets(way: &[OsString]) -> io::Result<Variables> {
    let [socket, ..] = way else { return Err(io::ErrorKind::InvalidInput.into()) };
    let mut node = UnixStream::connect(socket)?;
    node.set_read_timeout(Some(SECRETS_WAIT))?;
    node.write_all(&[SECRETS])?;
    let mut size = [0; 4];
    node.read_exact(&mut size)?;
    let size = u32::from_le_bytes(size) as usize;
    if size > SECRETS_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut packed = vec![0; size];
    node.read_exact(&mut packed)?;
    let mut variables = Variables::new();
    let mut rest = packed.as_slice();
    while let [kind, after @ ..] = rest {
        let (name_size, after) = after.split_first_chunk().ok_or(io::ErrorKind::InvalidData)?;
        let (name, after) = part(after, u16::from_le_bytes(*name_size).into())?;
        let (value_size, after) = after.split_first_chunk().ok_or(io::ErrorKind::InvalidData)?;
        let (value, after) = part(after, u32::from_le_bytes(*value_size) as usize)?;
        let name = OsString::from_vec(name.to_vec());
        match *kind {
            FILE => {
                let path = std::path::Path::new(SECRETS_FOLDER).join(name);
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(path)?;
                file.write_all(value)?;
            }
            VARIABLE => variables.push((name, OsString::from_vec(value.to_vec()))),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        rest = after;
    }
    Ok(variables)
}

fn part(bytes: &[u8], size: usize) -> io::Result<(&[u8], &[u8])> {
    bytes.split_at_checked(size).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Leaves a process behind that serves, once it does. Whoever is between it and the program goes, so that
/// the program finds no child that it did not make.
fn leave(door: &OsString, way: &[OsString], program: &OsString) -> io::Result<()> {
    let mut command = Command::new(door);
    command.arg("serve").args(way).arg(program).stdin(Stdio::null()).stdout(Stdio::piped());
    // Signals for the program's group are not for the door.
    let mut server = command.process_group(0).spawn()?;
    let mut word = [0];
    server.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?.read_exact(&mut word)
}

/// What all threads know.
struct Door {
    socket: OsString,
    /// Most connections in each direction.
    most: usize,
    inward: AtomicUsize,
    outward: AtomicUsize,
    /// How many wait for orders.
    waiting: Mutex<usize>,
    taken: Condvar,
    /// When the node last took a connection, and how long it may take none.
    node_seen: Mutex<Instant>,
    patience: Duration,
    /// The program's process.
    program: i32,
}

fn serve(way: &[OsString], program: &OsString) -> io::Result<()> {
    let [socket, most, patience_s, outlets] = way else { return Err(io::ErrorKind::InvalidInput.into()) };
    let text = |text: &OsString| text.to_str().map(str::to_owned).ok_or(io::ErrorKind::InvalidInput);
    let door = Arc::new(Door {
        socket: socket.clone(),
        most: text(most)?.parse().map_err(io::Error::other)?,
        node_seen: Mutex::new(Instant::now()),
        patience: Duration::from_secs(text(patience_s)?.parse().map_err(io::Error::other)?),
        program: text(program)?.parse().map_err(io::Error::other)?,
        inward: AtomicUsize::new(0),
        outward: AtomicUsize::new(0),
        waiting: Mutex::new(0),
        taken: Condvar::new(),
    });
    let outlets = text(outlets)?;
    for (index, address) in (0..).zip(outlets.split(',').filter(|address| !address.is_empty())) {
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let listener = TcpListener::bind(address)
            .map_err(|error| io::Error::other(format!("cannot listen on {address}: {error}")))?;
        let door = Arc::clone(&door);
        run(move || door.bring_out(&listener, index))?;
    }
    // Whoever started this may go.
    io::stdout().write_all(b"1")?;
    io::stdout().flush()?;
    door.keep_waiting()
}

/// A thread. A program with too many of its own leaves no room for it.
fn run(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().stack_size(STACK_BYTES).spawn(work).map(drop)
}

/// Counts as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn below(most: usize, count: &'a AtomicUsize) -> Option<Self> {
        let counted = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < most).then_some(counted)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Door {
    /// Sees to it that some connections always wait.
    fn keep_waiting(self: Arc<Self>) -> io::Result<()> {
        loop {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            while *waiting >= WAITING {
                waiting = self.taken.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            *waiting += 1;
            drop(waiting);
            let door = Arc::clone(&self);
            if run(move || door.wait_and_obey()).is_err() {
                self.no_longer_waits();
                thread::sleep(AGAIN);
            }
        }
    }

    fn no_longer_waits(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.taken.notify_one();
    }

    fn to_node(&self) -> io::Result<UnixStream> {
        let node = UnixStream::connect(&self.socket)?;
        self.see_node();
        Ok(node)
    }

    fn see_node(&self) {
        *self.node_seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends the program when there is no node any more. The init then ends all else in the container.
    fn end_if_alone(&self) {
        let seen = *self.node_seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.elapsed() > self.patience && self.to_node().is_err() {
            end(self.program);
        }
    }

    /// Waits for one order, and does it.
    fn wait_and_obey(&self) {
        let mut again = AGAIN;
        let (mut node, port) = loop {
            match self.order() {
                Ok(order) => break order,
                Err(_) => thread::sleep(again),
            }
            self.end_if_alone();
            again = (again * 2).min(AGAIN_MAX);
        };
        self.no_longer_waits();
        // The node sees how it ends by the end of the connection.
        let _ = match port {
            0 => command(&mut node),
            port => self.bring_in(node, port),
        };
    }

    fn order(&self) -> io::Result<(UnixStream, u16)> {
        let mut node = self.to_node()?;
        node.write_all(&[READY])?;
        let mut port = [0; 2];
        let heard = node.read_exact(&mut port);
        // Until now it was there, however long that took.
        self.see_node();
        heard?;
        Ok((node, u16::from_le_bytes(port)))
    }

    fn bring_in(&self, mut node: UnixStream, port: u16) -> io::Result<()> {
        let reached = Counted::below(self.most, &self.inward).and_then(|counted| {
            let hosts = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let reach = |host| TcpStream::connect_timeout(&SocketAddr::new(host, port), CONNECT_WAIT).ok();
            hosts.into_iter().find_map(reach).map(|program| (counted, program))
        });
        let Some((_counted, program)) = reached else { return node.write_all(&[REFUSED]) };
        node.write_all(&[DONE])?;
        join(node, program)
    }

    /// Takes what the program connects to an outlet.
    fn bring_out(self: Arc<Self>, listener: &TcpListener, index: u8) {
        loop {
            let Ok((program, _)) = listener.accept() else {
                thread::sleep(AGAIN);
                continue;
            };
            let door = Arc::clone(&self);
            // Without room for a thread the connection ends, and the program sees it.
            let _ = run(move || drop(door.out(program, index)));
        }
    }

    fn out(&self, program: TcpStream, index: u8) -> io::Result<()> {
        let Some(_counted) = Counted::below(self.most, &self.outward) else { return Ok(()) };
        let mut node = self.to_node()?;
        node.write_all(&[OUTLET, index])?;
        node.set_read_timeout(Some(OUTLET_WAIT))?;
        let mut answer = [0];
        node.read_exact(&mut answer)?;
        node.set_read_timeout(None)?;
        if answer == [DONE] { join(node, program) } else { Ok(()) }
    }
}

/// Passes bytes both ways until both have ended, each by itself.
fn join(node: UnixStream, program: TcpStream) -> io::Result<()> {
    program.set_nodelay(true)?;
    let both = Arc::new((node, program));
    let back = Arc::clone(&both);
    run(move || {
        let (node, program) = &*back;
        pass(program, node, || node.shutdown(Shutdown::Write), || cut(&back));
    })?;
    let (node, program) = &*both;
    pass(node, program, || program.shutdown(Shutdown::Write), || cut(&both));
    Ok(())
}

fn cut((node, program): &(UnixStream, TcpStream)) {
    // What is closed already need not be.
    let _ = (node.shutdown(Shutdown::Both), program.shutdown(Shutdown::Both));
}

fn pass(
    mut from: impl Read,
    mut to: impl Write,
    end: impl FnOnce() -> io::Result<()>,
    broken: impl FnOnce(),
) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut all = || loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(bytes) => to.write_all(&buffer[..bytes])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    if all().and_then(|()| end()).is_err() {
        broken();
    }
}

/// Runs one command: how long it may take in milliseconds, how many bytes it has, and the arguments, each with
/// a zero byte at its end.
fn command(node: &mut UnixStream) -> io::Result<()> {
    let mut head = [0; 8];
    node.read_exact(&mut head)?;
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (patience_ms, bytes) = (number(0), number(4) as usize);
    if bytes > COMMAND_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; bytes];
    node.read_exact(&mut text)?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    let mut args = text.split_terminator('\0');
    let mut command = Command::new(args.next().unwrap_or_default());
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.process_group(0).spawn() else { return node.write_all(&[REFUSED]) };
    match end_within(&mut child, Duration::from_millis(patience_ms.into()))? {
        Some(code) => {
            let [a, b, c, d] = code.to_le_bytes();
            node.write_all(&[DONE, a, b, c, d])
        }
        None => node.write_all(&[TOO_LATE]),
    }
}

/// The exit code; none if it had to be ended, with all that it started in its group.
fn end_within(child: &mut Child, patience: Duration) -> io::Result<Option<i32>> {
    let began = Instant::now();
    let mut again = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))));
        }
        let Some(left) = patience.checked_sub(began.elapsed()) else { break };
        thread::sleep(again.min(left));
        again = (again * 2).min(AGAIN);
    }
    // It was not waited for, so its number, and that of its group, is still its own.
    end(-i32::try_from(child.id()).map_err(io::Error::other)?);
    child.wait()?;
    Ok(None)
}

/// Ends a process, or the group of the one with this number below zero.
fn end(process: i32) {
    unsafe extern "C" {
        safe fn kill(process: i32, signal: i32) -> i32;
    }
    const KILL: i32 = 9;
    // 0, 1 and -1 would mean many others.
    if process.unsigned_abs() > 1 {
        kill(process, KILL);
    }
}
