//! What a [`crate::Handle`] asks of the loop, and how it is answered.

use crate::{
    event::Event,
    fetch::blocking,
    handle::{InviteError, IssuedInvite, LogChunk, OfferView, Status, SubmitError, TransactError},
    images::{KeepImageError, KeptImage},
    journal::{Keeping, Promise},
    ledger::AutoTransfer,
    node::{End, Node},
    quote::Quote,
    services::ServiceRequest,
    settings,
};
use opensky_ledger::{action::Action, event::Event as LedgerEvent, transaction::SignedTransaction};
use opensky_market::Cluster;
use opensky_ports::{Pin, Record, transport::NetworkView};
use opensky_scheduler::JobView as JobProgress;
use opensky_types::{
    Hash, JobId, TaskId, Timestamp,
    job::{Blob, JobSpec},
    limits::ContributionLimits,
    membership::InviteToken,
    offer::Offer,
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Answers a question. Whoever asked may have gone away; then nobody misses the answer.
pub(crate) fn tell<T>(answer: oneshot::Sender<T>, value: T) {
    let _ = answer.send(value);
}

type Answer<T> = oneshot::Sender<T>;

/// A question with the way back.
pub(crate) enum Request {
    Status(Answer<Status>),
    Network(Answer<NetworkView>),
    Offers(Answer<Vec<OfferView>>),
    Clusters(Answer<Vec<Cluster>>),
    Invites(Answer<Vec<IssuedInvite>>),
    SetLimits {
        limits: ContributionLimits,
        answer: Answer<()>,
    },
    Invite {
        uses_max: u32,
        ttl_ms: u64,
        answer: Answer<Result<InviteToken, InviteError>>,
    },
    OpenLocalDoor {
        ttl_ms: u64,
        answer: Answer<Result<(), InviteError>>,
    },
    Submit {
        job: JobId,
        spec: Box<JobSpec>,
        answer: Answer<Result<JobId, SubmitError>>,
    },
    Quote {
        spec: Box<JobSpec>,
        answer: Answer<Quote>,
    },
    Cancel {
        job: JobId,
        answer: Answer<bool>,
    },
    Retry {
        job: JobId,
        answer: Answer<Result<bool, SubmitError>>,
    },
    Remove {
        job: JobId,
        answer: Answer<bool>,
    },
    Transact {
        action: Box<Action>,
        answer: Answer<Result<Hash, TransactError>>,
    },
    TryTransact {
        action: Box<Action>,
        answer: Answer<Result<Vec<LedgerEvent>, TransactError>>,
    },
    SubmitTransaction {
        signed: Box<SignedTransaction>,
        answer: Answer<Result<Hash, TransactError>>,
    },
    AutoTransfers(Answer<Vec<AutoTransfer>>),
    SetAutoTransfers {
        transfers: Vec<AutoTransfer>,
        answer: Answer<()>,
    },
    Images(Answer<Vec<KeptImage>>),
    KeepImage {
        name: String,
        blob: Blob,
        answer: Answer<Result<(), KeepImageError>>,
    },
    RemoveImage {
        name: String,
        answer: Answer<bool>,
    },
    /// About services.
    Service(Box<ServiceRequest>),
    /// Answered once the value is on disk.
    Keep {
        name: &'static str,
        value: Vec<u8>,
        answer: Answer<()>,
    },
    /// Answered once all facts known by now are on disk.
    OnDisk(Answer<()>),
    /// Answered once all facts known by now can be read from the journal.
    Written(Answer<()>),
    Progress {
        job: JobId,
        answer: Answer<Option<JobProgress>>,
    },
    Follow {
        job: JobId,
        task: TaskId,
        answer: Answer<mpsc::Receiver<LogChunk>>,
    },
    ShutDown(Answer<()>),
}

impl Node {
    /// A user asks something.
    pub(crate) fn on_request(&mut self, now: Timestamp, request: Request) {
        match request {
            Request::Status(answer) => tell(answer, self.status()),
            Request::Network(answer) => self.answer_network(answer),
            Request::Offers(answer) => tell(answer, self.offer_views()),
            Request::Clusters(answer) => tell(answer, self.market.clusters(now)),
            Request::Invites(answer) => tell(answer, self.membership.issued(&self.key)),
            Request::SetLimits { limits, answer } => {
                self.keep_record(settings::limits_record(&limits));
                self.limits = limits;
                self.provide(now, opensky_provider::Input::Limits(self.limits.clone()));
                self.promise(Promise::Done(answer));
            }
            Request::Invite { uses_max, ttl_ms, answer } => self.answer_invite(uses_max, ttl_ms, answer),
            Request::OpenLocalDoor { ttl_ms, answer } => {
                let allowed = self.membership.may_invite();
                if allowed {
                    self.membership.open_local_door(now.plus_ms(ttl_ms));
                }
                tell(answer, if allowed { Ok(()) } else { Err(InviteError::NotAllowed) });
            }
            Request::Submit { job, spec, answer } => self.submit(now, job, *spec, answer),
            Request::Quote { spec, answer } => tell(answer, self.quote(now, &spec)),
            Request::Cancel { job, answer } => {
                let active = self.consumer.is_active(job);
                self.schedule(now, opensky_scheduler::Input::Cancel { job });
                tell(answer, active);
            }
            Request::Retry { job, answer } => self.retry(job, answer),
            Request::Remove { job, answer } => self.remove(job, answer),
            Request::Transact { action, answer } => self.on_transact(now, *action, answer),
            Request::TryTransact { action, answer } => self.on_try_transact(now, *action, answer),
            Request::SubmitTransaction { signed, answer } => {
                tell(answer, self.submit_transaction(now, *signed));
            }
            Request::AutoTransfers(answer) => tell(answer, self.auto_transfers()),
            Request::SetAutoTransfers { transfers, answer } => {
                self.set_auto_transfers(transfers);
                self.promise(Promise::Done(answer));
            }
            Request::Images(answer) => tell(answer, self.images.clone()),
            Request::KeepImage { name, blob, answer } => tell(answer, self.keep_image(now, name, blob)),
            Request::RemoveImage { name, answer } => tell(answer, self.remove_image(&name)),
            Request::Service(request) => self.on_service_request(now, *request),
            Request::Keep { name, value, answer } => {
                self.keep_record(settings::record_of_others(name, value));
                self.promise(Promise::Done(answer));
            }
            Request::OnDisk(answer) => self.promise(Promise::Done(answer)),
            Request::Written(answer) => self.promise_as(Keeping::Fleeting, Promise::Done(answer)),
            Request::Progress { job, answer } => tell(answer, self.consumer.view(job)),
            Request::Follow { job, task, answer } => tell(answer, self.follow(job, task)),
            Request::ShutDown(answer) => {
                self.shutdown_answers.push(answer);
                self.end = Some(End::Asked);
            }
        }
    }

    fn status(&self) -> Status {
        let draft = self.host.provider.offer();
        let (tasks_running, tasks_queued) = self.host.provider.load();
        let (blobs_used_bytes, blobs_cap_bytes) = self.blobs.usage();
        Status {
            node: self.own,
            genesis: self.membership.genesis().clone(),
            started_at: self.started_at,
            hardware: self.hardware.clone(),
            readings: self.readings,
            offer: self.offers.latest().map(|(offer, _)| offer.clone()),
            limits: self.limits.clone(),
            sharing_note: draft.note.to_owned(),
            slots_total: draft.slots_total,
            tasks_running: tasks_running as u32,
            tasks_queued: tasks_queued as u32,
            tasks_done: self.host.done,
            jobs_active: self.consumer.jobs_active() as u32,
            peers: self.peers_connected() as u32,
            blobs_used_bytes,
            blobs_cap_bytes,
            disk_problem: self.disk_problem.clone(),
        }
    }

    fn offer_views(&self) -> Vec<OfferView> {
        let view = |offer: &Offer| OfferView {
            offer: offer.clone(),
            rtt_us: self.rtt_us.get(&offer.node).copied(),
            own: offer.node == self.own,
        };
        self.market.offers().map(view).collect()
    }

    fn answer_network(&self, answer: Answer<NetworkView>) {
        let transport = Arc::clone(&self.transport);
        self.tasks.spawn(async move { tell(answer, transport.view().await) });
    }

    /// An invite carries this node's addresses, which the network knows.
    fn answer_invite(&self, uses_max: u32, ttl_ms: u64, answer: Answer<Result<InviteToken, InviteError>>) {
        let (transport, events) = (Arc::clone(&self.transport), self.events.clone());
        self.tasks.spawn(async move {
            let view = transport.view().await;
            let mut addresses = view.external;
            addresses.extend(view.listening);
            let asked = Event::InviteAsked { uses_max, ttl_ms, addresses, answer };
            // The loop may have ended; then the questioner is told by the closed channel.
            let _ = events.send(asked).await;
        });
    }

    fn submit(
        &mut self,
        now: Timestamp,
        job: JobId,
        spec: JobSpec,
        answer: Answer<Result<JobId, SubmitError>>,
    ) {
        let active = self.consumer.jobs_active();
        if active >= self.config.jobs_active_max {
            return tell(answer, Err(SubmitError::TooManyJobs { active }));
        }
        if let Some(problem) = &self.disk_problem {
            return tell(answer, Err(SubmitError::DiskFailed(problem.clone())));
        }
        tracing::info!(%job, name = spec.name, stages = spec.stages.len(), "job submitted");
        let durable = spec.durable;
        let submitted = Record::JobSubmitted { job, spec: spec.clone(), at: now };
        self.keep_record_as(Keeping::of_job(durable), submitted);
        self.start_job(now, job, spec);
        if durable { self.promise(Promise::Submitted { job, answer }) } else { tell(answer, Ok(job)) }
    }

    fn remove(&mut self, job: JobId, answer: Answer<bool>) {
        if self.consumer.is_active(job) {
            return tell(answer, false);
        }
        self.consumer.forget_final(job);
        self.keep_record(Record::JobRemoved { job });
        let (done, kept) = oneshot::channel();
        self.promise(Promise::Done(done));
        let blobs = Arc::clone(&self.blobs);
        self.tasks.spawn(async move {
            if kept.await.is_err() {
                return;
            }
            if let Err(error) = blocking(move || blobs.unpin(Pin::Job(job))).await {
                tracing::warn!(%job, %error, "blobs of a removed job could not be freed");
            }
            tell(answer, true);
        });
    }
}
