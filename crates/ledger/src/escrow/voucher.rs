//! Vouchers: a consumer's signature under what it owes, which the provider may settle at any time.

use super::{Escrow, PayItem};
use crate::{
    approval::Statement,
    evm::{Domain, Keccak, Voucher, digest},
};
use opensky_types::{AccountId, Hash, codec};

const DOMAIN: &[u8; 16] = b"opensky/voucher\0";
const VERSION: u16 = 1;

/// What a consumer signs, in one sky.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoucherStatement {
    sky: Hash,
    payer: AccountId,
    payee: AccountId,
    owed: PayItem,
}

impl VoucherStatement {
    /// The voucher for what is owed under an agreement with this escrow.
    pub fn new(sky: Hash, escrow: &Escrow, owed: &PayItem) -> Self {
        Self::between(sky, escrow.consumer, escrow.provider, *owed)
    }

    /// The same where the escrow is not at hand.
    pub const fn between(sky: Hash, payer: AccountId, payee: AccountId, owed: PayItem) -> Self {
        Self { sky, payer, payee, owed }
    }
}

impl Statement for VoucherStatement {
    fn message(&self) -> Vec<u8> {
        let mut message = DOMAIN.to_vec();
        message.extend_from_slice(&VERSION.to_le_bytes());
        message.extend_from_slice(&codec::encode(&(self.sky, self.payer, self.payee, self.owed)));
        message
    }

    fn text(&self) -> String {
        let PayItem { agreement, cumulative, receipts } = &self.owed;
        format!(
            "OpenSky voucher\nOwed in all: {cumulative}\nSky: {}\nFrom: {}\nTo: {}\nAgreement: {agreement}\nReceipts: {receipts}",
            self.sky, self.payer, self.payee
        )
    }

    fn typed(&self) -> Keccak {
        let voucher = Voucher {
            agreement: *self.owed.agreement.hash(),
            payer: Hash::from_bytes(*self.payer.as_bytes()),
            payee: Hash::from_bytes(*self.payee.as_bytes()),
            cumulative: self.owed.cumulative,
            receipts: self.owed.receipts,
        };
        digest(&Domain::of_sky(self.sky), &voucher)
    }
}
