//! What every service engine promises.

use crate::{
    executor::LogStream,
    service::{Instance, InstanceEnd, LOG_KEPT_BYTES, Outlet, ServiceEngine, ServiceRun},
    testing::lock,
    transport::ByteStream,
};
use async_trait::async_trait;
use opensky_types::{ServiceId, samples, service::ReplicaId, task::Failure};
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::timeout,
};

/// Longest wait for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time that a program gets to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// Time between two tries.
const AGAIN: Duration = Duration::from_millis(20);

/// What a program of the suite has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Write `begun` and a newline to stdout; listen on port 80 and answer each line with the same line,
    /// whatever it writes before the first.
    Echo,
    /// Listen on port 80 and pass everything on to its first outlet and back, ends of streams too.
    Relay,
    /// Write `bye` and a newline to stderr, and end with exit code 7.
    Exit,
}

/// Runs the suite; it shuts the engine down at its end. `run` makes the run of a program: with port 80, and
/// with one outlet. Beside it, the commands `true` and `false` end with 0 and 1.
pub async fn service_engine(engine: Arc<dyn ServiceEngine>, run: impl Fn(Does, ReplicaId) -> ServiceRun) {
    let engine = engine.as_ref();
    let start = async |does, slot| {
        let run = run(does, replica(slot));
        assert_eq!((run.ports.as_slice(), run.outlets.len()), ([80].as_slice(), 1), "the suite's own runs");
        let outlets = Outlets::default();
        let started = engine.start(run, Arc::new(outlets.clone())).await;
        (started.unwrap_or_else(|failure| panic!("a program starts: {failure}")), outlets)
    };
    let (echo, _) = start(Does::Echo, 0).await;
    it_is_reached_and_heard(echo.as_ref()).await;
    commands_run_beside_it(echo.as_ref()).await;
    let (other, _) = start(Does::Echo, 1).await;
    stopping_ends_one_and_no_other(&echo, other.as_ref()).await;
    let (relay, outlets) = start(Does::Relay, 2).await;
    it_reaches_its_outlet(relay.as_ref(), &outlets).await;
    let (exits, _) = start(Does::Exit, 3).await;
    its_own_end_is_reported(exits.as_ref()).await;
    // What has ended makes room for the same name.
    let (again, _) = start(Does::Echo, 0).await;
    says_the_same(&mut dial(again.as_ref()).await, "again").await;
    timeout(PATIENCE, engine.shut_down()).await.expect("an engine shuts down in a minute");
    for instance in [other, relay, again] {
        end_of(instance.as_ref()).await;
        assert!(instance.dial(80).await.is_err(), "nothing runs once the engine is shut down");
    }
}

fn replica(slot: u16) -> ReplicaId {
    ReplicaId { service: ServiceId::of(&samples::node(1), "suite"), slot, generation: 1 }
}

/// Keeps the far ends of what a program reached.
#[derive(Clone, Default)]
struct Outlets(Arc<Mutex<Vec<(usize, DuplexStream)>>>);

#[async_trait]
impl Outlet for Outlets {
    async fn connect(&self, index: usize) -> io::Result<ByteStream> {
        let (near, far) = tokio::io::duplex(1 << 16);
        lock(&self.0).push((index, far));
        Ok(Box::new(near))
    }
}

/// Dials until it listens: a program needs a moment.
async fn dial(instance: &dyn Instance) -> ByteStream {
    let dialled = async {
        loop {
            match instance.dial(80).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    };
    timeout(PATIENCE, dialled).await.expect("a program that listens is reached")
}

/// One line there and back. What comes before it is the program's own.
async fn says_the_same(stream: &mut ByteStream, line: &str) {
    stream.write_all(format!("{line}\n").as_bytes()).await.expect("a stream takes bytes");
    let heard = async {
        let mut heard = Vec::new();
        while !heard.ends_with(format!("{line}\n").as_bytes()) {
            heard.push(stream.read_u8().await.expect("the program answers"));
        }
    };
    timeout(PATIENCE, heard).await.expect("an answer comes");
}

async fn end_of(instance: &dyn Instance) -> InstanceEnd {
    timeout(PATIENCE, instance.ended()).await.expect("an end is reported")
}

async fn it_is_reached_and_heard(echo: &dyn Instance) {
    let (mut one, mut two) = (dial(echo).await, dial(echo).await);
    says_the_same(&mut one, "one").await;
    says_the_same(&mut two, "two").await;
    says_the_same(&mut one, "three").await;
    assert!(echo.dial(81).await.is_err(), "nothing listens there");
    for _ in 0..2 {
        let mut log = echo.follow();
        let first = timeout(PATIENCE, log.recv()).await.expect("what was written is told");
        let (stream, bytes) = first.expect("a program that runs has an open log");
        assert!(stream == LogStream::Stdout && bytes.starts_with(b"begun\n"), "each listener hears it all");
    }
    assert_eq!(echo.last_words(LOG_KEPT_BYTES), b"begun\n");
    assert_eq!(echo.last_words(3), b"un\n", "last words are the last, and no more than asked for");
    assert!(echo.usage().await.wall_us > 0, "use is metered");
}

async fn commands_run_beside_it(echo: &dyn Instance) {
    let run = async |command: &str| echo.command(&[command.to_owned()], PATIENCE).await;
    assert_eq!(run("true").await, Ok(0));
    assert_eq!(run("false").await, Ok(1));
}

async fn stopping_ends_one_and_no_other(echo: &Arc<dyn Instance>, other: &dyn Instance) {
    let (mut stream, mut beside) = (dial(echo.as_ref()).await, dial(other).await);
    says_the_same(&mut stream, "still").await;
    let mut log = echo.follow();
    let waiting = tokio::time::timeout(AGAIN, echo.ended()).await;
    assert!(waiting.is_err(), "it runs, so no end is reported");
    timeout(PATIENCE, echo.stop(GRACE)).await.expect("a program is stopped in time");
    assert!(matches!(end_of(echo.as_ref()).await, InstanceEnd::Exited(_)), "it was ended by a signal");
    assert_eq!(end_of(echo.as_ref()).await, end_of(echo.as_ref()).await, "an end stays as it is");
    assert!(echo.dial(80).await.is_err(), "nobody reaches a program that has ended");
    let left = timeout(PATIENCE, stream.read_u8()).await.expect("connections end with their program");
    assert!(left.is_err());
    let heard = async { while log.recv().await.is_some() {} };
    timeout(PATIENCE, heard).await.expect("a log ends with its program");
    timeout(PATIENCE, echo.stop(GRACE)).await.expect("stopping again does nothing");
    assert!(matches!(echo.command(&["true".to_owned()], PATIENCE).await, Err(Failure::WorkerLost { .. })));
    says_the_same(&mut beside, "I go on").await;
}

async fn it_reaches_its_outlet(relay: &dyn Instance, outlets: &Outlets) {
    let mut stream = dial(relay).await;
    stream.write_all(b"question").await.expect("a stream takes bytes");
    stream.shutdown().await.expect("one side may end alone");
    let far = async {
        loop {
            // Dialling only to see whether it listens may have reached the outlet already.
            let reached = lock(&outlets.0).pop();
            if let Some((index, mut far)) = reached {
                assert_eq!(index, 0, "outlets are counted from 0");
                let mut heard = Vec::new();
                far.read_to_end(&mut heard).await.expect("what the program writes comes out");
                if heard == b"question" {
                    return far;
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    let mut far = timeout(PATIENCE, far).await.expect("a program reaches its outlet");
    far.write_all(b"answer").await.expect("the other way is still open");
    drop(far);
    let mut heard = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("ends pass through too");
    assert_eq!((read.ok(), heard.as_slice()), (Some(6), b"answer".as_slice()));
}

async fn its_own_end_is_reported(exits: &dyn Instance) {
    assert_eq!(end_of(exits).await, InstanceEnd::Exited(7));
    assert_eq!(exits.last_words(100), b"bye\n", "its last words stay");
    assert!(exits.dial(80).await.is_err());
    let mut log = exits.follow();
    assert_eq!(log.recv().await, Some((LogStream::Stderr, b"bye\n".to_vec())));
    assert_eq!(log.recv().await, None, "a log that is over says so");
    exits.stop(GRACE).await;
}
