//! Offers as the market takes them, many and cheap to make.

use crate::{chance::Chance, links::Links, sizes::usual_offer};
use opensky_types::{
    Keypair, Micros, NodeId, Signed, Timestamp, codec,
    job::Needs,
    offer::{Constraints, Demand, Offer},
    place::{Level, NodeKind},
    resources::TaskLimits,
};
use std::sync::OnceLock;

/// An offer of node `number`, the same machine for all. Its signature is none: the market checks no signatures, and
/// making 100,000 takes longer than all else here.
pub fn plain(
    number: u32,
    sequence: u64,
    made_at: Timestamp,
    expires_at: Timestamp,
) -> (Offer, Signed<Offer>) {
    static PATTERN: OnceLock<Offer> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| usual_offer(&Keypair::from_seed([1; 32]), 1));
    let offer = Offer { node: id(number), sequence, made_at, expires_at, ..pattern.clone() };
    let signed = unsigned(&offer);
    (offer, signed)
}

/// The offer in the form in which it is signed, with zeros for the signature.
pub fn unsigned(offer: &Offer) -> Signed<Offer> {
    let parts = (codec::encode(offer), offer.node, [0_u8; 64]);
    let bytes = codec::encode(&parts);
    codec::decode(&bytes, bytes.len()).expect("the layout of a signed value: bytes, signer, signature")
}

/// A name for node `number`. Nobody has its key.
pub fn id(number: u32) -> NodeId {
    let mut bytes = [0_u8; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    // Spread over the rest as a key's bytes are, since ties are broken by them.
    bytes[4..12].copy_from_slice(&crate::queue::mix(u64::from(number)).to_le_bytes());
    bytes.rotate_left(4);
    NodeId::from_public_key(bytes)
}

/// The number of the node that made an offer.
pub fn number_of(offer: &Offer) -> u32 {
    let bytes = offer.node.public_key();
    u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]])
}

/// Offers as owners might make them: prices around what the product proposes, machines of all speeds.
pub fn varied(count: usize, now: Timestamp, chance: &mut Chance) -> Vec<Offer> {
    let links = Links::draw(count, chance);
    let offers = (0..count as u32).map(|number| {
        let (mut offer, _) = plain(number, 1, now, now.plus_ms(90_000));
        offer.region = links.region(number);
        offer.hardware.cpu_cores = 1 << chance.below(7);
        offer.hardware.score_per_core = chance.log_normal(1_000.0, 0.4) as u32;
        offer.price_per_gfuel = Micros::new(chance.log_normal(100.0, 0.7) as u64);
        offer.slots_total = (offer.hardware.cpu_cores / 2).max(1);
        offer.slots_free = chance.below(usize::from(offer.slots_total) + 1) as u16;
        offer.kinds = vec![NodeKind::General, NodeKind::Wasm];
        offer
    });
    offers.collect()
}

/// What a usual job needs.
pub fn demand() -> Demand {
    Demand {
        level: Level::Function,
        limits: TaskLimits::default(),
        constraints: Constraints::default(),
        needs: Needs::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{number_of, plain};
    use opensky_types::Timestamp;

    #[test]
    fn t2_an_offer_names_its_node_and_its_maker() {
        let (offer, signed) = plain(70_000, 1, Timestamp::from_millis(1), Timestamp::from_millis(2));
        assert_eq!(number_of(&offer), 70_000);
        assert_eq!(signed.signer(), offer.node);
        assert_eq!(signed.decode_unverified().expect("it is an offer"), offer);
    }
}
