//! The validators of an epoch.

use borsh::{BorshDeserialize, BorshSerialize};
use commonware_codec::{Copying, DecodeExt};
use commonware_cryptography::ed25519::PublicKey;
use commonware_utils::{TryCollect, ordered::Set};
use opensky_types::{Hash, NodeId};

/// How many validators a sky may have at once.
pub const VALIDATORS_MAX: usize = 64;

/// Context of the hash of a set; no other hash uses it.
const SET_CONTEXT: &str = "opensky 2026 validator set v1";

/// Why keys are not a validator set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// There must be someone to vote.
    #[error("a validator set can't be empty")]
    Empty,
    /// Certificates and votes grow with the set.
    #[error("{count} validators, at most {max} are allowed")]
    TooMany {
        /// Keys given.
        count: usize,
        /// Keys allowed.
        max: usize,
    },
    /// A validator has one vote.
    #[error("validator {0} is named twice")]
    Twice(NodeId),
    /// The key could never sign.
    #[error("{0} is not an ed25519 key")]
    NoKey(NodeId),
}

/// Who votes in an epoch, in the order of their keys: at least one, at most [`VALIDATORS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize)]
pub struct ValidatorSet {
    members: Vec<NodeId>,
}

impl ValidatorSet {
    /// The set of these keys, in whatever order they come.
    pub fn new(members: impl IntoIterator<Item = NodeId>) -> Result<Self, SetError> {
        // One more than allowed is enough to know that there are too many.
        let mut members: Vec<NodeId> = members.into_iter().take(VALIDATORS_MAX + 1).collect();
        members.sort_unstable();
        Self::from_sorted(members)
    }

    fn from_sorted(members: Vec<NodeId>) -> Result<Self, SetError> {
        if members.is_empty() {
            return Err(SetError::Empty);
        }
        if members.len() > VALIDATORS_MAX {
            return Err(SetError::TooMany { count: members.len(), max: VALIDATORS_MAX });
        }
        if let Some(pair) = members.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(SetError::Twice(pair[0]));
        }
        match members.iter().find(|member| engine_key(**member).is_none()) {
            Some(member) => Err(SetError::NoKey(*member)),
            None => Ok(Self { members }),
        }
    }

    /// The validators, by key.
    pub fn members(&self) -> &[NodeId] {
        &self.members
    }

    /// Whether `node` votes in this set.
    pub fn contains(&self, node: NodeId) -> bool {
        self.members.binary_search(&node).is_ok()
    }

    /// Votes that make a certificate: more than two thirds.
    pub fn quorum(&self) -> usize {
        self.members.len() - (self.members.len() - 1) / 3
    }

    /// The hash that block headers name the set by.
    pub fn hash(&self) -> Hash {
        Hash::of_value(SET_CONTEXT, self)
    }

    /// The keys as the engine takes them; it numbers validators in the same order.
    pub(crate) fn engine_keys(&self) -> Set<PublicKey> {
        let keys =
            self.members.iter().map(|member| engine_key(*member).expect("checked when the set was made"));
        keys.try_collect().expect("members are distinct")
    }
}

impl BorshDeserialize for ValidatorSet {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let invalid = |problem: String| std::io::Error::new(std::io::ErrorKind::InvalidData, problem);
        // The count is read apart, so that a hostile one is refused before anything is allocated for it.
        let count = u32::deserialize_reader(reader)? as usize;
        if count > VALIDATORS_MAX {
            return Err(invalid(SetError::TooMany { count, max: VALIDATORS_MAX }.to_string()));
        }
        let members =
            (0..count).map(|_| NodeId::deserialize_reader(reader)).collect::<Result<Vec<_>, _>>()?;
        if !members.is_sorted() {
            return Err(invalid("validators out of order".to_owned()));
        }
        Self::from_sorted(members).map_err(|error| invalid(error.to_string()))
    }
}

/// A node's key as the engine takes it; none if the bytes are no point on the curve.
pub(crate) fn engine_key(node: NodeId) -> Option<PublicKey> {
    PublicKey::decode(Copying(&node.public_key()[..])).ok()
}

/// The node of an engine's key.
pub(crate) fn node_of(key: &PublicKey) -> NodeId {
    let bytes: &[u8] = key.as_ref();
    NodeId::from_public_key(bytes.try_into().expect("ed25519 keys have 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_types::{Keypair, codec};

    fn nodes(count: usize) -> Vec<NodeId> {
        (0..count).map(|seed| Keypair::from_seed([seed as u8 + 1; 32]).id()).collect()
    }

    #[test]
    fn a_set_has_one_order_and_one_hash() {
        let forward = ValidatorSet::new(nodes(7)).expect("seven keys");
        let backward = ValidatorSet::new(nodes(7).into_iter().rev()).expect("seven keys");
        assert_eq!(forward.hash(), backward.hash());
        assert_ne!(forward.hash(), ValidatorSet::new(nodes(6)).expect("six keys").hash());
        let engine_order: Vec<NodeId> = forward.engine_keys().iter().map(node_of).collect();
        assert_eq!(engine_order, forward.members());
    }

    #[test]
    fn a_quorum_is_more_than_two_thirds() {
        let quorum = |count| ValidatorSet::new(nodes(count)).expect("a set").quorum();
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 10].map(quorum), [1, 2, 3, 3, 4, 5, 5, 7]);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        assert_eq!(ValidatorSet::new([]), Err(SetError::Empty));
        let twice = nodes(1)[0];
        assert_eq!(ValidatorSet::new([twice, twice]), Err(SetError::Twice(twice)));
        assert!(matches!(ValidatorSet::new(nodes(VALIDATORS_MAX + 1)), Err(SetError::TooMany { .. })));
        let no_point = (0..=255).map(|byte| NodeId::from_public_key([byte; 32]));
        let refused = no_point.map(|node| ValidatorSet::new([node])).filter(Result::is_err).count();
        assert!(refused > 50, "about half of all strings are no points: {refused}");
    }

    #[test]
    fn decoding_is_strict_and_capped() {
        let set = ValidatorSet::new(nodes(4)).expect("four keys");
        let bytes = codec::encode(&set);
        assert_eq!(codec::decode::<ValidatorSet>(&bytes, 4096), Ok(set.clone()));
        let mut swapped = bytes.clone();
        swapped[4..68].rotate_left(32);
        assert!(codec::decode::<ValidatorSet>(&swapped, 4096).is_err());
        let mut hostile = bytes;
        hostile[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(codec::decode::<ValidatorSet>(&hostile, 4096).is_err());
    }
}
