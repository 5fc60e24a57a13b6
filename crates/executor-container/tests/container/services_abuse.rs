//! Services that try to get out, to break their door, or to use up the machine; and engines that go away under
//! them. Each is judged by what the kernel or the engine says.

use crate::{
    services::{Echoes, PATIENCE, dial, end_of, heard, replica, words_of},
    support::Setup,
};
use async_trait::async_trait;
use opensky_ports::{ByteStream, Instance, InstanceEnd, Outlet, ServiceEngine, service::LOG_KEPT_BYTES};
use opensky_types::{resources::Limit, task::Failure};
use std::{
    io,
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{UnixListener, UnixStream},
    sync::watch,
};

/// Echoes lines on port 80.
const ECHO: &str = "exec nc -ll -p 80 -e cat";

async fn echoes(instance: &dyn Instance) {
    let mut stream = dial(instance).await;
    stream.write_all(b"well?\n").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(heard(&mut stream).await, b"well?\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_a_service_reaches_nothing_but_its_outlets() {
    let Some(setup) = Setup::new("a service reaches nothing").await else { return };
    let words =
        words_of(&setup, "ls /sys/class/net; tail -n +2 /proc/net/route; cat /proc/net/ipv6_route").await;
    let routes = words.lines().filter(|line| *line != "lo" && !line.ends_with(" lo"));
    assert_eq!(routes.count(), 0, "there is a way out: {words}");
    // Listeners of this machine, as a node has them.
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    let all = TcpListener::bind("0.0.0.0:0").unwrap();
    let ports = [&own, &all].map(|listener| listener.local_addr().unwrap().port());
    let outside = [
        "172.17.0.1",
        "169.254.169.254",
        "1.1.1.1",
        "10.0.0.1",
        "192.168.1.1",
        "100.100.100.200",
        "224.0.0.251",
    ];
    for (port, address) in ports.iter().flat_map(|port| outside.map(|address| (port, address))) {
        let words = words_of(&setup, &format!("nc -w 3 {address} {port} </dev/null 2>&1; echo $?")).await;
        assert!(words.contains("Network is unreachable") && words.ends_with("\n1\n"), "{address}: {words}");
    }
    for port in ports {
        // The loopback is its own.
        let words = words_of(&setup, &format!("nc -w 3 127.0.0.1 {port} </dev/null 2>&1; echo $?")).await;
        assert!(words.contains("Connection refused") && words.ends_with("\n1\n"), "{words}");
    }
    for listener in [own, all] {
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody came");
    }
    let words = words_of(&setup, "env; ls -d /var/run/docker.sock /run/docker.sock").await;
    assert!(!words.to_lowercase().contains("opensky") && words.contains("No such file"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_no_service_changes_its_door() {
    let Some(setup) = Setup::new("no service changes its door").await else { return };
    let tries = [
        "echo x > /.opensky/door",
        "rm /.opensky/door",
        "mv /.opensky/door /tmp/door",
        "chmod 777 /.opensky/door",
        "rm /.opensky/node/sock",
        "ln -sf /var/run/docker.sock /.opensky/node/sock",
        "touch /.opensky/node/new",
        "mv /.opensky/node /.opensky/other",
        "mkdir /.opensky/new",
        "chmod 777 /.opensky/node/sock",
        "mount -t tmpfs none /.opensky/node",
        "umount /.opensky/node",
        "echo '1.1.1.1 db' >> /etc/hosts",
        "echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
    ];
    let script: String = tries.map(|attempt| format!("{attempt}; echo $? \"{attempt}\"\n")).concat();
    let instance =
        setup.started(&format!("{{ {script} }} 2>/dev/null; ls /.opensky /.opensky/node; {ECHO}")).await;
    echoes(instance.as_ref()).await;
    let words = String::from_utf8(instance.last_words(usize::MAX)).unwrap();
    for attempt in tries {
        let refused = words.lines().any(|line| line.ends_with(attempt) && !line.starts_with("0 "));
        assert!(refused, "{attempt}: {words}");
    }
    assert!(words.ends_with("/.opensky:\ndoor\nnode\n\n/.opensky/node:\nsock\n"), "{words}");
    // Neither the program nor what runs beside it has any right.
    let rights = "for line in CapEff:.0000000000000000 CapBnd:.0000000000000000 NoNewPrivs:.1 Seccomp:.2; do \
                  grep -q $line /proc/$1/status || exit 1; done; test $(id -u) != 0";
    for process in ["1", "self"] {
        let command = ["sh", "-c", rights, "sh", process].map(String::from);
        assert_eq!(instance.command(&command, PATIENCE).await, Ok(0), "{process}");
    }
    // The folder is nobody's on this machine but the node's.
    let folder = setup.folder.path().join("scratch/services");
    let mode = std::os::unix::fs::PermissionsExt::mode(&folder.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
    instance.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_a_service_that_breaks_its_door_breaks_only_itself() {
    let Some(setup) = Setup::new("a broken door").await else { return };
    // Doors of its own, which wait for orders they were not meant to have; then there is none at all.
    let crowd = "for i in 1 2 3 4 5 6 7 8 9; do /.opensky/door leave /.opensky/node/sock 1 1000 '' 0; done; ";
    let crowded = setup.started(&format!("{crowd} {ECHO}")).await;
    echoes(crowded.as_ref()).await;
    let kill =
        "sleep 1; for p in /proc/[0-9]*; do grep -q 'ser[v]e' $p/cmdline && kill -9 ${p#/proc/}; done; ";
    let mut run = setup.service(&format!("{kill} {ECHO}"), replica(1));
    run.outlets.clear();
    let services = setup.executor.services();
    let broken = services.start(run, Arc::new(Echoes { refuses: false })).await.unwrap();
    let began = Instant::now();
    assert!(matches!(end_of(broken.as_ref()).await, InstanceEnd::Failed(Failure::WorkerLost { .. })));
    assert!(began.elapsed() > Duration::from_secs(20), "a door gets its time to come back");
    assert!(broken.dial(80).await.is_err());
    echoes(crowded.as_ref()).await;
    services.shut_down().await;
    setup.nothing_is_left().await;
}

/// Holds what is connected, and counts it.
#[derive(Default)]
struct Holds {
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

#[async_trait]
impl Outlet for Holds {
    async fn connect(&self, _: usize) -> io::Result<ByteStream> {
        let (near, mut far) = tokio::io::duplex(64);
        self.most.fetch_max(self.open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let open = Arc::clone(&self.open);
        tokio::spawn(async move {
            // Until the program goes.
            let _ = far.read_u8().await;
            open.fetch_sub(1, Ordering::SeqCst);
        });
        Ok(Box::new(near))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_floods_of_connections_are_capped_each_way() {
    let Some(setup) = Setup::new("floods of connections").await else { return };
    let holds = Holds::default();
    let (open, most) = (Arc::clone(&holds.open), Arc::clone(&holds.most));
    let flood = "i=0; while [ $i -lt 150 ]; do sleep 1000 | nc db 5432 & i=$((i+1)); done; echo up; ";
    // So much memory is worth 128 connections each way.
    let mut run = setup.service(&format!("{flood} {ECHO}"), replica(0));
    run.limits.memory_bytes = 128 << 20;
    let instance = setup.executor.services().start(run, Arc::new(holds)).await.unwrap();
    let flooded = async {
        while open.load(Ordering::SeqCst) < 128 || instance.last_words(3) != b"up\n" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, flooded).await.expect("the flood comes");
    let mut streams = Vec::new();
    for _ in 0..200 {
        if let Ok(mut stream) = instance.dial(80).await {
            // An answer shows that the program took it: its own queue is short.
            stream.write_all(b"w").await.unwrap();
            stream.read_u8().await.unwrap();
            streams.push(stream);
        }
    }
    assert!((100..=128).contains(&streams.len()), "{}", streams.len());
    assert_eq!(most.load(Ordering::SeqCst), 128, "no more go out at a time");
    // Whether it is well can be seen all the same.
    let mut probe = instance.probe(80).await.unwrap();
    probe.write_all(b"w").await.unwrap();
    assert_eq!(probe.read_u8().await.unwrap(), b'w');
    drop(probe);
    streams.clear();
    // Room that was given back is used again.
    echoes(instance.as_ref()).await;
    instance.stop(Duration::ZERO).await;
    let drained = async {
        while open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, drained).await.expect("what it reached is let go");
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_services_end_at_their_limits() {
    let Some(setup) = Setup::new("services end at their limits").await else { return };
    let eats = setup.started("sleep 0.3; x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}").await;
    assert_eq!(end_of(eats.as_ref()).await, InstanceEnd::Failed(Failure::Limit { limit: Limit::Memory }));
    let scratch = InstanceEnd::Failed(Failure::Limit { limit: Limit::Scratch });
    let one = setup.started("head -c 400000000 /dev/zero > /tmp/fill; exec sleep 1000").await;
    assert_eq!(end_of(one.as_ref()).await, scratch, "one large file");
    let many =
        setup.started("for i in 1 2 3; do head -c 4000000 /dev/zero > /tmp/$i; done; exec sleep 1000").await;
    assert_eq!(end_of(many.as_ref()).await, scratch, "many smaller ones");
    // A bomb of processes leaves the node able to end it, and other services alone.
    let beside = setup.started(ECHO).await;
    let bomb =
        setup.started("echo up; bomb() { bomb | bomb & }; while true; do bomb; done 2>/dev/null").await;
    while bomb.last_words(3) != b"up\n" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    echoes(beside.as_ref()).await;
    tokio::time::timeout(PATIENCE, bomb.stop(Duration::from_secs(1))).await.expect("a bomb can be ended");
    assert!(matches!(end_of(bomb.as_ref()).await, InstanceEnd::Exited(_) | InstanceEnd::Failed(_)));
    echoes(beside.as_ref()).await;
    setup.executor.services().shut_down().await;
    setup.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_a_log_of_100_mb_keeps_its_end() {
    let Some(setup) = Setup::new("a log of 100 MB").await else { return };
    let instance = setup.started("head -c 100000000 /dev/zero | tr '\\0' x; printf '\\033end'").await;
    // Somebody who listens and does not read holds up nothing.
    let _deaf = instance.follow();
    assert_eq!(end_of(instance.as_ref()).await, InstanceEnd::Exited(0));
    let kept = instance.last_words(usize::MAX);
    assert!(kept.len() <= LOG_KEPT_BYTES && kept.len() > LOG_KEPT_BYTES / 2, "{}", kept.len());
    assert!(kept.ends_with(b"x\x1bend"));
}

/// How what stands between a node and its engine behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// It passes everything on.
    Well,
    /// It takes everything and passes nothing on.
    Hangs,
    /// It ends all that it has, and what comes.
    Gone,
}

/// Stands between a node and the engine of this machine.
fn between(socket: &Path) -> watch::Sender<Mood> {
    let listener = UnixListener::bind(socket).unwrap();
    let mood = watch::Sender::new(Mood::Well);
    let moods = mood.subscribe();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, moods.clone()));
        }
    });
    mood
}

async fn pass(mut client: UnixStream, mut mood: watch::Receiver<Mood>) {
    let Ok(mut engine) = UnixStream::connect("/var/run/docker.sock").await else { return };
    let mut passing = std::pin::pin!(copy_bidirectional(&mut client, &mut engine));
    loop {
        let now = *mood.borrow_and_update();
        tokio::select! {
            _ = &mut passing, if now == Mood::Well => return,
            () = std::future::ready(()), if now == Mood::Gone => return,
            changed = mood.changed() => if changed.is_err() { return },
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f18_replicas_end_with_an_engine_that_goes_or_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let mood = between(&socket);
    let Some(setup) = Setup::on("engines that go", vec![socket]).await else { return };
    let services = setup.executor.services();
    for trouble in [Mood::Gone, Mood::Hangs] {
        let instance = setup.started(ECHO).await;
        let mut stream = dial(instance.as_ref()).await;
        mood.send_replace(trouble);
        let end = end_of(instance.as_ref()).await;
        let lost =
            matches!(end, InstanceEnd::Failed(Failure::WorkerLost { .. } | Failure::ProviderStopped { .. }));
        assert!(lost, "{trouble:?}: {end:?}");
        let cut = tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("connections end with it");
        assert!(cut.is_err() && instance.dial(80).await.is_err());
        let stopped = tokio::time::timeout(PATIENCE, instance.stop(PATIENCE)).await;
        stopped.expect("nobody waits for an engine that is not there");
        let none = async {
            let outlet = || Arc::new(Echoes { refuses: false });
            while !matches!(
                services.start(setup.service(ECHO, replica(0)), outlet()).await,
                Err(Failure::ProviderStopped { .. })
            ) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, none).await.expect("without an engine no service starts");
        assert!(!setup.containers().is_empty(), "{trouble:?}: the engine has it still");
        mood.send_replace(Mood::Well);
        let cleared = async {
            while !setup.traces().is_empty() || services_cannot_start(&setup).await {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, cleared).await.expect("once the engine is back, all is cleared away");
    }
}

async fn services_cannot_start(setup: &Setup) -> bool {
    let run = setup.service("true", replica(0));
    let started = setup.executor.services().start(run, Arc::new(Echoes { refuses: false })).await;
    match started {
        Ok(instance) => {
            instance.stop(Duration::ZERO).await;
            false
        }
        Err(_) => true,
    }
}
