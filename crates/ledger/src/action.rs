//! What a transaction can do. One file per group holds the rules; [`crate::apply`] names them all.

use crate::{
    account::{KeySet, Session},
    escrow::{ClaimItem, Opening, PayItem},
    evm::Address,
    memo::Memo,
    registry::Registration,
    reputation::{AuditReport, OnlineReport},
    rules::RulesVersion,
    validators::Candidate,
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, AgreementId, Hash, Micros, PublicKey};

/// An action of an account. Numbers are part of the format; new ones go to the end.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Action {
    /// Gives money away.
    Transfer { to: AccountId, amount: Micros, memo: Memo } = 0,
    /// Takes other keys; each new key signs too.
    RotateKeys { keys: KeySet } = 1,
    /// Lets a device act, within limits.
    Delegate { key: PublicKey, session: Session } = 2,
    /// Ends a device's right.
    RevokeSession { key: PublicKey } = 3,
    /// Names the account that owns this one; the owner signs too.
    LinkOwner { owner: AccountId } = 4,
    /// Owns itself again.
    UnlinkOwner = 5,
    /// Puts money aside for work under an agreement.
    OpenEscrow(Opening) = 6,
    /// Puts more aside.
    TopUp { agreement: AgreementId, amount: Micros } = 7,
    /// The consumer pays for work, under any number of agreements.
    Pay { items: Vec<PayItem> } = 8,
    /// The provider asks for what it is owed, under any number of agreements.
    Claim { items: Vec<ClaimItem> } = 9,
    /// The consumer says what it really owes, in answer to a claim.
    Object { agreement: AgreementId, sequence: u64, owed: Micros } = 10,
    /// The provider needs no more: the rest goes back.
    CloseEscrow { agreement: AgreementId } = 11,
    /// Begins an inference request that may be paid by an overdraft.
    BeginCharge { request: Hash, provider: AccountId, limit: Micros } = 12,
    /// The provider says what the request cost, within the limit.
    CompleteCharge { consumer: AccountId, request: Hash, cost: Micros } = 13,
    /// Takes money out to an address of a public chain.
    Withdraw { chain: u64, address: Address, amount: Micros } = 14,
    /// Credits money that came in on a public chain; a quorum of validators signs.
    Deposit { chain: u64, id: Hash, to: AccountId, amount: Micros } = 15,
    /// Puts money at stake.
    Stake { amount: Micros } = 16,
    /// Sends stake on its way out.
    Unstake { amount: Micros } = 17,
    /// Registers the account's machine, and begins the account if need be.
    RegisterMachine(Registration) = 18,
    /// The account was online all day; members who saw it sign too.
    ReportOnline(OnlineReport) = 19,
    /// The consumer says what an audit found; where it found a fault, those who repeated the work sign too.
    AuditReport(AuditReport) = 20,
    /// Adds a candidate for validator; its voting key signs too.
    ValidatorAdd(Candidate) = 21,
    /// Removes one.
    ValidatorRemove { account: AccountId } = 22,
    /// Switches to other rules at a height. In a sky without an authority a quorum of validators signs.
    ScheduleRules { version: RulesVersion, height: u64 } = 23,
    /// Calls off the switch of rules to come; signed likewise.
    CallOffRules = 24,
    /// A candidate for validator names the key that it signs checkpoints with, from its next epoch on;
    /// that key signs too.
    SetCheckpointKey { key: Address } = 25,
}

impl Action {
    /// The number of this kind of action: the bit that stands for it in the scope of a session.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Transfer { .. } => 0,
            Self::RotateKeys { .. } => 1,
            Self::Delegate { .. } => 2,
            Self::RevokeSession { .. } => 3,
            Self::LinkOwner { .. } => 4,
            Self::UnlinkOwner => 5,
            Self::OpenEscrow(_) => 6,
            Self::TopUp { .. } => 7,
            Self::Pay { .. } => 8,
            Self::Claim { .. } => 9,
            Self::Object { .. } => 10,
            Self::CloseEscrow { .. } => 11,
            Self::BeginCharge { .. } => 12,
            Self::CompleteCharge { .. } => 13,
            Self::Withdraw { .. } => 14,
            Self::Deposit { .. } => 15,
            Self::Stake { .. } => 16,
            Self::Unstake { .. } => 17,
            Self::RegisterMachine(_) => 18,
            Self::ReportOnline(_) => 19,
            Self::AuditReport(_) => 20,
            Self::ValidatorAdd(_) => 21,
            Self::ValidatorRemove { .. } => 22,
            Self::ScheduleRules { .. } => 23,
            Self::CallOffRules => 24,
            Self::SetCheckpointKey { .. } => 25,
        }
    }

    /// The action in words, as a wallet shows it before it signs.
    pub fn describe(&self) -> String {
        match self {
            Self::Transfer { to, amount, memo } if memo.is_empty() => format!("Transfer {amount} to {to}"),
            Self::Transfer { to, amount, memo } => format!("Transfer {amount} to {to} ({memo})"),
            Self::RotateKeys { keys } => {
                let list: Vec<String> = keys.keys.iter().map(ToString::to_string).collect();
                format!("Change keys: {} of {}", keys.threshold, list.join(", "))
            }
            Self::Delegate { key, session } => format!(
                "Let {key} spend {} and do actions {:#x} until {}",
                session.left,
                session.scope,
                session.expires_at.as_millis()
            ),
            Self::RevokeSession { key } => format!("End the rights of {key}"),
            Self::LinkOwner { owner } => format!("Make {owner} the owner"),
            Self::UnlinkOwner => "Have no owner".to_owned(),
            Self::OpenEscrow(opening) => format!(
                "Put {} aside for work of {} under terms {}, paid by vouchers of {}",
                opening.amount, opening.provider, opening.terms, opening.voucher_key
            ),
            Self::TopUp { agreement, amount } => format!("Put {amount} more aside for agreement {agreement}"),
            Self::Pay { items } => format!("Pay for work under {} agreements", items.len()),
            Self::Claim { items } => format!("Claim payment under {} agreements", items.len()),
            Self::Object { agreement, owed, .. } => {
                format!("Owe no more than {owed} under agreement {agreement}")
            }
            Self::CloseEscrow { agreement } => format!("Close the escrow of agreement {agreement}"),
            Self::BeginCharge { request, provider, limit } => {
                format!("Begin request {request} at {provider}, for {limit} at most")
            }
            Self::CompleteCharge { consumer, request, cost } => {
                format!("Request {request} of {consumer} cost {cost}")
            }
            Self::Withdraw { chain, address, amount } => {
                format!("Withdraw {amount} to {address} on chain {chain}")
            }
            Self::Deposit { chain, id, to, amount } => {
                format!("Credit {amount} to {to} for deposit {id} on chain {chain}")
            }
            Self::Stake { amount } => format!("Put {amount} at stake"),
            Self::Unstake { amount } => format!("Take {amount} out of stake"),
            Self::RegisterMachine(registration) => format!("Register machine {}", registration.fingerprint),
            Self::ReportOnline(report) => format!("Report online on day {}", report.day),
            Self::AuditReport(report) => {
                format!("Report that the audit of {} {}", report.receipt, report.verdict.as_str())
            }
            Self::ValidatorAdd(candidate) => {
                format!("Let {} validate with {}", candidate.account, candidate.node)
            }
            Self::ValidatorRemove { account } => format!("Let {account} validate no longer"),
            Self::ScheduleRules { version, height } => {
                format!("Switch to rules {} at height {height}", version.get())
            }
            Self::CallOffRules => "Call off the switch of rules".to_owned(),
            Self::SetCheckpointKey { key } => format!("Sign checkpoints with {key}"),
        }
    }
}
