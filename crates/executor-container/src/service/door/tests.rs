//! The door's two sides on this machine, without an engine; and programs that speak to the socket themselves.

use super::*;
use crate::service::DOOR;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, Command},
    time::Instant,
};
use tokio::net::{TcpListener, TcpStream};

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
    Door::open(folder.path(), most, Arc::new(OneEcho), 2).unwrap()
}

/// The door's own program, serving; none where this build has none.
struct Served(Child);

impl Served {
    fn new(folder: &tempfile::TempDir, outlets: &str) -> Option<Self> {
        if DOOR.is_empty() {
            eprintln!("skipped: this build has no door");
            return None;
        }
        let program = folder.path().join("door");
        fs::write(&program, DOOR).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let way = [folder.path().join(SOCKET).into_os_string(), "4".into(), outlets.into()];
        Some(Self(Command::new(program).arg("serve").args(way).spawn().unwrap()))
    }
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
    let (dialled, accepted) = tokio::join!(door.dial(port), program.accept());
    let (mut dialled, (mut accepted, _)) = (dialled.unwrap(), accepted.unwrap());
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
    assert!(began.elapsed() < 2 * WORD_WAIT);
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
    let door = Door::open(&deep, 1, Arc::new(OneEcho), 0).unwrap();
    let mode = fs::metadata(deep.join(SOCKET)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666, "a program of any user connects; who gets there is the folder's matter");
    door.close().await;
}
