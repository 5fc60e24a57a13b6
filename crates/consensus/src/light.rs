//! A light client: from the genesis alone to the newest final block, over certificates.

use crate::{
    block::{Block, BlockId, Header},
    certificate::{Certificate, CertificateError},
    epoch::EpochLength,
    validators::ValidatorSet,
};
use opensky_types::Hash;

/// Why headers and certificate did not move the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LightError {
    /// The certificate does not prove what it should.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// There is nothing to prove.
    #[error("no header was given")]
    NoHeader,
    /// The certificate is of another block than the newest header.
    #[error("the certificate is of block {certified}, the newest header of {header}")]
    OtherBlock {
        /// What is certified.
        certified: BlockId,
        /// The header's id.
        header: BlockId,
    },
    /// A header does not name the one before it as its parent, or their heights do not follow.
    #[error("header at height {height} does not follow the one below")]
    Unlinked {
        /// Height of the upper header.
        height: u64,
    },
    /// A header of another sky, epoch or validator set.
    #[error("header at height {height} is not of this sky and epoch")]
    Foreign {
        /// Its height.
        height: u64,
    },
    /// The newest header is not above what is known.
    #[error("header at height {height} is not above {known}")]
    Old {
        /// Its height.
        height: u64,
        /// Height of the newest known block.
        known: u64,
    },
}

/// The newest block known to be final, and who may finalize the next. Trusts the genesis and the
/// certificates of each epoch's validators: two thirds of them must be honest during their epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClient {
    sky: Hash,
    length: EpochLength,
    epoch: u64,
    validators: ValidatorSet,
    height: u64,
    block: BlockId,
}

impl LightClient {
    /// A client that knows only the genesis.
    pub fn new(genesis: &Block, validators: ValidatorSet, length: EpochLength) -> Self {
        let header = genesis.header();
        Self { sky: header.sky, length, epoch: 0, validators, height: 0, block: genesis.id() }
    }

    /// A client that stands at a block which is known to be final by other means: its own disk. `epoch`
    /// is that of the next block, `validators` are those who vote on it.
    pub fn resume(
        sky: Hash,
        length: EpochLength,
        epoch: u64,
        validators: ValidatorSet,
        (height, block): (u64, BlockId),
    ) -> Self {
        Self { sky, length, epoch, validators, height, block }
    }

    /// The epoch that the next block belongs to.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Who votes in that epoch.
    pub fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// The newest final block known.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// Its id.
    pub fn block(&self) -> BlockId {
        self.block
    }

    /// Height of the next header that must not be skipped: the last of the epoch, which names the
    /// validators after it.
    pub fn border(&self) -> u64 {
        self.length.last(self.epoch)
    }

    /// Goes up to one header of the current epoch, however far above. The blocks between are final as
    /// well, but this client does not learn what they are.
    pub fn jump(&mut self, header: &Header, certificate: &Certificate) -> Result<(), LightError> {
        self.check(header)?;
        self.certified(header, certificate)?;
        self.accept(header);
        Ok(())
    }

    /// Follows every header from the known block up, in order, under one certificate for the newest:
    /// each header names the one below by its hash.
    pub fn follow(&mut self, headers: &[Header], certificate: &Certificate) -> Result<(), LightError> {
        let newest = headers.last().ok_or(LightError::NoHeader)?;
        let (mut height, mut parent) = (self.height, self.block);
        for header in headers {
            self.check(header)?;
            if header.parent != parent || Some(header.height) != height.checked_add(1) {
                return Err(LightError::Unlinked { height: header.height });
            }
            (height, parent) = (header.height, header.id());
        }
        self.certified(newest, certificate)?;
        self.accept(newest);
        Ok(())
    }

    fn check(&self, header: &Header) -> Result<(), LightError> {
        if header.height <= self.height {
            return Err(LightError::Old { height: header.height, known: self.height });
        }
        let belongs = header.sky == self.sky
            && header.epoch == self.epoch
            && self.length.epoch_of(header.height) == self.epoch
            && header.validators == self.validators.hash()
            && header.next_validators.is_some() == (header.height == self.border());
        if belongs { Ok(()) } else { Err(LightError::Foreign { height: header.height }) }
    }

    fn certified(&self, header: &Header, certificate: &Certificate) -> Result<(), LightError> {
        let certified = certificate.verify(self.sky, self.epoch, &self.validators)?.block;
        if certified == header.id() {
            Ok(())
        } else {
            Err(LightError::OtherBlock { certified, header: header.id() })
        }
    }

    fn accept(&mut self, header: &Header) {
        (self.height, self.block) = (header.height, header.id());
        if let Some(next) = &header.next_validators {
            self.epoch += 1;
            self.validators = next.clone();
        }
    }
}
