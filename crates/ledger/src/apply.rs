//! One transaction on a view: what every transaction must fulfil, then the rules of its action.

use crate::{
    action::Action,
    authority, bridge,
    escrow::{claims, open, settle},
    keys, overdraft,
    params::Params,
    registry,
    rejection::Rejection,
    reputation, rules, stake,
    transaction::{Checked, Transaction},
    transfer, validators,
    view::View,
};
use opensky_types::{AccountId, Hash, PublicKey, Timestamp};

/// The newest version of the rules that this program knows.
pub const RULES: u32 = 1;

/// Where a transaction is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The sky.
    pub sky: Hash,
    /// The block's height.
    pub height: u64,
    /// The block's time.
    pub now: Timestamp,
    /// The version of the rules in force.
    pub rules: u32,
    /// The parameters in force.
    pub params: Params,
}

/// Who acts, for handlers.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The account.
    pub account: AccountId,
    /// The transaction's number.
    pub nonce: u64,
    /// Whose signatures the transaction carries.
    pub signers: &'a [PublicKey],
}

/// Applies a transaction whose signatures are checked. A rejected one leaves no trace.
pub fn apply(view: &mut View<'_>, context: &Context, checked: &Checked) -> Result<(), Rejection> {
    view.attempt(|view| {
        let transaction = &checked.transaction;
        check_signatures(context, checked)?;
        check_place(context, transaction)?;
        take_number(view, context, transaction)?;
        let Transaction { account, nonce, .. } = *transaction;
        let actor = Actor { account, nonce, signers: &checked.signers };
        authority::authorise(view, context, &actor, &transaction.action)?;
        let told = view.told();
        act(view, context, &actor, &transaction.action)?;
        reputation::count_paid(view, context, told);
        Ok(())
    })
}

/// One that no block has room for is refused, so that no proposer waits for a block in which it fits.
fn check_signatures(context: &Context, checked: &Checked) -> Result<(), Rejection> {
    let (count, limit) = (checked.signature_cost(), context.params.signatures_max);
    if count > limit { Err(Rejection::TooManySignatures { count, limit }) } else { Ok(()) }
}

pub(crate) fn check_place(context: &Context, transaction: &Transaction) -> Result<(), Rejection> {
    let Transaction { sky, rules, valid_until, .. } = *transaction;
    if sky != context.sky {
        return Err(Rejection::OtherSky { expected: context.sky, found: sky });
    }
    if rules != context.rules {
        return Err(Rejection::OtherRules { expected: context.rules, found: rules });
    }
    if valid_until < context.now {
        return Err(Rejection::Expired { valid_until, now: context.now });
    }
    let latest = context.now.plus_ms(context.params.validity_ms_max);
    if valid_until > latest {
        return Err(Rejection::ValidTooLong { valid_until, latest });
    }
    Ok(())
}

/// Checks and uses up the account's next number, so that nothing counts twice. What the account owes is
/// paid before it does anything else.
fn take_number(view: &mut View<'_>, context: &Context, transaction: &Transaction) -> Result<(), Rejection> {
    let id = transaction.account;
    // Whoever solves the puzzle begins an account by it, as others do by their first income.
    let registers = matches!(transaction.action, Action::RegisterMachine(_));
    let may_begin = registers || context.params.new_account_min.get() == 0;
    let mut account = match view.find_account(&id) {
        None if may_begin => crate::account::Account::default(),
        found => found.ok_or(Rejection::NoAccount { account: id })?,
    };
    if transaction.nonce != account.nonce {
        return Err(Rejection::Nonce { expected: account.nonce, found: transaction.nonce });
    }
    account.nonce = account.nonce.checked_add(1).ok_or(Rejection::Overflow)?;
    view.put_account(id, account);
    view.repay(id, account)
}

/// Every action and its rules.
fn act(view: &mut View<'_>, context: &Context, actor: &Actor<'_>, action: &Action) -> Result<(), Rejection> {
    let account = actor.account;
    match action {
        Action::Transfer { to, amount, .. } => transfer::transfer(view, context, account, *to, *amount),
        Action::RotateKeys { keys } => keys::rotate(view, actor, keys),
        Action::Delegate { key, session } => keys::delegate(view, context, account, *key, *session),
        Action::RevokeSession { key } => keys::revoke(view, account, *key),
        Action::LinkOwner { owner } => keys::link_owner(view, actor, *owner),
        Action::UnlinkOwner => keys::unlink_owner(view, account),
        Action::OpenEscrow(opening) => open::open(view, context, actor, opening),
        Action::TopUp { agreement, amount } => open::top_up(view, context, account, *agreement, *amount),
        Action::Pay { items } => settle::pay(view, account, items),
        Action::Claim { items } => claims::claim(view, context, account, items),
        Action::Object { agreement, sequence, owed } => {
            claims::object(view, context, account, *agreement, *sequence, *owed)
        }
        Action::CloseEscrow { agreement } => open::close(view, context, account, *agreement),
        Action::BeginCharge { request, provider, limit } => {
            overdraft::begin(view, context, account, *request, *provider, *limit)
        }
        Action::CompleteCharge { consumer, request, cost } => {
            overdraft::complete(view, account, *consumer, *request, *cost)
        }
        Action::Withdraw { chain, address, amount } => {
            bridge::withdraw(view, context, account, *chain, *address, *amount)
        }
        Action::Deposit { chain, id, to, amount } => {
            bridge::deposit(view, context, actor, (*chain, *id), *to, *amount)
        }
        Action::Stake { amount } => stake::stake(view, account, *amount),
        Action::Unstake { amount } => stake::unstake(view, context, account, *amount),
        Action::RegisterMachine(registration) => registry::register(view, context, account, registration),
        Action::ReportOnline(report) => reputation::report_online(view, context, actor, report),
        Action::AuditReport(report) => reputation::report_audit(view, context, actor, report),
        Action::ValidatorAdd(candidate) => validators::add(view, context, actor, *candidate),
        Action::ValidatorRemove { account: removed } => validators::remove(view, context, account, removed),
        Action::ScheduleRules { version, height } => rules::schedule(view, context, actor, *version, *height),
        Action::CallOffRules => rules::call_off(view, context, actor),
        Action::SetCheckpointKey { key } => validators::set_checkpoint_key(view, actor, *key),
    }
}
