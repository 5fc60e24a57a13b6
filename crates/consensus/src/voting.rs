//! One engine of votes per epoch: started when the epoch before is final, on its last block.

use crate::{
    app::{App, Progress},
    block::Block,
    config::Rules,
    delivery::Border,
    marker::{Ballot, LostJournal, VoteMark, ballot},
    runtime::{Pair, Runtime},
    stall::Stall,
    validators::{ValidatorSet, node_of},
    wire::{Digest, Finalization, Marshal, Scheme, digest_of, namespace},
    witness::Eyes,
};
use commonware_consensus::{
    Reporters,
    marshal::standard::Inline,
    simplex::{
        Engine,
        config::{Config, Floor, ForwardPolicy, SkipBudget, SkipPolicy},
        elector::RoundRobin,
    },
    types::{Epoch, FixedEpocher, Height, ViewDelta},
};
use commonware_cryptography::{
    Sha256, Signer,
    certificate::Scheme as _,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_p2p::{
    Blocker, Manager, Message, Receiver, Sender,
    utils::mux::{Builder, MuxHandle, Muxer},
};
use commonware_parallel::Sequential;
use commonware_runtime::{Blob, Handle, buffer::paged::CacheRef};
use commonware_utils::{NZUsize, NonZeroDuration, vec::NonEmptyVec};
use opensky_types::Hash;
use std::{
    io,
    num::NonZeroU64,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::mpsc;

/// Views of votes kept behind the last final one: the window in which contradictions are noticed.
const VIEWS_KEPT: u64 = 256;
/// Views that may be skipped early in a row. An idle sky skips a view whenever a leader passes its
/// turn; the heartbeat ends the row long before this.
const SKIPS_MAX: NonZeroU64 = NonZeroU64::new(256).expect("not zero");
/// Heartbeats without a block after which the end of the epoch is asked for. Not fewer: the request is
/// repeated until the epoch ends.
const STALL_HEARTBEATS: u32 = 3;
/// How long messages of a later epoch may come without a block before this validator gives up: the
/// others have dropped what it lacks, and only their ledgers still have it.
const BEHIND_MAX: Duration = Duration::from_secs(60);
const MAILBOX: usize = 1024;
const BUFFER_BYTES: usize = 1 << 20;

/// The application, wrapped so that it gets blocks with their ancestors.
pub(crate) type Automaton<E> = Inline<E, Scheme, App, Block, FixedEpocher>;

/// Why the votes of an epoch could not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VotingError {
    #[error("the mark of the last epoch voted in: {0}")]
    Mark(#[from] io::Error),
    #[error("the journal of votes: {0}")]
    Journal(#[from] commonware_runtime::Error),
    #[error("the others are in epoch {0} and have dropped the blocks that lead there")]
    Behind(u64),
    #[error("the engine of epoch {0} stopped")]
    Stopped(u64),
    #[error("the channels to the other validators are closed")]
    Closed,
}

/// Runs an engine for each epoch.
pub(crate) struct Voting<E: Runtime, B, M> {
    pub(crate) context: E,
    pub(crate) prefix: String,
    pub(crate) sky: Hash,
    pub(crate) key: PrivateKey,
    pub(crate) rules: Arc<Rules>,
    pub(crate) mark: Box<dyn VoteMark>,
    pub(crate) lost_journal: LostJournal,
    pub(crate) blocker: B,
    pub(crate) manager: M,
    pub(crate) marshal: Marshal,
    pub(crate) automaton: Automaton<E>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) eyes: Eyes,
    pub(crate) page_cache: CacheRef,
}

/// Where an epoch begins.
pub(crate) struct Beginning {
    pub(crate) epoch: u64,
    pub(crate) validators: ValidatorSet,
    pub(crate) floor: Floor<Scheme, Digest>,
}

impl From<Border> for Beginning {
    fn from(border: Border) -> Self {
        let floor = Floor::Genesis(digest_of(border.last_block));
        Self { epoch: border.epoch, validators: border.validators, floor }
    }
}

impl Beginning {
    /// An epoch entered in its middle, at a certificate of its own.
    pub(crate) fn at(epoch: u64, validators: ValidatorSet, certificate: Finalization) -> Self {
        Self { epoch, validators, floor: Floor::Finalized(certificate) }
    }
}

/// A message of an epoch that has no engine here.
type Stray = (u64, Message<PublicKey>);

/// The channels, split by epoch.
struct Split<S: Sender<PublicKey = PublicKey>> {
    votes: MuxHandle<S>,
    stray_votes: mpsc::Receiver<Stray>,
    certificates: MuxHandle<S>,
    stray_certificates: mpsc::Receiver<Stray>,
    resolver: MuxHandle<S>,
}

/// The running engine; dropping it stops it.
struct Running {
    epoch: u64,
    validators: ValidatorSet,
    handle: Handle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl<E, B, M> Voting<E, B, M>
where
    E: Runtime,
    B: Blocker<PublicKey = PublicKey>,
    M: Manager<PublicKey = PublicKey>,
{
    /// Votes from `beginning` on, epoch after epoch, until something breaks or the runtime stops.
    pub(crate) async fn run<S, R>(
        mut self,
        beginning: Beginning,
        mut borders: mpsc::UnboundedReceiver<Border>,
        votes: Pair<S, R>,
        certificates: Pair<S, R>,
        resolver: Pair<S, R>,
    ) -> Result<(), VotingError>
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let mut split = self.split(votes, certificates, resolver);
        let mut running = self.enter(beginning, &mut split).await?;
        let mut stopped = self.context.stopped();
        let mut stall = Stall::new(self.delivered(), self.context.current());
        loop {
            let next_look = self.context.sleep_until(stall.looked_at() + self.rules.pacing.heartbeat);
            tokio::select! {
                biased;
                _ = &mut stopped => return Ok(()),
                border = borders.recv() => {
                    let Some(border) = border else { return Ok(()) };
                    if border.epoch > running.epoch {
                        stall.entered();
                        // The old engine has to let go of its channels before the new one starts.
                        let old = running.epoch;
                        drop(running);
                        running = self.enter(border.into(), &mut split).await?;
                        self.forget(old).await;
                    }
                }
                ended = &mut running.handle => {
                    tracing::error!(epoch = running.epoch, ?ended, "the engine of votes stopped");
                    return Err(VotingError::Stopped(running.epoch));
                }
                // Before the strays, which others may send without end.
                () = next_look => {
                    stall.look(self.delivered(), self.context.current());
                    if let Some(epoch) = stall.is_behind(BEHIND_MAX) {
                        return Err(VotingError::Behind(epoch));
                    }
                    if stall.lasts() >= self.rules.pacing.heartbeat * STALL_HEARTBEATS {
                        self.ask_for_border(&running);
                    }
                }
                stray = split.stray_votes.recv() => {
                    let (epoch, (from, _)) = stray.ok_or(VotingError::Closed)?;
                    self.catch_up(running.epoch, epoch, from, &mut stall);
                }
                stray = split.stray_certificates.recv() => {
                    let (epoch, (from, _)) = stray.ok_or(VotingError::Closed)?;
                    self.catch_up(running.epoch, epoch, from, &mut stall);
                }
            }
        }
    }

    /// Height of the newest block that the chain was given.
    fn delivered(&self) -> u64 {
        self.progress.delivered.load(Ordering::Acquire)
    }

    /// Where no block comes the epoch may be over, and those who saw its end may have nothing to say any
    /// more: all its validators are asked for its last block.
    fn ask_for_border(&self, running: &Running) {
        let me = self.key.public_key();
        let others: Vec<PublicKey> =
            running.validators.engine_keys().into_iter().filter(|key| *key != me).collect();
        if let Ok(others) = NonEmptyVec::try_from(others) {
            let border = Height::new(self.rules.epoch_length.last(running.epoch));
            self.marshal.hint_finalized(border, others);
        }
    }

    fn split<S, R>(&self, votes: Pair<S, R>, certificates: Pair<S, R>, resolver: Pair<S, R>) -> Split<S>
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let (mux, votes, stray_votes) =
            Muxer::builder(self.context.child("votes"), votes.0, votes.1).with_backup().build();
        mux.start();
        let (mux, certificates, stray_certificates) =
            Muxer::builder(self.context.child("certificates"), certificates.0, certificates.1)
                .with_backup()
                .build();
        mux.start();
        let (mux, resolver) = Muxer::new(self.context.child("resolver"), resolver.0, resolver.1);
        mux.start();
        Split { votes, stray_votes, certificates, stray_certificates, resolver }
    }

    /// A message of a later epoch means that others are past this one: its last block is asked for.
    fn catch_up(&self, ours: u64, theirs: u64, from: PublicKey, stall: &mut Stall) {
        if theirs > ours {
            stall.heard(theirs, self.context.current());
            let border = Height::new(self.rules.epoch_length.last(ours));
            self.marshal.hint_finalized(border, NonEmptyVec::new(from));
        }
    }

    async fn enter<S>(&mut self, beginning: Beginning, split: &mut Split<S>) -> Result<Running, VotingError>
    where
        S: Sender<PublicKey = PublicKey>,
    {
        let Beginning { epoch, validators, floor } = beginning;
        self.manager.track(epoch, validators.engine_keys());
        let scheme = self.scheme(epoch, &validators).await?;
        let context = self.context.child("simplex").with_attribute("epoch", epoch);
        let engine = Engine::new(context, self.engine_config(epoch, scheme, floor));
        let closed = |_| VotingError::Closed;
        let votes = split.votes.register(epoch).await.map_err(closed)?;
        let certificates = split.certificates.register(epoch).await.map_err(closed)?;
        let resolver = split.resolver.register(epoch).await.map_err(closed)?;
        tracing::info!(epoch, validators = validators.members().len(), "epoch begins");
        Ok(Running { epoch, validators, handle: engine.start(votes, certificates, resolver) })
    }

    /// The key to vote with, or only the eyes to follow: no validator, or one that lost its journal.
    async fn scheme(&mut self, epoch: u64, validators: &ValidatorSet) -> Result<Scheme, VotingError> {
        let namespace = namespace(self.sky);
        let keys = validators.engine_keys();
        let me = node_of(&self.key.public_key());
        if !validators.contains(me) {
            return Ok(Scheme::verifier(&namespace, keys));
        }
        let journal_here = self.journal_token(epoch).await?;
        let members = validators.members().len();
        match ballot(self.mark.read()?, epoch, journal_here, self.lost_journal, members) {
            Ballot::Follow => {
                tracing::warn!(epoch, "the journal of votes is lost: no vote until the next epoch");
                return Ok(Scheme::verifier(&namespace, keys));
            }
            Ballot::VoteAnew => {
                tracing::warn!(epoch, "the journal of votes is lost; the only validator votes all the same");
            }
            Ballot::Vote => {}
        }
        // The token is on disk first: a crash in between leaves a journal without a vote.
        self.write_journal_token(epoch).await?;
        self.mark.write(epoch)?;
        Ok(Scheme::signer(&namespace, keys, self.key.clone()).expect("this key is in the set"))
    }

    fn journal(&self, epoch: u64) -> String {
        format!("{}votes-{epoch}", self.prefix)
    }

    /// What is kept while this validator only follows. The engine can't read a journal with its own votes
    /// then.
    fn followed(&self, epoch: u64) -> String {
        format!("{}followed-{epoch}", self.prefix)
    }

    /// A partition of its own, since the journal owns all files in its.
    fn token(&self, epoch: u64) -> String {
        format!("{}votes-{epoch}-opened", self.prefix)
    }

    /// Whether the journal of this epoch was opened on this disk before.
    async fn journal_token(&mut self, epoch: u64) -> Result<bool, VotingError> {
        match self.context.scan(&self.token(epoch)).await {
            Ok(names) => Ok(!names.is_empty()),
            Err(commonware_runtime::Error::PartitionMissing(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn write_journal_token(&mut self, epoch: u64) -> Result<(), VotingError> {
        let (blob, _) = self.context.open(&self.token(epoch), b"opened").await?;
        blob.sync().await?;
        Ok(())
    }

    /// Drops the votes of an epoch that is over; its certificates stay with the blocks.
    async fn forget(&mut self, epoch: u64) {
        for partition in [self.journal(epoch), self.token(epoch), self.followed(epoch)] {
            match self.context.remove(&partition, None).await {
                Ok(()) | Err(commonware_runtime::Error::PartitionMissing(_)) => {}
                Err(error) => tracing::warn!(partition, %error, "votes of a past epoch stay on disk"),
            }
        }
    }

    #[allow(clippy::type_complexity)]
    fn engine_config(
        &self,
        epoch: u64,
        scheme: Scheme,
        floor: Floor<Scheme, Digest>,
    ) -> Config<
        Scheme,
        RoundRobin<Sha256>,
        B,
        Digest,
        Automaton<E>,
        Automaton<E>,
        Reporters<Automaton<E>, Eyes>,
        Sequential,
    > {
        let pacing = &self.rules.pacing;
        let partition = if scheme.me().is_some() { self.journal(epoch) } else { self.followed(epoch) };
        Config {
            scheme,
            elector: RoundRobin::default(),
            blocker: self.blocker.clone(),
            automaton: self.automaton.clone(),
            relay: self.automaton.clone(),
            reporter: Reporters::from((self.automaton.clone(), self.eyes.clone())),
            track_historical_votes: true,
            strategy: Sequential,
            partition,
            mailbox_size: NZUsize!(MAILBOX),
            epoch: Epoch::new(epoch),
            floor,
            replay_buffer: NZUsize!(BUFFER_BYTES),
            write_buffer: NZUsize!(BUFFER_BYTES),
            page_cache: self.page_cache.clone(),
            leader_timeout: pacing.leader_timeout,
            certification_timeout: pacing.view_timeout,
            timeout_retry: pacing.retry,
            view_retention: ViewDelta::new(VIEWS_KEPT),
            skip: SkipPolicy::Enabled { timeout: pacing.silence, budget: SkipBudget::Fixed(SKIPS_MAX) },
            fetch_timeout: NonZeroDuration::new(pacing.fetch_timeout).expect("checked with the rules"),
            fetch_retry_delay: pacing.fetch_timeout / 10,
            forward: ForwardPolicy::SilentVoters,
        }
    }
}
