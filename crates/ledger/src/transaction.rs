//! Transactions: signed actions with a number, for one sky and one version of the rules.

use crate::{
    action::Action,
    approval::{Approval, ApprovalError, Forms, Statement, keys_of},
    evm::{Domain, Keccak, TransactionText, digest},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    AccountId, Hash, PublicKey, Timestamp,
    batch::Batch,
    codec::{self, DecodeError},
};

const DOMAIN: &[u8; 16] = b"opensky/transact";
const VERSION: u16 = 1;
/// Longest encoding of a transaction with its signatures.
pub const TRANSACTION_BYTES_MAX: usize = 128 * 1024;

/// An action, and all that makes it count once and here only.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transaction {
    /// The sky.
    pub sky: Hash,
    /// The version of the rules it was made for.
    pub rules: u32,
    /// Who acts.
    pub account: AccountId,
    /// The account's next number.
    pub nonce: u64,
    /// The last block time that may include it.
    pub valid_until: Timestamp,
    /// What is done.
    pub action: Action,
}

/// A transaction as received: the encoded bytes, and signatures over them.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedTransaction {
    bytes: Vec<u8>,
    approvals: Vec<Approval>,
}

/// A transaction whose signatures are right. Whether its keys may act, only the state says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// As received.
    pub signed: SignedTransaction,
    /// Its name.
    pub id: Hash,
    /// What it says.
    pub transaction: Transaction,
    /// Whose signatures it carries, in order.
    pub signers: Vec<PublicKey>,
}

/// Why bytes are no valid transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// They do not follow the format.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A signature is wrong.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
}

impl Transaction {
    /// The encoded transaction, for signing.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The transaction's name: what its signatures cover, whoever makes them.
    pub fn id(&self) -> Hash {
        id_of(&self.encode())
    }

    /// With signatures, put in their order.
    pub fn signed(&self, mut approvals: Vec<Approval>) -> SignedTransaction {
        approvals.sort_by_key(Approval::key);
        SignedTransaction { bytes: self.encode(), approvals }
    }
}

impl Checked {
    fn check_signatures(&self) -> Result<(), TransactionError> {
        let forms = Forms::of(&self.transaction);
        self.signed.approvals.iter().try_for_each(|approval| forms.check(approval))?;
        Ok(())
    }

    /// What checking its signatures costs, with those of the vouchers in it, which are checked when it is
    /// applied.
    pub fn signature_cost(&self) -> u32 {
        let vouchers = match &self.transaction.action {
            Action::Claim { items } => items.as_slice(),
            _ => &[],
        };
        let vouchers = vouchers.iter().filter_map(|item| item.voucher.as_ref());
        self.signed.approvals.iter().chain(vouchers).map(Approval::cost).fold(0, u32::saturating_add)
    }
}

impl Statement for Transaction {
    fn message(&self) -> Vec<u8> {
        preimage(&self.encode())
    }

    fn text(&self) -> String {
        format!(
            "OpenSky transaction\n{}\nSky: {}\nAccount: {}\nNumber: {}\nValid until: {}\nTransaction: {}",
            self.action.describe(),
            self.sky,
            self.account,
            self.nonce,
            self.valid_until.as_millis(),
            self.id()
        )
    }

    fn typed(&self) -> Keccak {
        let text = TransactionText {
            action: &self.action.describe(),
            account: Hash::from_bytes(*self.account.as_bytes()),
            nonce: self.nonce,
            valid_until: self.valid_until,
            transaction: self.id(),
        };
        digest(&Domain::of_sky(self.sky), &text)
    }
}

impl SignedTransaction {
    /// Reads one from outside; signatures are not checked yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        Ok(codec::decode(bytes, TRANSACTION_BYTES_MAX)?)
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Length of the encoding.
    pub fn size_bytes(&self) -> usize {
        let approvals: usize = self.approvals.iter().map(|approval| codec::encode(approval).len()).sum();
        8 + self.bytes.len() + approvals
    }

    /// Checks the signatures.
    pub fn check(self) -> Result<Checked, TransactionError> {
        let checked = self.unchecked()?;
        checked.check_signatures()?;
        Ok(checked)
    }

    /// What it says, with signatures in order but not checked: for transactions out of blocks that this
    /// node checked before it kept them.
    pub fn unchecked(self) -> Result<Checked, TransactionError> {
        if self.size_bytes() > TRANSACTION_BYTES_MAX {
            let size_bytes = self.size_bytes();
            return Err(DecodeError::TooLarge { size_bytes, limit_bytes: TRANSACTION_BYTES_MAX }.into());
        }
        let signers = keys_of(&self.approvals)?;
        let transaction = codec::decode(&self.bytes, TRANSACTION_BYTES_MAX)?;
        Ok(Checked { id: id_of(&self.bytes), signed: self, transaction, signers })
    }

    /// Checks many at once, as fast as their ed25519 signatures can be checked together.
    pub fn check_all(all: Vec<Self>) -> Result<Vec<Checked>, TransactionError> {
        let checked = all.into_iter().map(Self::unchecked).collect::<Result<Vec<_>, _>>()?;
        Self::check_signatures(&checked)?;
        Ok(checked)
    }

    /// Checks many, each for itself: together where all hold, else in ever smaller parts.
    pub fn check_each(all: Vec<Self>) -> Vec<Result<Checked, TransactionError>> {
        let read = all.into_iter().map(Self::unchecked);
        // Those that can't be read have their answer.
        let (mut good, mut each): (Vec<Checked>, Vec<Option<TransactionError>>) = (Vec::new(), Vec::new());
        for one in read {
            match one {
                Ok(checked) => {
                    good.push(checked);
                    each.push(None);
                }
                Err(error) => each.push(Some(error)),
            }
        }
        let mut checked = check_in_parts(good).into_iter();
        let answer = |error: Option<TransactionError>| match error {
            Some(error) => Err(error),
            None => checked.next().expect("each that was read is answered"),
        };
        each.into_iter().map(answer).collect()
    }

    /// Checks the signatures of transactions that were read.
    pub(crate) fn check_signatures(checked: &[Checked]) -> Result<(), TransactionError> {
        if holds_together(checked) {
            return Ok(());
        }
        // Which one it is, single checks say.
        checked.iter().try_for_each(Checked::check_signatures)
    }

    /// The leaf of a block's tree of transactions, which covers the signatures too.
    pub fn leaf(&self) -> Hash {
        Hash::of_value("opensky ledger signed transaction 1", self)
    }
}

/// Whether all signatures of these hold.
fn holds_together(checked: &[Checked]) -> bool {
    let mut batch = Batch::new();
    for one in checked {
        let message = preimage(&one.signed.bytes);
        let forms = Forms::of(&one.transaction);
        for approval in &one.signed.approvals {
            match approval {
                Approval::Ed25519 { key, signature } => batch.add(key, &message, signature),
                other if forms.check(other).is_err() => return false,
                _ => {}
            }
        }
    }
    batch.verify()
}

/// Halves them until each part holds together, or is one.
fn check_in_parts(mut read: Vec<Checked>) -> Vec<Result<Checked, TransactionError>> {
    if read.len() < 2 {
        return read.into_iter().map(|one| one.check_signatures().map(|()| one)).collect();
    }
    if holds_together(&read) {
        return read.into_iter().map(Ok).collect();
    }
    let rest = read.split_off(read.len() / 2);
    let mut each = check_in_parts(read);
    each.extend(check_in_parts(rest));
    each
}

fn preimage(bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(18 + bytes.len());
    message.extend_from_slice(DOMAIN);
    message.extend_from_slice(&VERSION.to_le_bytes());
    message.extend_from_slice(bytes);
    message
}

fn id_of(bytes: &[u8]) -> Hash {
    Hash::of(&preimage(bytes))
}
