//! Blocks from other nodes: headers first, under a certificate of who may vote, then what is in them.

use crate::{
    sealed::Sealed,
    state::{ChainError, State},
};
use bytes::Bytes;
use opensky_consensus::{Header, LightClient, ValidatorSet};
use opensky_ports::ledger::{FollowError, Head};
use opensky_storage::LedgerStore;

/// Most blocks that are taken in at once.
const BLOCKS_MAX: usize = 16_384;

impl State {
    /// A light client at the newest final block.
    pub fn light_at(&self, epoch: u64, set: ValidatorSet) -> LightClient {
        let place = (self.top.block.header().height, self.top.block.id());
        LightClient::resume(self.founding.ledger.sky, self.founding.rules.epoch_length, epoch, set, place)
    }

    /// Takes in blocks that another node sent. Those before the newest are skipped.
    pub fn follow(&mut self, blocks: &[Bytes]) -> Result<Head, FollowError> {
        let own = self.head().height;
        if self.is_voting {
            return Err(FollowError::NotNext { height: own });
        }
        if blocks.len() > BLOCKS_MAX {
            return Err(sender(format!("{} blocks at once", blocks.len())));
        }
        let read = blocks.iter().map(|bytes| Sealed::decode(bytes)).collect::<Result<Vec<_>, _>>();
        let new = read.map_err(sender)?.into_iter().filter(|sealed| sealed.block.header().height > own);
        let mut run: Vec<Sealed> = Vec::new();
        for sealed in new {
            let certificate = sealed.certificate.clone();
            run.push(sealed);
            let Some(certificate) = certificate else { continue };
            let headers: Vec<Header> = run.iter().map(|sealed| sealed.block.header().clone()).collect();
            if headers.first().is_some_and(|first| first.height != self.head().height + 1) {
                return Err(FollowError::NotNext { height: self.head().height });
            }
            let mut light = self.light.clone();
            light.follow(&headers, &certificate).map_err(sender)?;
            for sealed in run.drain(..) {
                self.advance(sealed, false).map_err(failed)?;
            }
            self.light = light;
            crate::snapshots::take_if_due(self).map_err(failed)?;
        }
        if run.is_empty() { Ok(self.head()) } else { Err(sender("the last block has no certificate")) }
    }
}

/// Blocks for another node, from a height up to the last one with a certificate.
pub(crate) fn blocks_from(
    store: &LedgerStore,
    height: u64,
    bytes_max: usize,
) -> Result<Vec<Bytes>, FollowError> {
    let rows = store.blocks(height, bytes_max, BLOCKS_MAX).map_err(|error| failed(error.into()))?;
    let mut blocks: Vec<Bytes> = Vec::with_capacity(rows.len());
    let mut certified = 0;
    for (_, bytes) in rows {
        let sealed = Sealed::decode(&bytes).map_err(|error| failed(error.into()))?;
        blocks.push(bytes.into());
        if sealed.certificate.is_some() {
            certified = blocks.len();
        }
    }
    blocks.truncate(certified);
    Ok(blocks)
}

pub(crate) fn sender(problem: impl ToString) -> FollowError {
    FollowError::Sender(problem.to_string())
}

pub(crate) fn failed(error: ChainError) -> FollowError {
    FollowError::Own(Box::new(error))
}
