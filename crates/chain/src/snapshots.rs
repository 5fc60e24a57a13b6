//! Snapshots: made every so many blocks, so that a start need not play everything again, and offered to
//! nodes that are far behind; and taken over from others, chunk by chunk, each proven before it counts.

use crate::{
    engine::Beside,
    follow::{failed, sender},
    proof::borders,
    sealed::{CERTIFIED_HEADER_BYTES_MAX, CertifiedHeader, Sealed, ledger_block},
    state::{ChainError, State},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_consensus::LightClient;
use opensky_ledger::{
    block::Header as LedgerHeader,
    ledger::Ledger,
    snapshot::{Added, MANIFEST_BYTES_MAX, Manifest, Record, Restore},
    state::State as LedgerState,
};
use opensky_ports::ledger::{FollowError, Restoring};
use opensky_types::{codec, text::causes};

/// Blocks that are kept for nodes that are a little behind.
const BLOCKS_KEPT: u64 = 100_000;
/// Old blocks dropped at a time.
const PRUNED_AT_ONCE: usize = 4_096;
/// Longest offer: some hundred years of epochs, and a manifest.
const OFFER_BYTES_MAX: usize = 256 << 20;

/// What a node is told of a snapshot.
#[derive(BorshSerialize, BorshDeserialize)]
struct Offer {
    /// The last blocks of the epochs since the one that the asker knows.
    borders: Vec<CertifiedHeader>,
    /// The block after which the state was this, whole.
    block: Vec<u8>,
    manifest: Vec<u8>,
}

/// A snapshot on its way in.
pub(crate) struct Incoming {
    restore: Restore,
    records: Vec<Record>,
    chunks: Vec<Option<Vec<u8>>>,
    borders: Vec<(u64, Vec<u8>)>,
    light: LightClient,
    top: Sealed,
    head: LedgerHeader,
    manifest: Vec<u8>,
}

/// Makes a snapshot at every so many blocks, and drops old ones.
pub(crate) fn take_if_due(state: &mut State) -> Result<(), ChainError> {
    let height = state.top.block.header().height;
    let newest = state.snapshot_height;
    // Only a block with a certificate of its own can be proven to others.
    if height < newest.saturating_add(state.snapshot_blocks) || state.top_certificate().is_none() {
        return Ok(());
    }
    state.snapshot_height = height;
    let (store, top) = (std::sync::Arc::clone(&state.store), state.top.encode());
    // A copy: the engine goes on while the chunks are written.
    let frozen = state.ledger.state().clone();
    let work = move || {
        let written = write(&store, height, &top, &frozen);
        let pruned = written.and_then(|()| {
            store.prune(height.saturating_sub(BLOCKS_KEPT), PRUNED_AT_ONCE).map_err(ChainError::from)
        });
        match pruned {
            Ok(_) => tracing::info!(height, "snapshot of the ledger written"),
            Err(error) => tracing::error!(error = causes(&error), "no snapshot of the ledger"),
        }
    };
    match state.beside {
        Beside::Thread => {
            let thread = std::thread::Builder::new().name("snapshot".to_owned()).spawn(work);
            thread.map(drop).unwrap_or_else(|error| tracing::error!(%error, "no thread for a snapshot"));
        }
        #[cfg(any(test, feature = "testing"))]
        Beside::Nowhere => work(),
    }
    Ok(())
}

fn write(
    store: &opensky_storage::LedgerStore,
    height: u64,
    top: &[u8],
    state: &LedgerState,
) -> Result<(), ChainError> {
    let cut = match state.cut(height) {
        Ok(cut) => cut,
        Err(error) => {
            tracing::error!(%error, "the state is too large for a snapshot");
            return Ok(());
        }
    };
    let manifest = codec::encode(cut.manifest());
    let mut chunks = (0..).map_while(|index| state.chunk(&cut, index).map(|chunk| codec::encode(&chunk)));
    Ok(store.put_snapshot(height, top, &manifest, &mut chunks)?)
}

/// What the newest snapshot consists of, for a node that knows who votes in `epoch`.
pub(crate) fn offer(state: &State, epoch: u64) -> Result<Option<Vec<u8>>, FollowError> {
    let row = state.store.snapshot().map_err(|error| failed(error.into()))?;
    let Some(row) = row else { return Ok(None) };
    let until = state.founding.rules.epoch_length.epoch_of(row.height);
    let mut borders = borders(state, epoch).map_err(failed)?;
    borders.truncate(usize::try_from(until.saturating_sub(epoch)).unwrap_or(usize::MAX));
    Ok(Some(codec::encode(&Offer { borders, block: row.head, manifest: row.manifest })))
}

/// Checks an offer: its certificates lead from what this node knows to the block of the snapshot.
pub(crate) fn begin(state: &State, bytes: &[u8]) -> Result<(Incoming, Restoring), FollowError> {
    let own = state.head().height;
    let offer: Offer = codec::decode(bytes, OFFER_BYTES_MAX).map_err(sender)?;
    let top = Sealed::decode(&offer.block).map_err(sender)?;
    let certificate = top.certificate.clone().ok_or_else(|| sender("a snapshot without a certificate"))?;
    let header = top.block.header().clone();
    if state.is_voting || header.height <= own {
        return Err(FollowError::NotNext { height: own });
    }
    let mut light = state.light.clone();
    let mut kept = Vec::new();
    for border in &offer.borders {
        let (border_header, proof) = border.open().map_err(sender)?;
        if border_header.epoch < light.epoch() {
            continue;
        }
        light.jump(&border_header, &proof).map_err(sender)?;
        kept.push((border_header.epoch, codec::encode(border)));
    }
    light.jump(&header, &certificate).map_err(sender)?;
    if header.next_validators.is_some() {
        kept.push((header.epoch, codec::encode(&CertifiedHeader::of(&header, &certificate))));
    }
    let head = ledger_block(&top.block).map_err(sender)?.header;
    let manifest = Manifest::decode(&offer.manifest, head.height, &head.state).map_err(sender)?;
    let count = manifest.parts().len();
    let restoring = Restoring { height: head.height, chunks: u32::try_from(count).unwrap_or(u32::MAX) };
    let incoming = Incoming {
        restore: Restore::new(manifest),
        records: Vec::new(),
        chunks: vec![None; count],
        borders: kept,
        light,
        top,
        head,
        manifest: offer.manifest,
    };
    Ok((incoming, restoring))
}

/// Adds a chunk; `true` when it was the last that was missing.
pub(crate) fn add(incoming: &mut Incoming, index: u32, bytes: &[u8]) -> Result<bool, FollowError> {
    let index = index as usize;
    if let Added::New(records) = incoming.restore.add(index, bytes).map_err(sender)? {
        incoming.records.extend(records);
        if let Some(place) = incoming.chunks.get_mut(index) {
            *place = Some(bytes.to_vec());
        }
    }
    Ok(incoming.restore.missing().next().is_none())
}

/// Takes a whole snapshot over: on disk first, then in memory.
pub(crate) fn finish(state: &mut State, incoming: Incoming) -> Result<(), FollowError> {
    let own = state.head().height;
    let height = incoming.head.height;
    if state.is_voting || height <= own {
        return Err(FollowError::NotNext { height: own });
    }
    let ledger = resume(incoming.records, incoming.head).map_err(sender)?;
    let mut chunks = incoming.chunks.into_iter().flatten();
    let kept = state
        .store
        .put_borders(&incoming.borders)
        .and_then(|()| {
            state.store.put_snapshot(height, &incoming.top.encode(), &incoming.manifest, &mut chunks)
        })
        .and_then(|()| state.store.restart_at(height));
    kept.map_err(|error| failed(error.into()))?;
    state.jump_to(ledger, incoming.light, incoming.top).map_err(failed)
}

fn resume(records: Vec<Record>, head: LedgerHeader) -> Result<Ledger, opensky_ledger::state::StateError> {
    Ledger::resume(LedgerState::from_records(records)?, head)
}

/// The newest snapshot on this node's own disk.
pub(crate) fn load(store: &opensky_storage::LedgerStore) -> Result<Option<(Ledger, Sealed)>, ChainError> {
    let Some(row) = store.snapshot()? else { return Ok(None) };
    let top = Sealed::decode(&row.head)?;
    let head = ledger_block(&top.block)?.header;
    let manifest = Manifest::decode(&row.manifest, head.height, &head.state).map_err(damaged)?;
    let mut restore = Restore::new(manifest);
    let mut records = Vec::new();
    for index in 0..row.chunks {
        let bytes = store.snapshot_chunk(row.height, index)?.ok_or_else(|| damaged("a chunk is missing"))?;
        if let Added::New(new) = restore.add(index as usize, &bytes).map_err(damaged)? {
            records.extend(new);
        }
    }
    Ok(Some((resume(records, head).map_err(damaged)?, top)))
}

fn damaged(problem: impl ToString) -> ChainError {
    ChainError::Damaged(problem.to_string())
}

/// The border of an epoch from this node's own disk.
pub(crate) fn border(bytes: &[u8]) -> Result<CertifiedHeader, ChainError> {
    codec::decode(bytes, CERTIFIED_HEADER_BYTES_MAX).map_err(damaged)
}

const _: () = assert!(MANIFEST_BYTES_MAX < OFFER_BYTES_MAX, "an offer has room for a manifest");
