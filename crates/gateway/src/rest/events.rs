//! What happens to a job, as server-sent events.

use super::jobs::find;
use crate::{Gateway, problem::Outcome, views};
use axum::{
    Extension,
    extract::{Path, State, rejection::PathRejection},
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::Stream;
use opensky_api::event::JobEvent;
use opensky_node::Handle;
use opensky_types::JobId;
use std::{convert::Infallible, time::Duration};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

/// Events that may wait for a slow reader before the job is followed no further for it.
const WAITING_MAX: usize = 256;
/// How often notes are looked for while a job is quiet.
const NOTES_INTERVAL: Duration = Duration::from_millis(500);

/// The stream's id counts the notes sent, so that a reader that comes back misses none. State and
/// progress are facts of the moment and start afresh.
pub(crate) async fn events(
    State(gateway): State<Gateway>,
    Extension(stop): Extension<CancellationToken>,
    job: Result<Path<JobId>, PathRejection>,
    headers: HeaderMap,
) -> Outcome<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let Path(job) = job?;
    find(&gateway, job).await?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let (sender, events) = mpsc::channel(WAITING_MAX);
    let follower = Follower { handle: gateway.handle, job, notes_sent: last.unwrap_or(0), sender };
    // Ends with the job, with its reader, or with the node.
    tokio::spawn(async move { stop.run_until_cancelled(follower.follow()).await });
    Ok(Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::default()))
}

struct Follower {
    handle: Handle,
    job: JobId,
    notes_sent: usize,
    sender: mpsc::Sender<Result<Event, Infallible>>,
}

impl Follower {
    /// `None` as soon as there is nothing more to say or nobody to say it to.
    async fn follow(mut self) -> Option<()> {
        let mut happenings = self.handle.watch();
        let mut ticks = tokio::time::interval(NOTES_INTERVAL);
        if self.tell_all().await? {
            return None;
        }
        loop {
            tokio::select! {
                happened = happenings.recv() => match happened {
                    Ok(event) if event.job() != self.job => {}
                    Ok(opensky_node::JobEvent::Progress { progress, .. }) => {
                        self.send(views::progress_event(&progress)).await?;
                    }
                    Ok(opensky_node::JobEvent::Noted { .. }) => {}
                    Ok(opensky_node::JobEvent::Changed { .. }) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        if self.tell_all().await? {
                            return None;
                        }
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                _ = ticks.tick() => self.tell_notes().await?,
            }
        }
    }

    /// Tells where the job stands, and all notes that were not told; answers whether it is over.
    async fn tell_all(&mut self) -> Option<bool> {
        self.tell_notes().await?;
        let view = self.handle.job(self.job).await.ok()??;
        let reason = views::reason(&self.handle, &view).await.ok()?;
        if let Some(progress) = &view.progress {
            self.send(views::progress_event(progress)).await?;
        }
        let (state, at) = (view.stored.state, view.stored.changed_at);
        self.send(JobEvent::Job { state: state.into(), at, reason }).await?;
        Some(state.is_final())
    }

    async fn tell_notes(&mut self) -> Option<()> {
        let notes = self.handle.notes(self.job).await.ok()?;
        for note in notes.iter().skip(self.notes_sent) {
            self.notes_sent += 1;
            self.send(JobEvent::Note(note.into())).await?;
        }
        Some(())
    }

    async fn send(&self, event: JobEvent) -> Option<()> {
        let json = serde_json::to_string(&event).expect("an event is plain data");
        let event = Event::default().event(event.name()).id(self.notes_sent.to_string()).data(json);
        self.sender.send(Ok(event)).await.ok()
    }
}
