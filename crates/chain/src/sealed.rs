//! Final blocks as they travel and lie on disk: the block, and the certificate if there is one for it.

use crate::founding::BODY_BYTES_MAX;
use borsh::{BorshDeserialize, BorshSerialize};
use bytes::Bytes;
use opensky_consensus::{
    Block, BlockError, CERTIFICATE_BYTES_MAX, Certificate, CertificateError, HEADER_BYTES_MAX, Header,
};
use opensky_ledger::block::{Block as LedgerBlock, BlockError as LedgerBlockError};
use opensky_types::codec::{self, DecodeError};

/// Longest encoding of a sealed block.
pub(crate) const SEALED_BYTES_MAX: usize = 16 + 4 + HEADER_BYTES_MAX + BODY_BYTES_MAX + CERTIFICATE_BYTES_MAX;

/// A block that is final, by its certificate or by that of a later one.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub block: Block,
    pub certificate: Option<Certificate>,
}

/// Why bytes are no sealed block.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// They do not follow the format.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// The block in them doesn't.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The certificate doesn't.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The block is none of the ledger.
    #[error("the body is no block of the ledger: {0}")]
    Body(#[from] LedgerBlockError),
    /// The header names another block of the ledger.
    #[error("the header calls the ledger's block {named}, it is {found}")]
    Commitment { named: opensky_types::Hash, found: opensky_types::Hash },
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Wire {
    block: Vec<u8>,
    certificate: Option<Vec<u8>>,
}

impl Sealed {
    pub fn encode(&self) -> Vec<u8> {
        let certificate = self.certificate.as_ref().map(Certificate::encode);
        codec::encode(&Wire { block: self.block.encode(), certificate })
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, SealedError> {
        let wire: Wire = codec::decode(bytes, SEALED_BYTES_MAX)?;
        let certificate = wire.certificate.as_deref().map(Certificate::decode).transpose()?;
        Ok(Self { block: Block::decode(&wire.block, BODY_BYTES_MAX)?, certificate })
    }

    pub fn bytes(&self) -> Bytes {
        self.encode().into()
    }
}

/// The ledger's block inside, which is the one that the header names.
pub(crate) fn ledger_block(block: &Block) -> Result<LedgerBlock, SealedError> {
    let inner = LedgerBlock::decode(block.body())?;
    let (named, found) = (block.header().commitment, inner.id());
    if named == found { Ok(inner) } else { Err(SealedError::Commitment { named, found }) }
}

/// The ledger's block in the bytes that nodes send each other, and whether a certificate of its own is
/// with it. For showing blocks of one's own node: the certificate is not checked.
pub fn read_block(bytes: &[u8]) -> Result<(LedgerBlock, bool), SealedError> {
    let sealed = Sealed::decode(bytes)?;
    Ok((ledger_block(&sealed.block)?, sealed.certificate.is_some()))
}

/// A header and its certificate: all that a light client needs of a block.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct CertifiedHeader {
    header: Vec<u8>,
    certificate: Vec<u8>,
}

/// Longest encoding of one.
pub(crate) const CERTIFIED_HEADER_BYTES_MAX: usize = 8 + HEADER_BYTES_MAX + CERTIFICATE_BYTES_MAX;

impl CertifiedHeader {
    pub fn of(header: &Header, certificate: &Certificate) -> Self {
        Self { header: header.encode(), certificate: certificate.encode() }
    }

    /// The header alone.
    pub fn header(&self) -> Result<Header, SealedError> {
        Ok(Header::decode(&self.header)?)
    }

    pub fn open(&self) -> Result<(Header, Certificate), SealedError> {
        Ok((Header::decode(&self.header)?, Certificate::decode(&self.certificate)?))
    }
}
