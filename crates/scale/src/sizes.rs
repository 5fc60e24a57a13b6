//! Sizes on the wire, in bytes of streams: what libp2p hands to a connection, without packet headers. That is how the
//! product's own figures of traffic count (`docs/benchmarks.md`).

use opensky_ledger::{
    action::Action,
    approval::Approval,
    escrow::{ClaimItem, Opening, PayItem},
    tab::Voucher,
    transaction::Transaction,
};
use opensky_types::{
    AccountId, AgreementId, Hash, Keypair, Micros, PublicKey, Signed, Timestamp, codec,
    offer::{ContainerOffer, Offer},
    place::{Level, NodeKind, Region},
    resources::{HardwareProfile, TaskLimits},
};

/// The name of one protocol before the first bytes of a stream: multistream-select and `/opensky/kad/1/` with the
/// sky, each with a length and a line end.
const NEGOTIATION: u64 = 20 + 29;
/// A peer in an answer: its id, two addresses each for IPv4 and IPv6, and how it is connected.
const KAD_PEER: u64 = 40 + (13 + 10 + 25 + 22) + 4;
/// A request for the nodes near a key.
pub const KAD_REQUEST: u64 = NEGOTIATION + 1 + 2 + 36;
/// A record that says who provides a key.
pub const ADD_PROVIDER: u64 = KAD_REQUEST + KAD_PEER;
/// A ping and the answer to one, which both sides of a connection send once each interval.
pub const PING_BOTH: u64 = 2 * 32;
/// gossipsub's envelope: the author, a sequence number, the topic, a signature and the frame.
const GOSSIP_ENVELOPE: u64 = 40 + 10 + 24 + 66 + 6;
/// The name of a message in IHAVE and IWANT.
pub const MESSAGE_ID: u64 = 2 + crate::params::MESSAGE_ID_BYTES;
/// An IHAVE or IWANT around the names.
pub const GOSSIP_CONTROL: u64 = 6 + 24;
/// GRAFT or PRUNE.
pub const GRAFT: u64 = 32;
/// Connecting to a member: TLS 1.3 of QUIC with libp2p's certificate, identification both ways, one knock.
pub const MEETING: u64 = 4_500;

/// An answer with so many peers.
pub const fn kad_answer(peers: usize) -> u64 {
    NEGOTIATION + 4 + peers as u64 * KAD_PEER
}

/// A gossiped message around so many bytes.
pub const fn gossiped(bytes: u64) -> u64 {
    bytes + GOSSIP_ENVELOPE
}

/// An offer as a usual machine makes it.
pub fn usual_offer(key: &Keypair, number: u64) -> Offer {
    let now = Timestamp::from_millis(1_767_225_600_000);
    Offer {
        node: key.id(),
        sequence: number,
        made_at: now,
        expires_at: now.plus_ms(90_000),
        region: Region::Europe,
        kinds: vec![NodeKind::General, NodeKind::Wasm],
        levels: vec![Level::Function, Level::Vm],
        hardware: HardwareProfile {
            cpu_model: "AMD EPYC 7763 64-Core Processor".into(),
            cpu_arch: "x86_64".into(),
            cpu_cores: 16,
            memory_bytes: 64 << 30,
            disk_free_bytes: 500 << 30,
            disk_write_mb_s: 900,
            gpus: Vec::new(),
            score_per_core: 1_000,
        },
        slots_total: 8,
        slots_free: 8,
        task_limits_max: TaskLimits::default(),
        engine: "wasmtime 48.0.8".into(),
        price_per_gfuel: Micros::new(100),
        note: String::new(),
        containers: ContainerOffer::default(),
    }
}

/// The signed and encoded size of a usual offer.
pub fn offer() -> u64 {
    let key = Keypair::from_seed([1; 32]);
    codec::encode(&Signed::sign(&usual_offer(&key, 1), &key)).len() as u64
}

/// Sizes of what settles work, signed and encoded by the ledger's own code.
#[derive(Debug, Clone, Copy)]
pub struct Settlement {
    /// Opens the escrow of one agreement.
    pub open: u64,
    /// Claims under one agreement, with its voucher.
    pub claim: u64,
    /// Each further agreement of a claim.
    pub claim_more: u64,
    /// A voucher, on the work stream.
    pub voucher: u64,
}

/// Encodes one of each and measures it.
pub fn settlement() -> Settlement {
    let key = Keypair::from_seed([1; 32]);
    let account = AccountId::of_node(key.id());
    let sky = Hash::of(b"a sky");
    let owed = PayItem {
        agreement: AgreementId::from_hash(Hash::of(b"an agreement")),
        cumulative: Micros::new(1_000_000),
        receipts: Hash::of(b"receipts"),
    };
    let voucher = Voucher::sign(sky, &key, account, owed);
    let item = ClaimItem { owed, count: 100, sequence: 1, is_last: true, voucher: Some(voucher.approval) };
    let opening = Opening {
        terms: Hash::of(b"terms"),
        provider: account,
        voucher_key: PublicKey::of_node(key.id()),
        amount: Micros::new(1_000_000),
        expires_at: Timestamp::from_millis(1),
        claim_window_ms: 600_000,
    };
    let size = |action| {
        let transaction =
            Transaction { sky, rules: 1, account, nonce: 1, valid_until: Timestamp::from_millis(1), action };
        let approval = Approval::sign(&key, &transaction);
        codec::encode(&transaction.signed(vec![approval])).len() as u64
    };
    let claim = size(Action::Claim { items: vec![item.clone()] });
    Settlement {
        open: size(Action::OpenEscrow(opening)),
        claim,
        claim_more: size(Action::Claim { items: vec![item.clone(), item] }) - claim,
        voucher: codec::encode(&voucher.approval).len() as u64 + 32 + 8 + 32,
    }
}

/// A block without transactions, with what proves it, under so many validators: the two headers, and a certificate
/// of two thirds of their signatures (`consensus/src/certificate.rs`).
pub const fn empty_block(validators: u64) -> u64 {
    let quorum = validators - (validators - 1) / 3;
    256 + 190 + 60 + 66 * quorum
}

#[cfg(test)]
mod tests {
    use super::{kad_answer, offer, settlement};

    #[test]
    fn t2_sizes_are_those_of_real_encodings() {
        assert!((250..700).contains(&offer()), "{}", offer());
        let sizes = settlement();
        assert!(sizes.claim > sizes.claim_more && sizes.claim_more > 100, "{sizes:?}");
        assert!(sizes.open > 200, "{sizes:?}");
        assert!(kad_answer(20) > 2_000);
    }
}
