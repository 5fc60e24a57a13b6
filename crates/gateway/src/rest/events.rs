//! What happens to a job, as server-sent events or over a WebSocket.

use super::{
    jobs::find,
    telling::{Telling, Told},
};
use crate::{
    Gateway,
    problem::{Outcome, problem},
    views,
};
use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::HeaderMap,
    response::Response,
};
use opensky_api::{
    Code,
    event::{AfterQuery, JobEvent},
};
use opensky_node::Handle;
use opensky_types::JobId;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};

/// How often notes are looked for while a job is quiet.
const NOTES_INTERVAL: Duration = Duration::from_millis(500);

/// The stream's id counts the notes sent, so that a reader that comes back misses none. State and
/// progress are facts of the moment and start afresh.
pub(crate) async fn events(
    State(gateway): State<Gateway>,
    telling: Telling,
    job: Result<Path<JobId>, PathRejection>,
    query: Result<Query<AfterQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Outcome<Response> {
    let (Path(job), Query(query)) = (job?, query?);
    find(&gateway, job).await?;
    let notes_sent = match last_seen(&headers, &query) {
        Some(last) => last.parse().map_err(|_| not_an_id())?,
        None => 0,
    };
    telling.answer(|sender| Follower { handle: gateway.handle.clone(), job, notes_sent, sender }.follow())
}

/// After which event the stream goes on.
pub(super) fn last_seen<'a>(headers: &'a HeaderMap, query: &'a AfterQuery) -> Option<&'a str> {
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    query.after.as_deref().or(header).filter(|last| !last.is_empty())
}

pub(super) fn not_an_id() -> crate::problem::Answer {
    problem(Code::InvalidRequest, "'after' is the 'id' of an event of this stream")
}

struct Follower {
    handle: Handle,
    job: JobId,
    notes_sent: usize,
    sender: mpsc::Sender<Told>,
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
        self.sender.send(Told::new(event.name(), self.notes_sent.to_string(), &event)).await.ok()
    }
}
