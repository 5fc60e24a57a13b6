//! What work for others needs: programs and inputs fetched, and let go with their agreement.

use crate::{
    event::Event,
    fetch::{self, FetchError, blocking},
    node::Node,
};
use opensky_ports::{Pin, Record};
use opensky_provider::{Input, TaskAttempt};
use opensky_types::{AgreementId, Hash, NodeId, Timestamp, job::Blob, task::Failure};
use std::sync::Arc;

impl Node {
    pub(super) fn fetch_program(&mut self, agreement: AgreementId, from: NodeId, program: Blob) {
        self.fetch_for(agreement, from, vec![program], move |result| Event::ProgramFetched {
            agreement,
            result,
        });
    }

    pub(super) fn fetch_input(
        &mut self,
        agreement: AgreementId,
        from: NodeId,
        task: TaskAttempt,
        blobs: Vec<Blob>,
    ) {
        self.fetch_for(agreement, from, blobs, move |result| Event::InputsFetched {
            agreement,
            task,
            result,
        });
    }

    fn fetch_for(
        &mut self,
        agreement: AgreementId,
        from: NodeId,
        blobs: Vec<Blob>,
        fetched: impl FnOnce(Result<(), (Hash, FetchError)>) -> Event + Send + 'static,
    ) {
        let released = self.host.fetches.entry(agreement).or_default().clone();
        let fetch = fetch::fetch_all(self.fetcher(), from, blobs, Pin::Agreement(agreement));
        let events = self.events.clone();
        self.tasks.spawn(async move {
            if let Some(result) = released.run_until_cancelled(fetch).await {
                let _ = events.send(fetched(result)).await;
            }
        });
    }

    pub(crate) fn on_program_fetched(
        &mut self,
        now: Timestamp,
        agreement: AgreementId,
        result: Result<(), (Hash, FetchError)>,
    ) {
        let input = match result {
            Ok(()) => Input::ProgramReady { agreement },
            Err(error) => Input::ProgramFailed { agreement, failure: unavailable(error) },
        };
        self.provide(now, input);
    }

    pub(crate) fn on_inputs_fetched(
        &mut self,
        now: Timestamp,
        agreement: AgreementId,
        task: TaskAttempt,
        result: Result<(), (Hash, FetchError)>,
    ) {
        let input = match result {
            Ok(()) => Input::InputsReady { agreement, tasks: vec![task] },
            Err(error) => Input::InputsFailed { agreement, task, failure: unavailable(error) },
        };
        self.provide(now, input);
    }

    /// An agreement is over: nothing is fetched for it any more, and nothing kept.
    pub(super) fn release(&mut self, agreement: AgreementId) {
        if self.host.terms.remove(&agreement).is_some() {
            self.keep_record(Record::AgreementEnded { agreement });
        }
        if let Some(fetches) = self.host.fetches.remove(&agreement) {
            fetches.cancel();
        }
        self.live().release(agreement);
        let blobs = Arc::clone(&self.blobs);
        self.tasks.spawn(blocking(move || {
            if let Err(error) = blobs.unpin(Pin::Agreement(agreement)) {
                tracing::warn!(%agreement, %error, "blobs of an agreement could not be unpinned");
            }
        }));
    }
}

fn unavailable((hash, error): (Hash, FetchError)) -> Failure {
    Failure::InputUnavailable { hash, message: error.to_string() }
}
