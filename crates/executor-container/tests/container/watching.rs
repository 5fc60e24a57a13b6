//! Engines that come, go, hang, or are not what is needed. They are made up here: no engine is asked.

use opensky_executor_container::{Config, ContainerExecutor};
use opensky_ports::{executor::Executor, testing::MemoryBlobs};
use opensky_types::place::Level;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

/// How an engine behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// It takes a question and says nothing.
    Hangs,
    NoSeccomp,
    Unconfined,
    NoLimits,
    Windows,
}

/// An engine that says who it is, and can do nothing else.
fn engine(socket: &Path, mood: Mood) -> Arc<Mutex<Mood>> {
    let listener = UnixListener::bind(socket).unwrap();
    let mood = Arc::new(Mutex::new(mood));
    let current = Arc::clone(&mood);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mood = *current.lock().unwrap();
            tokio::spawn(answer(stream, mood));
        }
    });
    mood
}

async fn answer(mut stream: UnixStream, mood: Mood) {
    let mut question = Vec::new();
    while !question.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        question.push(byte);
    }
    if mood == Mood::Hangs {
        std::future::pending::<()>().await;
    }
    let question = String::from_utf8_lossy(&question).into_owned();
    let body = if question.contains("/version") {
        serde_json::json!({ "Version": "99.1", "ApiVersion": "1.52", "Arch": "amd64", "Components": [{ "Name": "Engine", "Version": "99.1" }] })
    } else if question.contains("/info") {
        let os = if mood == Mood::Windows { "windows" } else { "linux" };
        let seccomp = match mood {
            Mood::NoSeccomp => "name=apparmor",
            Mood::Unconfined => "name=seccomp,profile=unconfined",
            _ => "name=seccomp,profile=default",
        };
        serde_json::json!({
            "OSType": os, "SecurityOptions": [seccomp], "CgroupDriver": "systemd",
            "MemoryLimit": mood != Mood::NoLimits, "PidsLimit": true, "CpuCfsQuota": true,
        })
    } else {
        serde_json::json!([])
    };
    let body = body.to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
    // Whoever asked may be gone.
    let _ = stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await;
}

async fn start(folder: &Path, sockets: Vec<PathBuf>) -> ContainerExecutor {
    let config = Config {
        sockets,
        runtime: None,
        registries: Vec::new(),
        gpus: Vec::new(),
        look_every: Duration::from_millis(300),
        slots: 1,
        scratch_dir: folder.join("scratch"),
        volumes_dir: folder.join("volumes"),
        images_cap_bytes: 1 << 30,
        owner: "watching".to_owned(),
    };
    ContainerExecutor::start(config, Arc::new(MemoryBlobs::new(1 << 20))).await.unwrap()
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} within a minute");
}

#[tokio::test]
async fn f18_an_engine_that_hangs_is_dropped_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let executor = start(folder.path(), vec![socket.clone()]).await;
    assert!(executor.engines().is_empty(), "none has started yet");
    let mood = engine(&socket, Mood::Well);
    until("an engine that starts after the node is found", || !executor.engines().is_empty()).await;
    let found = executor.engines().remove(0);
    assert_eq!(
        (found.name.as_str(), found.levels.as_slice()),
        ("docker 99.1", [Level::Container].as_slice())
    );
    *mood.lock().unwrap() = Mood::Hangs;
    until("an engine that hangs is dropped", || executor.engines().is_empty()).await;
    *mood.lock().unwrap() = Mood::Well;
    until("it is found again", || executor.engines() == [found.clone()]).await;
    executor.shut_down().await;
}

#[tokio::test]
async fn j2_engines_without_a_filter_or_without_linux_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let unfit = [Mood::NoSeccomp, Mood::Unconfined, Mood::NoLimits, Mood::Windows];
    let sockets: Vec<PathBuf> = (0..=unfit.len()).map(|name| folder.path().join(name.to_string())).collect();
    for (socket, mood) in sockets.iter().zip(unfit) {
        engine(socket, mood);
    }
    let executor = start(folder.path(), sockets.clone()).await;
    assert!(executor.engines().is_empty());
    engine(&sockets[unfit.len()], Mood::Well);
    until("the last is used", || !executor.engines().is_empty()).await;
    executor.shut_down().await;
}
