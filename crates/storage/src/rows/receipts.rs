//! Rows of receipt batches.

use crate::file::Fault;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    Hash, Signed,
    merkle::Tree,
    receipt::{BatchHead, Countersignature, Receipt, ReceiptProof},
};

/// A batch: the provider's signature and what it covers, in leaf order.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct BatchRow<H = Signed<BatchHead>, R = Vec<Receipt>> {
    pub head: H,
    pub receipts: R,
}

impl BatchRow {
    pub const VERSION: u8 = 1;

    /// The receipt at `index` with its path to the root.
    pub fn prove(
        mut self,
        index: u32,
        countersignature: Option<Signed<Countersignature>>,
    ) -> Result<ReceiptProof, Fault> {
        let ids: Vec<Hash> = self.receipts.iter().map(Receipt::id).collect();
        if index as usize >= ids.len() {
            return Err(Fault::Damaged("receipt batch"));
        }
        let siblings = Tree::new(&ids).proof(index);
        let receipt = self.receipts.swap_remove(index as usize);
        Ok(ReceiptProof { receipt, index, siblings, head: self.head, countersignature })
    }
}

/// The ids of one batch, as sorted pairs of an id's first eight bytes and its index.
///
/// One row a batch instead of one index entry a receipt: random keys in a B-tree would rewrite a
/// page per receipt (most of a commit's cost), while looking a receipt up is a rare, human act that
/// may well read 12 bytes per receipt ever kept.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct IdsRow {
    pub root: Hash,
    pub ids: Vec<(u64, u32)>,
}

impl IdsRow {
    pub const VERSION: u8 = 1;

    /// The row of a batch with this root and these receipts' ids.
    pub fn of(root: Hash, ids: &[Hash]) -> Self {
        let mut ids: Vec<(u64, u32)> = ids.iter().zip(0..).map(|(id, index)| (prefix(id), index)).collect();
        ids.sort_unstable();
        Self { root, ids }
    }

    /// Indexes of receipts that may have this id.
    pub fn candidates(&self, id: &Hash) -> impl Iterator<Item = u32> {
        let prefix = prefix(id);
        let start = self.ids.partition_point(|(found, _)| *found < prefix);
        self.ids[start..].iter().take_while(move |(found, _)| *found == prefix).map(|(_, index)| *index)
    }
}

fn prefix(id: &Hash) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&id.as_bytes()[..8]);
    u64::from_be_bytes(bytes)
}
