//! A replica while it runs: heard, measured, and ended when it must.

use super::{Life, ORDER_WAIT, Output};
use crate::{
    service::{instance::Replica, stopped},
    task::{exit_code, state_at_end},
};
use bollard::{container::LogOutput, query_parameters::KillContainerOptionsBuilder};
use futures::StreamExt;
use opensky_ports::{InstanceEnd, LogStream};
use opensky_types::{
    resources::{Limit, TaskLimits},
    task::Failure,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Time between two looks at what a replica uses.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Volumes are looked at with every so manyth look.
const VOLUME_LOOKS: u64 = 10;
/// Room on the disk below which replicas end: it is the machine's.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// How long a door may be unattended.
const DOOR_WAIT: Duration = Duration::from_secs(30);
/// How long a container may go on after it was killed.
const KILL_WAIT: Duration = Duration::from_secs(10);
/// Longest wait for the engine to pass on a signal.
const SIGNAL_WAIT: Duration = Duration::from_secs(5);
/// What replicas get to end when the node does.
const SHUT_DOWN_GRACE: Duration = Duration::from_secs(3);

impl Life {
    /// Hears and measures the replica until it has ended, by itself or because it had to.
    pub(super) async fn watch_over(&self, replica: &Replica, mut output: Output) -> InstanceEnd {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut attended = Instant::now();
        let mut ending = std::pin::pin!(self.ending(replica));
        loop {
            let step = tokio::select! {
                piece = output.next() => match piece {
                    Some(Ok(piece)) => {
                        hear(replica, piece);
                        Ok(())
                    }
                    // Its end says more than what went wrong with its streams.
                    None | Some(Err(_)) => return self.end_of(replica).await,
                },
                _ = looks.tick() => {
                    if !replica.door.is_unattended() {
                        attended = Instant::now();
                    }
                    self.look(replica, attended).await
                }
                failure = &mut ending => Err(failure),
            };
            if let Err(failure) = step {
                return InstanceEnd::Failed(failure);
            }
        }
    }

    /// Ends the replica once it is asked to; how the replica ended is known by its streams. Returns only if
    /// it does not end.
    async fn ending(&self, replica: &Replica) -> Failure {
        let grace = tokio::select! {
            grace = replica.asked() => grace,
            () = self.given_up.cancelled() => Duration::ZERO,
            () = self.shared.stopping.cancelled() => SHUT_DOWN_GRACE,
        };
        if !grace.is_zero() {
            self.signal("SIGTERM").await;
            let grace = tokio::time::sleep(grace);
            // Not even a long grace holds up the end of the node.
            let hurry = async {
                self.shared.stopping.cancelled().await;
                tokio::time::sleep(SHUT_DOWN_GRACE).await;
            };
            tokio::select! {
                () = grace => {}
                () = hurry => {}
            }
        }
        self.signal("SIGKILL").await;
        tokio::time::sleep(KILL_WAIT).await;
        stopped("the engine does not end its container")
    }

    async fn signal(&self, signal: &str) {
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        let sent = timeout(SIGNAL_WAIT, self.engine.docker.kill_container(&self.name, Some(options))).await;
        if let Ok(Err(error)) = sent {
            // Most likely it has just ended.
            tracing::debug!(name = self.name, signal, %error, "a container took no signal");
        }
    }

    async fn look(&self, replica: &Replica, attended: Instant) -> Result<(), Failure> {
        replica.measure.look();
        if !self.shared.host.watch.has(&self.engine) {
            return Err(stopped("the container engine went away"));
        }
        if attended.elapsed() > DOOR_WAIT {
            let message = "nobody attends its door: the program ended that or leaves it no room".to_owned();
            return Err(Failure::WorkerLost { message });
        }
        self.check_scratch().await?;
        // It takes longer than to look at a scratch folder.
        let is_due = !self.run.volumes.is_empty() && replica.measure.looks().is_multiple_of(VOLUME_LOOKS);
        if is_due { self.shared.check_volumes(self.run.replica).await } else { Ok(()) }
    }

    async fn check_scratch(&self) -> Result<(), Failure> {
        let scratch = Arc::clone(&self.scratch);
        let limits = TaskLimits { scratch_bytes: self.run.limits.scratch_bytes, ..TaskLimits::default() };
        let looked = tokio::task::spawn_blocking(move || {
            (scratch.is_within(&limits), scratch.free_bytes().unwrap_or(u64::MAX))
        });
        match looked.await {
            // Files that are open and have no name are seen nowhere else.
            Ok((true, free_bytes)) if free_bytes < FREE_BYTES_MIN => Err(stopped("the disk is nearly full")),
            Ok((true, _)) => Ok(()),
            Ok((false, _)) | Err(_) => Err(Failure::Limit { limit: Limit::Scratch }),
        }
    }

    /// How a container whose streams have ended did so.
    async fn end_of(&self, replica: &Replica) -> InstanceEnd {
        let state = match timeout(ORDER_WAIT, state_at_end(&self.engine.docker, &self.name)).await {
            Ok(Ok(state)) => state,
            Ok(Err(failure)) => return InstanceEnd::Failed(failure),
            Err(_) => return InstanceEnd::Failed(stopped("the container engine does not answer")),
        };
        let code = exit_code(&state);
        // Whoever goes on after the kernel ended a process of it did not end by that.
        let (peak_bytes, limit_bytes) = (replica.measure.peak_bytes(), self.run.limits.memory_bytes);
        if code != 0 && self.engine.is_out_of_memory(&state, peak_bytes, limit_bytes) {
            return InstanceEnd::Failed(Failure::Limit { limit: Limit::Memory });
        }
        let over = if code == 0 { Ok(()) } else { self.look(replica, Instant::now()).await };
        match over {
            Err(failure @ Failure::Limit { .. }) => InstanceEnd::Failed(failure),
            _ => InstanceEnd::Exited(code),
        }
    }
}

fn hear(replica: &Replica, piece: LogOutput) {
    match piece {
        LogOutput::StdErr { message } => replica.log.write(LogStream::Stderr, &message),
        LogOutput::StdOut { message } | LogOutput::Console { message } => {
            replica.log.write(LogStream::Stdout, &message);
        }
        LogOutput::StdIn { .. } => {}
    }
}
