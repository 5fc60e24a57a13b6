//! The door's two sides on this machine, without an engine; and programs that speak to the socket themselves.

use super::*;
use crate::service::DOOR;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, Command},
    time::Instant,
};
use tokio::{
    io::AsyncRead,
    net::{TcpListener, TcpStream},
};

/// Answers with its number and what it hears; only one is there.
struct OneEcho;

#[async_trait::async_trait]
impl Outlet for OneEcho {
    async fn connect(&self, index: usize) -> io::Result<ByteStream> {
        if index != 0 {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, mut far) = tokio::io::duplex(1_024);
        tokio::spawn(async move {
            far.write_all(b"outlet ").await?;
            let (mut read, mut write) = tokio::io::split(far);
            tokio::io::copy(&mut read, &mut write).await?;
            write.shutdown().await
        });
        Ok(Box::new(near))
    }
}

fn open(folder: &tempfile::TempDir, most: usize) -> Arc<Door> {
    Door::open(folder.path(), most, (Arc::new(OneEcho), 2), None).unwrap()
}

/// The door's own program, to do this; none where this build has none.
fn program(folder: &tempfile::TempDir, mode: &str, patience_s: &str, outlets: &str) -> Option<Command> {
    if DOOR.is_empty() {
        eprintln!("skipped: this build has no door");
        return None;
    }
    let program = folder.path().join("door");
    if !program.exists() {
        fs::write(&program, DOOR).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(program);
    command.arg(mode).arg(folder.path().join(SOCKET)).args(["4", patience_s, outlets]);
    Some(command)
}

/// A door that serves for no program.
struct Served(Child);

impl Served {
    fn new(folder: &tempfile::TempDir, outlets: &str) -> Option<Self> {
        let mut command = program(folder, "serve", "1000", outlets)?;
        Some(Self(command.arg("0").spawn().unwrap()))
    }
}

/// Ends the doors that programs of a test left behind: they are its children no more.
fn end_doors(folder: &tempfile::TempDir) -> usize {
    let door = folder.path().join("door");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let is_ours =
        |process: &fs::DirEntry| fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe == door);
    let numbers = processes.filter(is_ours).filter_map(|process| process.file_name().to_str()?.parse().ok());
    let numbers = numbers.filter_map(rustix::process::Pid::from_raw);
    numbers
        .filter(|number| rustix::process::kill_process(*number, rustix::process::Signal::KILL).is_ok())
        .count()
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have been ended by its test.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

async fn knock(folder: &tempfile::TempDir, bytes: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(folder.path().join(SOCKET)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut rest = Vec::new();
    timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.expect("it ends").unwrap();
    rest
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_of_a_door_understand_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let outside = IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1));
    let free = TcpListener::bind((outside, 0)).await.unwrap().local_addr().unwrap();
    let second = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 1, 2)), free.port());
    let door = open(&folder, 4);
    assert!(door.is_unattended());
    let Some(mut served) = Served::new(&folder, &format!("{free},{second}")) else { return };
    let program = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = program.local_addr().unwrap().port();
    let accepting = timeout(Duration::from_secs(20), program.accept());
    let (dialled, accepted) = tokio::join!(door.dial(port), accepting);
    let (mut dialled, (mut accepted, _)) = (dialled.unwrap(), accepted.unwrap().unwrap());
    dialled.write_all(b"in").await.unwrap();
    dialled.shutdown().await.unwrap();
    assert_eq!(rest(&mut accepted).await, b"in");
    accepted.write_all(b"out").await.unwrap();
    drop(accepted);
    assert_eq!(rest(&mut dialled).await, b"out");
    drop(program);
    assert_eq!(door.dial(port).await.err().unwrap().kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(door.command(&["true".into()], Duration::from_secs(9)).await, Ok(0));

    let mut reached = TcpStream::connect(free).await.unwrap();
    reached.write_all(b"question").await.unwrap();
    reached.shutdown().await.unwrap();
    assert_eq!(rest(&mut reached).await, b"outlet question");
    let mut refused = TcpStream::connect(second).await.unwrap();
    assert_eq!(rest(&mut refused).await, b"");
    assert!(!door.is_unattended());

    served.0.kill().unwrap();
    let gone = async {
        while !door.is_unattended() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), gone).await.expect("a door that is gone is missed");
    door.close().await;
    assert!(UnixStream::connect(folder.path().join(SOCKET)).await.is_err(), "nobody listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_nonsense_on_the_socket_hurts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let door = open(&folder, 4);
    for nonsense in [&b"x"[..], b"\0\0\0\0", b"O\xff", b"O\x02", b"Ox", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = knock(&folder, nonsense).await;
        assert!(rest_or_reset(&mut stream).await.iter().all(|byte| *byte == REFUSED), "{nonsense:?}");
    }
    assert!(door.is_unattended());
    // It says nothing: only so many may, and not for long.
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(knock(&folder, b"").await);
    }
    let began = Instant::now();
    for stream in &mut silent {
        assert_eq!(rest_or_reset(stream).await, b"");
    }
    assert!(began.elapsed() < 3 * WORD_WAIT);
    // It takes the place of the door: only so many wait, and what speaks too soon is passed over.
    let mut crowd = Vec::new();
    for _ in 0..50 {
        crowd.push(knock(&folder, b"Rnonsense").await);
    }
    let began = Instant::now();
    let (dialled, answered) = tokio::join!(door.dial(80), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut wrong = knock(&folder, b"R").await;
        let mut order = [0; 2];
        wrong.read_exact(&mut order).await.unwrap();
        // Neither yes nor no.
        wrong.write_all(&[77]).await.unwrap();
        order
    });
    assert_eq!((dialled.err().unwrap().kind(), answered), (io::ErrorKind::ConnectionRefused, [80, 0]));
    assert!(began.elapsed() < DIAL_WAIT);
    let (dialled, ()) = tokio::join!(door.dial(80), async { drop(knock(&folder, b"R").await) });
    assert!(dialled.is_err(), "one that goes away answers nothing");
    assert!(door.is_unattended());
    door.close().await;
    assert_eq!(door.dial(80).await.err().unwrap().kind(), io::ErrorKind::NotConnected);
    let command = door.command(&["true".into()], Duration::from_secs(1)).await;
    assert!(matches!(command, Err(Failure::WorkerLost { .. })));
}

/// What comes until the other side ends, or lets go of what it did not read.
async fn rest_or_reset(stream: &mut UnixStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.expect("it ends");
    assert!(read.is_ok() || read.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset));
    rest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_folder_has_a_socket_too() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("d".repeat(120)).join("e".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    let door = Door::open(&deep, 1, (Arc::new(OneEcho), 0), None).unwrap();
    let mode = fs::metadata(deep.join(SOCKET)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666, "a program of any user connects; who gets there is the folder's matter");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_behind_a_door_is_as_without_one() {
    use std::os::unix::process::ExitStatusExt;
    let folder = tempfile::tempdir().unwrap();
    let door = open(&folder, 4);
    let run = |args: &[&str]| {
        // What it leaves behind has its outputs still, so they are files and not pipes.
        let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
        let (to_out, to_err) = (fs::File::create(&out).unwrap(), fs::File::create(&err).unwrap());
        let mut command = program(&folder, "start", "1000", "")?;
        let status = command.args(args).stdout(to_out).stderr(to_err).status().unwrap();
        Some((status, fs::read_to_string(out).unwrap(), fs::read_to_string(err).unwrap()))
    };
    let exits = run(&["sh", "-c", "echo out; echo err >&2; cat /proc/$$/task/$$/children; exit 3"]);
    let Some((status, out, err)) = exits else { return };
    // The one child is the command that looks.
    let children = out.strip_prefix("out\n").unwrap().split_whitespace().count();
    assert_eq!((status.code(), children, err.as_str()), (Some(3), 1, "err\n"));
    assert_eq!(run(&["sh", "-c", "kill -TERM $$"]).unwrap().0.signal(), Some(15));
    for (missing, code) in [("/nonsense", 127), ("/proc/self/status", 126)] {
        let (status, _, err) = run(&[missing]).unwrap();
        assert_eq!(status.code(), Some(code));
        assert!(err.contains(missing), "it says what is wrong: {err}");
    }
    assert!(end_doors(&folder) >= 4, "each left a door");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_a_program_ends_when_its_node_is_gone() {
    use std::os::unix::process::ExitStatusExt;
    let folder = tempfile::tempdir().unwrap();
    let door = open(&folder, 4);
    let Some(mut command) = program(&folder, "start", "2", "") else { return };
    let mut child = command.args(["sleep", "1000"]).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!door.is_unattended() && child.try_wait().unwrap().is_none(), "it stays while the node is there");
    door.close().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(child.try_wait().unwrap().is_none(), "a node may come back");
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
    let status = timeout(Duration::from_secs(20), ended).await.expect("it ends").unwrap();
    assert_eq!(status.signal(), Some(9));
    end_doors(&folder);
}
