//! Rows: how facts look on disk.
//!
//! Each row is `version (1) | check (8) | Borsh payload`. The check covers version, key and payload,
//! so that a flipped bit is found when the row is read, wherever it is. Rows are this crate's own
//! types. Inside them stand values of `opensky-types` whose bytes are fixed anyway, because they are
//! signed, hashed or sent; `rows/golden.txt` holds every row's hash, so that a change there
//! fails here before it reaches a disk. A changed row gets the next version and a migration.

mod job;
#[cfg(any(test, feature = "testing"))]
mod kinds;
mod ledger;
mod old;
mod receipts;
mod sky;

pub(crate) use job::{HeadRow, NotesRow, RunRow, RunsRow, SpecRow, runs_payload};
#[cfg(any(test, feature = "testing"))]
pub use kinds::{ROW_KINDS, RowKind};
pub(crate) use ledger::{KeptSnapshotRow, SpanRow, chunk_key_bytes, history_key_bytes};
pub(crate) use old::{RunRowV1, RunRowV2, SpecRowV1, SpecRowV2};
pub(crate) use receipts::{BatchRow, IdsRow};
pub(crate) use sky::{InviteRow, InviteUseRow, MemberRow, invite_use_key_bytes};

use crate::file::Fault;
use borsh::{BorshDeserialize, BorshSerialize};

/// Version of rows that hold one signed or plain value as it is.
pub(crate) const PLAIN_VERSION: u8 = 1;

const HEADER_BYTES: usize = 9;

/// Seals `payload` into a row of `version` for `key`.
pub(crate) fn seal<T: BorshSerialize>(version: u8, key: &[u8], payload: &T) -> Vec<u8> {
    let mut row = Vec::with_capacity(256);
    row.extend_from_slice(&[0; HEADER_BYTES]);
    row[0] = version;
    payload.serialize(&mut row).expect("writing to memory cannot fail and lengths fit in u32");
    let check = check(version, key, &row[HEADER_BYTES..]);
    row[1..HEADER_BYTES].copy_from_slice(&check);
    row
}

/// Opens a row of `version`; anything else is damage, since migrations leave one version only.
pub(crate) fn unseal<T: BorshDeserialize>(
    what: &'static str,
    version: u8,
    key: &[u8],
    row: &[u8],
) -> Result<T, Fault> {
    let damaged = Fault::Damaged(what);
    let Some((header, payload)) = row.split_at_checked(HEADER_BYTES) else { return Err(damaged) };
    if header[0] != version || header[1..] != check(version, key, payload) {
        return Err(damaged);
    }
    borsh::from_slice(payload).map_err(|_| damaged)
}

fn check(version: u8, key: &[u8], payload: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[version]).update(&(key.len() as u64).to_le_bytes()).update(key).update(payload);
    let mut check = [0; 8];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    check
}

#[cfg(test)]
mod tests;
