//! Puts the engine together: archives, delivery, application, votes.

use crate::{
    app::{App, Progress},
    block::Block,
    certificate::{Certificate, participants_max},
    chain::Tip,
    config::Rules,
    delivery::{Border, Delivery, inbox},
    link::{Gone, Link},
    marker::{LostJournal, VoteMark},
    runtime::{Channels, Runtime},
    schemes::Schemes,
    validators::ValidatorSet,
    voting::{Automaton, Beginning, Voting, VotingError},
    wire::{Digest, Finalization, Scheme},
    witness::{eyes, watch},
};
use commonware_broadcast::buffered;
use commonware_consensus::{
    marshal::{
        self, Start,
        core::Actor,
        resolver::p2p,
        standard::{Inline, Standard},
    },
    types::{FixedEpocher, ViewDelta},
};
use commonware_cryptography::{
    Digested, Digestible, Signer,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_p2p::{Blocker, Manager, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Handle,
    buffer::paged::{CHECKSUM_SIZE, CacheRef},
};
use commonware_storage::{
    archive::{Archive as _, Identifier, prunable},
    translator::EightCap,
};
use commonware_utils::{NZU16, NZU64, NZUsize, NonZeroDuration};
use opensky_types::Hash;
use std::sync::{Arc, atomic::Ordering};
use tokio::sync::{Notify, mpsc};

const MAILBOX: usize = 1024;
const BUFFER_BYTES: usize = 1 << 20;
const BLOCKS_PER_FILE: u64 = 1_024;
/// With its checksum, a page of the file system.
const PAGE_BYTES: u16 = 4_096 - CHECKSUM_SIZE as u16;
const PAGES: usize = 2_048;
/// Final blocks handed to the chain and not taken by it yet.
const UNTAKEN_MAX: usize = 16;
/// Missing blocks asked for at a time.
const REPAIRS: usize = 32;
/// Proposed blocks kept for each validator until they are final.
const PROPOSALS_KEPT: usize = 16;
/// Views of agreed blocks kept behind the last final one. Not more than an epoch: for each view that an
/// epoch is short of this the engine keeps one epoch more, and each holds a dozen files open.
const VIEWS_KEPT: u64 = 256;

type Blocks<E> = prunable::Archive<EightCap, E, Digest, Arc<Block>>;
type Finalizations<E> = prunable::Archive<EightCap, E, Digest, Finalization>;

/// Everything a validator is made of, whatever runtime it runs on.
pub(crate) struct Parts<B, M, S, R> {
    /// Starts the names of everything on disk; empty for a validator with a disk of its own.
    pub(crate) prefix: String,
    pub(crate) sky: Hash,
    pub(crate) key: PrivateKey,
    pub(crate) genesis: Block,
    pub(crate) rules: Rules,
    pub(crate) mark: Box<dyn VoteMark>,
    pub(crate) lost_journal: LostJournal,
    pub(crate) link: Link,
    pub(crate) work: Arc<Notify>,
    pub(crate) blocker: B,
    pub(crate) manager: M,
    pub(crate) channels: Channels<S, R>,
}

/// Why a validator could not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssemblyError {
    #[error(transparent)]
    Gone(#[from] Gone),
    #[error("the archive of final blocks: {0}")]
    Archive(#[from] commonware_storage::archive::Error),
    #[error("the chain, at height {height}, does not know the validators of epoch {epoch}")]
    UnknownValidators { height: u64, epoch: u64 },
    #[error("the chain is at height {height} without the blocks or a certificate to go on from")]
    NoFloor { height: u64 },
}

/// Starts a validator; the task ends when it can't go on.
pub(crate) async fn start<E, B, M, S, R>(
    context: E,
    parts: Parts<B, M, S, R>,
) -> Result<Handle<Result<(), VotingError>>, AssemblyError>
where
    E: Runtime,
    B: Blocker<PublicKey = PublicKey>,
    M: Manager<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let page_cache = CacheRef::new(NZU16!(PAGE_BYTES), NZUsize!(PAGES));
    let mut blocks: Blocks<E> = archive(
        context.child("blocks"),
        format!("{}blocks", parts.prefix),
        &page_cache,
        parts.rules.body_bytes_max,
    )
    .await?;
    let finalizations: Finalizations<E> = archive(
        context.child("finalizations"),
        format!("{}finalizations", parts.prefix),
        &page_cache,
        participants_max(),
    )
    .await?;
    let awaited = replay(&parts.link, &blocks, &finalizations).await?;
    let tip = parts.link.tip().await?;
    let schemes = Schemes::new(parts.sky);
    let beginning = beginning(&parts, &tip, &blocks, &schemes).await?;
    let start = match tip.certified {
        // A chain that is ahead of the archive was carried on by other means, or the archive was lost.
        Some((block, certificate))
            if !finalizations.has(Identifier::Index(block.header().height)).await? =>
        {
            blocks = keep(blocks, block).await?;
            let epoch = certificate.epoch();
            schemes.insert(epoch, validators_of(&parts.link, tip.height, epoch).await?);
            Start::Floor(certificate.finalization)
        }
        _ => Start::Genesis(Digested::precomputed(parts.genesis.clone(), parts.genesis.digest())),
    };
    let progress = Arc::new(Progress::default());
    progress.certified.store(tip.height, Ordering::Release);
    progress.delivered.store(tip.height, Ordering::Release);
    let stored = Stored { blocks, finalizations, page_cache, start, awaited };
    Ok(run(context, parts, stored, schemes, progress, beginning).await)
}

struct Stored<E: Runtime> {
    blocks: Blocks<E>,
    finalizations: Finalizations<E>,
    page_cache: CacheRef,
    start: Start<Scheme, Digest, Digested<Block>>,
    /// The last block of an epoch, final but without its certificate.
    awaited: Option<Block>,
}

async fn run<E, B, M, S, R>(
    context: E,
    parts: Parts<B, M, S, R>,
    stored: Stored<E>,
    schemes: Schemes,
    progress: Arc<Progress>,
    beginning: Beginning,
) -> Handle<Result<(), VotingError>>
where
    E: Runtime,
    B: Blocker<PublicKey = PublicKey>,
    M: Manager<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let rules = Arc::new(parts.rules);
    let Channels { votes, certificates, resolver, blocks: block_channel, backfill } = parts.channels;
    let me = parts.key.public_key();
    let mut manager = parts.manager;
    // Peers are known before anyone asks them for blocks.
    manager.track(beginning.epoch, beginning.validators.engine_keys());
    let page_cache = stored.page_cache.clone();
    let (actor, marshal, _) = Actor::init(
        context.child("marshal"),
        stored.finalizations,
        stored.blocks,
        marshal_config(&parts.prefix, &rules, &schemes, stored.start, page_cache.clone()),
    )
    .await;
    let buffer = broadcast(&context, &rules, me.clone(), manager.clone(), block_channel);
    let fetcher = p2p::init(
        context.child("backfill"),
        fetcher_config(me, manager.clone(), parts.blocker.clone(), &rules),
        backfill,
    );
    let (inbox, updates) = inbox();
    actor.start(inbox, buffer, fetcher);

    let (borders, border_inbox) = mpsc::unbounded_channel::<Border>();
    let delivery = Delivery {
        rules: rules.clone(),
        link: parts.link.clone(),
        marshal: marshal.clone(),
        schemes: schemes.clone(),
        progress: progress.clone(),
        borders,
    };
    let awaited = stored.awaited;
    context.child("delivery").spawn(move |_| delivery.run(awaited, updates));

    let (eyes, seen) = eyes();
    let (sky, watched, link) = (parts.sky, schemes.clone(), parts.link.clone());
    context.child("witness").spawn(move |_| watch(sky, watched, link, seen));

    let app = App {
        sky,
        rules: rules.clone(),
        link: parts.link,
        work: parts.work,
        schemes,
        progress: progress.clone(),
    };
    let automaton: Automaton<E> =
        Inline::new(context.child("application"), app, marshal.clone(), rules.epoch_length.epocher());
    let voting = Voting {
        context: context.child("voting"),
        prefix: parts.prefix,
        sky,
        key: parts.key,
        rules,
        mark: parts.mark,
        lost_journal: parts.lost_journal,
        blocker: parts.blocker,
        manager,
        marshal,
        automaton,
        progress,
        eyes,
        page_cache,
    };
    context.child("epochs").spawn(move |_| voting.run(beginning, border_inbox, votes, certificates, resolver))
}

/// Gives the chain the final blocks that it had not kept when it stopped. A crash can leave an epoch's
/// last block without its certificate: it is returned, and not given before the votes of its epoch, which
/// go on, or other validators have brought the certificate back.
async fn replay<E: Runtime>(
    link: &Link,
    blocks: &Blocks<E>,
    finalizations: &Finalizations<E>,
) -> Result<Option<Block>, AssemblyError> {
    let mut height = link.tip().await?.height + 1;
    while let Some(block) = blocks.get(Identifier::Index(height)).await? {
        let certificate = finalizations.get(Identifier::Index(height)).await?.map(Certificate::new);
        if certificate.is_none() && block.header().next_validators.is_some() {
            return Ok(Some(block.as_ref().clone()));
        }
        link.finalized(block.as_ref().clone(), certificate).await?;
        height += 1;
    }
    Ok(None)
}

/// Keeps a block that the chain has: the engine asks others only for what the archive lacks, and there
/// may be nobody who has it.
async fn keep<E: Runtime>(
    blocks: Blocks<E>,
    block: Block,
) -> Result<Blocks<E>, commonware_storage::archive::Error> {
    blocks.put_sync(block.header().height, block.digest(), &Arc::new(block)).await
}

/// Where voting goes on: in the epoch of the block after the tip.
async fn beginning<E: Runtime, B, M, S, R>(
    parts: &Parts<B, M, S, R>,
    tip: &Tip,
    blocks: &Blocks<E>,
    schemes: &Schemes,
) -> Result<Beginning, AssemblyError> {
    let length = parts.rules.epoch_length;
    let epoch = length.epoch_of(tip.height + 1);
    let validators = validators_of(&parts.link, tip.height, epoch).await?;
    schemes.insert(epoch, validators.clone());
    // Whoever is behind asks for blocks of earlier epochs; a chain that forgot their sets can't help.
    for earlier in epoch.saturating_sub(2)..epoch {
        if let Some(set) = parts.link.validators(earlier).await? {
            schemes.insert(earlier, set);
        }
    }
    let certificate = match tip.certificate() {
        // No vote below what is known to be final, whether the journal remembers that or not.
        Some(certificate) if certificate.epoch() == epoch => {
            return Ok(Beginning::at(epoch, validators, certificate.finalization.clone()));
        }
        other => other,
    };
    let border = match epoch.checked_sub(1) {
        None => Some(parts.genesis.id()),
        Some(before) => {
            let last = blocks.get(Identifier::Index(length.last(before))).await?;
            last.map(|block| block.id()).or_else(|| {
                // The certificate may be of that very block.
                let certificate = certificate?;
                (tip.height == length.last(before) && certificate.epoch() == before)
                    .then(|| certificate.block())
            })
        }
    };
    let last_block = border.ok_or(AssemblyError::NoFloor { height: tip.height })?;
    Ok(Border { epoch, validators, last_block }.into())
}

async fn validators_of(link: &Link, height: u64, epoch: u64) -> Result<ValidatorSet, AssemblyError> {
    let set = link.validators(epoch).await?;
    set.ok_or(AssemblyError::UnknownValidators { height, epoch })
}

async fn archive<E: Runtime, V: commonware_codec::Codec + Send + Sync + 'static>(
    context: E,
    name: String,
    page_cache: &CacheRef,
    codec_config: V::Cfg,
) -> Result<prunable::Archive<EightCap, E, Digest, V>, commonware_storage::archive::Error> {
    let config = prunable::Config {
        translator: EightCap,
        metadata_partition: format!("{name}-metadata"),
        key_partition: format!("{name}-keys"),
        key_page_cache: page_cache.clone(),
        value_partition: format!("{name}-values"),
        compression: None,
        codec_config,
        items_per_section: NZU64!(BLOCKS_PER_FILE),
        key_write_buffer: NZUsize!(BUFFER_BYTES),
        value_write_buffer: NZUsize!(BUFFER_BYTES),
        replay_buffer: NZUsize!(BUFFER_BYTES),
    };
    prunable::Archive::init(context, config).await
}

fn marshal_config(
    prefix: &str,
    rules: &Rules,
    schemes: &Schemes,
    start: Start<Scheme, Digest, Digested<Block>>,
    page_cache: CacheRef,
) -> marshal::Config<Schemes, FixedEpocher, Sequential, Block, Digested<Block>, Digest> {
    marshal::Config {
        provider: schemes.clone(),
        epocher: rules.epoch_length.epocher(),
        start,
        partition_prefix: format!("{prefix}marshal"),
        mailbox_size: NZUsize!(MAILBOX),
        view_retention: ViewDelta::new(VIEWS_KEPT.min(rules.epoch_length.heights())),
        prunable_items_per_section: NZU64!(BLOCKS_PER_FILE),
        page_cache,
        replay_buffer: NZUsize!(BUFFER_BYTES),
        key_write_buffer: NZUsize!(BUFFER_BYTES),
        value_write_buffer: NZUsize!(BUFFER_BYTES),
        block_codec_config: rules.body_bytes_max,
        max_repair: NZUsize!(REPAIRS),
        max_pending_acks: NZUsize!(UNTAKEN_MAX),
        strategy: Sequential,
    }
}

fn fetcher_config<B, M>(me: PublicKey, manager: M, blocker: B, rules: &Rules) -> p2p::Config<PublicKey, M, B>
where
    B: Blocker<PublicKey = PublicKey>,
    M: Manager<PublicKey = PublicKey>,
{
    p2p::Config {
        public_key: me,
        peer_provider: manager,
        blocker,
        mailbox_size: NZUsize!(MAILBOX),
        fetch_timeout: NonZeroDuration::new(rules.pacing.fetch_timeout).expect("checked with the rules"),
        fetch_retry_delay: rules.pacing.fetch_timeout / 10,
        priority_requests: false,
        priority_responses: false,
    }
}

fn broadcast<E, M, S, R>(
    context: &E,
    rules: &Rules,
    me: PublicKey,
    manager: M,
    channel: (S, R),
) -> buffered::Mailbox<PublicKey, Block>
where
    E: Runtime,
    M: Manager<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let (engine, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: me,
            mailbox_size: NZUsize!(MAILBOX),
            deque_size: PROPOSALS_KEPT,
            priority: false,
            codec_config: rules.body_bytes_max,
            peer_provider: manager,
            strategy: Sequential,
        },
    );
    engine.start(channel);
    buffer
}

/// The largest message on any channel.
pub(crate) fn message_bytes_max(rules: &Rules) -> u32 {
    let participants = u32::try_from(crate::VALIDATORS_MAX).expect("small");
    let marshal = marshal::max_payload_size::<Standard<Block>, Scheme>(participants, &rules.body_bytes_max);
    let votes = commonware_consensus::simplex::max_payload_size::<Scheme, Digest>(participants);
    commonware_p2p::max_message_size(&[marshal, commonware_p2p::utils::mux::prefixed(votes)])
}
