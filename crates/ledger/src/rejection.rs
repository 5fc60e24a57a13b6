//! Why a transaction does not apply: a value, never a panic.

use crate::{
    puzzle::PuzzleError, registry::MachineFull, rules::RulesError, stake::StakeError, validators::RosterError,
};
use opensky_types::{AccountId, AgreementId, Hash, Micros, PublicKey, Timestamp};

/// The ledger's "no". Nothing has changed when it is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Made for another sky.
    #[error("the transaction is for sky {found}, this is {expected}")]
    OtherSky { expected: Hash, found: Hash },
    /// Made for other rules.
    #[error("the transaction is for version {found} of the rules; {expected} is in force")]
    OtherRules { expected: u32, found: u32 },
    /// Already included, or one before it is missing.
    #[error("the transaction has number {found}, but the account's next is {expected}")]
    Nonce { expected: u64, found: u64 },
    /// Too late.
    #[error("the transaction was valid until {valid_until:?}; it is {now:?}")]
    Expired { valid_until: Timestamp, now: Timestamp },
    /// Valid for too long ahead.
    #[error("the transaction is valid until {valid_until:?}; {latest:?} is the latest allowed")]
    ValidTooLong { valid_until: Timestamp, latest: Timestamp },
    /// The keys that signed may not act for the account.
    #[error("the keys that signed may not act for {account}")]
    NotAuthorised { account: AccountId },
    /// A signature that nothing asks for.
    #[error("the signature of {key} is not needed")]
    UnneededSignature { key: PublicKey },
    /// A new key must show that it can sign.
    #[error("the new key {key} has not signed")]
    NewKeyUnsigned { key: PublicKey },
    /// Too few of the validators signed.
    #[error("{signed} of {validators} validators signed; more than two thirds must")]
    NoQuorum { signed: usize, validators: usize },
    /// No such account.
    #[error("account {account} does not exist; it begins with its first income")]
    NoAccount { account: AccountId },
    /// Less money than needed.
    #[error("{available} available, {needed} needed")]
    TooLittle { available: Micros, needed: Micros },
    /// Granted money that may not be transferred or withdrawn.
    #[error("{free} may be moved, {needed} needed; granted money stays until {until:?}")]
    Granted { free: Micros, needed: Micros, until: Timestamp },
    /// Too small to be worth its place in the state.
    #[error("{amount} is too little; {at_least} is the least")]
    Dust { amount: Micros, at_least: Micros },
    /// No more withdrawals to new addresses: a block must be able to sum all of them up.
    #[error(
        "there are {count} sums of withdrawals, no more are taken; what goes to a known address still is"
    )]
    TooManyWithdrawals { count: u32 },
    /// An amount where the sky has no prices.
    #[error("this sky has no prices")]
    NoEconomy,
    /// Nobody pays itself.
    #[error("an account cannot deal with itself")]
    WithItself,
    /// More than an account can hold.
    #[error("the balance of {account} would not fit in 64 bits")]
    BalanceOverflow { account: AccountId },
    /// A sum in the transaction does not fit.
    #[error("a sum that does not fit in 64 bits")]
    Overflow,
    /// Keys out of order, doubled, too many, or a threshold nobody can meet.
    #[error("not a sound set of keys: in order, each once, and a threshold they can meet")]
    UnsoundKeys,
    /// A session with rights that only an account's own keys have.
    #[error("a session may not do actions {scope:#x}")]
    Scope { scope: u64 },
    /// Too many sessions.
    #[error("the account has {count} sessions already; revoke one first")]
    TooManySessions { count: usize },
    /// No such session.
    #[error("{key} has no session")]
    NoSession { key: PublicKey },
    /// More than the session may move.
    #[error("the session may still move {left}, {needed} needed")]
    SessionSpent { left: Micros, needed: Micros },
    /// The account has no owner.
    #[error("the account has no owner")]
    NoOwner,
    /// More signatures than a block may have, by what checking them costs.
    #[error("signatures that count as {count}; {limit} at most")]
    TooManySignatures { count: u32, limit: u32 },
    /// A list of none, or of too many.
    #[error("{count} items; one to {limit}")]
    Items { count: usize, limit: usize },
    /// No such escrow, or closed already.
    #[error("agreement {agreement} has no open escrow")]
    NoEscrow { agreement: AgreementId },
    /// A time that the parameters do not allow.
    #[error("{ms} ms; {at_least_ms} to {at_most_ms} are allowed")]
    Period { ms: u64, at_least_ms: u64, at_most_ms: u64 },
    /// Not a party of the agreement in this role.
    #[error("{account} is not the party of agreement {agreement} that may do this")]
    NotParty { account: AccountId, agreement: AgreementId },
    /// The escrow's time is over.
    #[error("the escrow of agreement {agreement} ended at {ended:?}")]
    EscrowOver { agreement: AgreementId, ended: Timestamp },
    /// Paid already.
    #[error("agreement {agreement}: {paid} is paid already, so {cumulative} in all adds nothing")]
    NothingNew { agreement: AgreementId, paid: Micros, cumulative: Micros },
    /// The escrow is empty: a top-up has to come first.
    #[error("the escrow of agreement {agreement} is empty")]
    EscrowEmpty { agreement: AgreementId },
    /// An older or repeated claim.
    #[error("claim {found} of agreement {agreement} comes after {last}")]
    StaleClaim { agreement: AgreementId, last: u64, found: u64 },
    /// One claim waits at a time.
    #[error("a claim of agreement {agreement} waits until {until:?}")]
    ClaimWaits { agreement: AgreementId, until: Timestamp },
    /// No claim of this number waits.
    #[error("no claim {sequence} of agreement {agreement} waits")]
    NoClaim { agreement: AgreementId, sequence: u64 },
    /// An objection must lower the claim.
    #[error("the claim of {claimed} is not lowered by owing {owed}")]
    NoObjection { claimed: Micros, owed: Micros },
    /// The provider has claimed nothing yet, so nobody knows that it agreed.
    #[error("the provider of agreement {agreement} has not taken part in it")]
    NotAccepted { agreement: AgreementId },
    /// A voucher that the key named by its escrow did not sign.
    #[error("the voucher for agreement {agreement} is not signed by the key that its escrow names")]
    BadVoucher { agreement: AgreementId },
    /// Below zero, nothing new can begin.
    #[error("the account owes {debt}; pay it first")]
    InDebt { debt: Micros },
    /// Another account of the same machine is below zero.
    #[error("{account}, of the same machine, owes {debt}; that has to be paid first")]
    MachineInDebt { account: AccountId, debt: Micros },
    /// The machine has all the accounts that it may.
    #[error(transparent)]
    MachineFull(#[from] MachineFull),
    /// One request at a time may end in an overdraft.
    #[error("request {request} is open already")]
    ChargeOpen { request: Hash },
    /// No such request, or it took too long.
    #[error("request {request} is not open")]
    NoCharge { request: Hash },
    /// A request for more than is allowed.
    #[error("{amount} for one request; {limit} at most")]
    ChargeTooHigh { amount: Micros, limit: Micros },
    /// Credited already.
    #[error("deposit {id} on chain {chain} is credited already")]
    DepositKnown { chain: u64, id: Hash },
    /// Stake was not moved.
    #[error(transparent)]
    Stake(#[from] StakeError),
    /// The puzzle of a registration is not solved.
    #[error(transparent)]
    Puzzle(#[from] PuzzleError),
    /// The validators were not changed.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The rules were not changed.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The account may not decide this in a sky that has an authority.
    #[error("{account} is not the authority of this sky")]
    NotAuthority { account: AccountId },
    /// A validator's key must show that it can sign.
    #[error("the voting key {key} has not signed")]
    VotingKeyUnsigned { key: PublicKey },
    /// Witnesses are as many as the parameters say, in order, each once.
    #[error("{count} witnesses; {needed} are needed, in order, each once")]
    Witnesses { count: usize, needed: u8 },
    /// Only established members and validators testify.
    #[error("{account} can't testify: it is no validator and not established, or frozen, or has no machine")]
    UnfitWitness { account: AccountId },
    /// A witness must not belong to the one it speaks for, nor to another witness.
    #[error("{account} belongs to {to}, or shares its machine or owner")]
    RelatedWitness { account: AccountId, to: AccountId },
    /// Who cheated gets no work: for a while, or never again.
    #[error("{account} may take no work: it cheated")]
    Frozen { account: AccountId },
    /// A report of another day.
    #[error("a report of day {found}; it is day {today}")]
    OtherDay { today: u64, found: u64 },
    /// The fault is punished already.
    #[error("the fault {fault} of {account} is punished already")]
    PunishedAlready { account: AccountId, fault: Hash },
    /// The state names no validators at all.
    #[error("the state names no validators")]
    NoValidators,
    /// Not a validator in that epoch, or too long ago.
    #[error("nobody votes with key {key} in epoch {epoch}, or it is too long ago")]
    NoVoter { key: PublicKey, epoch: u64 },
    /// Evidence that is longer than any.
    #[error("evidence of {size_bytes} bytes; {} at most", crate::fact::EVIDENCE_BYTES_MAX)]
    Evidence { size_bytes: usize },
    /// Money would come out of nothing or vanish: a fault of the rules, which this stops.
    #[error("the transaction would make {delta} micros")]
    NotConserved { delta: i128 },
}
