//! Our blocks as the engine's blocks, and the engine's types by short names.

use crate::block::{BODY_BYTES_CEILING, Block, BlockId, HEADER_BYTES_MAX, Header};
use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, Error, Read, ReadExt, Write};
use commonware_consensus::{
    BoundedBlock, Heightable, marshal, marshal::standard::Standard, simplex, types::Height,
};
use commonware_cryptography::{Digestible, blake3};
use opensky_types::Hash;

/// Names blocks inside the engine.
pub(crate) type Digest = blake3::Digest;
/// Votes and certificates by ed25519 keys; verified by ZIP-215, as all of OpenSky does.
pub(crate) type Scheme = simplex::scheme::ed25519::Scheme;
/// A vote of a quorum that a block is final.
pub(crate) type Finalization = simplex::types::Finalization<Scheme, Digest>;
/// What the engine reports.
pub(crate) type Activity = simplex::types::Activity<Scheme, Digest>;
/// Where and by whom a block is proposed.
pub(crate) type Context = simplex::types::Context<Digest, commonware_cryptography::ed25519::PublicKey>;
/// Orders finalized blocks and keeps them.
pub(crate) type Marshal = marshal::core::Mailbox<Scheme, Standard<Block>>;

/// Prefix of everything validators sign. Its length is not that of any text that starts with the
/// domain tag of a signed record, so that no vote can be read as one (the engine puts it first).
const NAMESPACE: &[u8] = b"opensky-ledger-v1:";

pub(crate) fn namespace(sky: Hash) -> Vec<u8> {
    [NAMESPACE, sky.as_bytes()].concat()
}

pub(crate) fn digest_of(id: BlockId) -> Digest {
    blake3::Digest(*id.as_bytes())
}

pub(crate) fn id_of(digest: Digest) -> BlockId {
    BlockId::from_bytes(digest.0)
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.header().height)
    }
}

impl Digestible for Block {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        digest_of(self.id())
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> Digest {
        digest_of(self.header().parent)
    }
}

impl BoundedBlock for Block {
    fn max_encode_size(body_bytes_max: &usize) -> usize {
        4 + HEADER_BYTES_MAX + body_bytes_max
    }
}

impl Write for Block {
    fn write(&self, to: &mut impl BufMut) {
        let header = self.header().encode();
        u32::try_from(header.len()).expect("headers are small").write(to);
        to.put_slice(&header);
        to.put_slice(self.body());
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        4 + self.header().encode().len() + self.body().len()
    }
}

/// Read with the largest body in bytes that the sky allows. The same layout as [`Block::decode`].
impl Read for Block {
    type Cfg = usize;

    fn read_cfg(from: &mut impl Buf, body_bytes_max: &usize) -> Result<Self, Error> {
        let header_bytes = u32::read(from)? as usize;
        if header_bytes > HEADER_BYTES_MAX {
            return Err(Error::InvalidLength(header_bytes));
        }
        let header: Bytes = from.try_take_owned(header_bytes).map_err(|_| Error::EndOfBuffer)?;
        let header = Header::decode(&header).map_err(|_| Error::Invalid("opensky block", "header"))?;
        let body_bytes = header.body_bytes as usize;
        if body_bytes > (*body_bytes_max).min(BODY_BYTES_CEILING) {
            return Err(Error::InvalidLength(body_bytes));
        }
        let body: Bytes = from.try_take_owned(body_bytes).map_err(|_| Error::EndOfBuffer)?;
        Self::join(header, body, *body_bytes_max).map_err(|_| Error::Invalid("opensky block", "body"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ValidatorSet;
    use commonware_codec::{Decode, Encode};
    use opensky_types::Keypair;

    #[test]
    fn both_encodings_are_one() {
        let set = ValidatorSet::new([Keypair::from_seed([1; 32]).id()]).expect("one key");
        let block = Block::genesis(Hash::of(b"sky"), &set, 7, Hash::of(b"name"), Bytes::from_static(b"body"));
        let bytes = block.encode();
        assert_eq!(Encode::encode(&block).as_ref(), bytes);
        assert_eq!(bytes.len(), block.encode_size());
        assert!(bytes.len() <= Block::max_encode_size(&4));
        assert_eq!(Block::decode_cfg(Bytes::from(bytes.clone()), &4).ok(), Some(block));
        assert!(Block::decode_cfg(Bytes::from(bytes), &3).is_err());
    }
}
