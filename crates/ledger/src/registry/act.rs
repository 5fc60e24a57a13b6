//! Registering a machine.

use super::{Found, Joined, Machine, MachineNumber, Registration, Triple, find, inherited};
use crate::{
    account::Account,
    apply::Context,
    bridge::{put_grown, supply},
    entry::Entry,
    event::Event,
    key::Key,
    purse::Purse,
    puzzle::{Difficulty, Puzzle},
    rejection::Rejection,
    view::View,
};
use opensky_types::{AccountId, Micros};
use std::convert::Infallible;

/// Registers the account with its machine. A new machine brings the starter grant, a known one the
/// debts of all accounts that it stood for.
pub(crate) fn register(
    view: &mut View<'_>,
    context: &Context,
    account: AccountId,
    registration: &Registration,
) -> Result<(), Rejection> {
    let Registration { fingerprint, is_virtual, ref solution } = *registration;
    let machines = machines(view);
    let difficulty = Difficulty::after(context.params.puzzle_bits, machines, is_virtual);
    Puzzle::new(&context.sky, &account, &fingerprint, difficulty).verify(solution)?;
    let owner_of = |triple: &Triple| Ok::<_, Infallible>(owner_of(view, triple));
    let Ok(found) = find(&fingerprint, owner_of);
    let (machine, debt, is_new) = match found {
        Found::New => {
            put_machine(view, machines, Machine::new(fingerprint, is_virtual, account, context.now));
            fingerprint.triples().for_each(|triple| add_triple(view, triple, machines));
            view.put(Key::Machines, Entry::Machines(machines + 1));
            grant(view, context, account)?;
            (machines, Micros::ZERO, true)
        }
        Found::Known(number) => (number, join(view, number, account, registration)?, false),
    };
    leave_other(view, account, machine);
    view.put(Key::MachineOf(account), Entry::MachineOf(machine));
    view.emit(Event::Registered { account, machine, is_new, debt });
    Ok(())
}

/// The machine that an account is registered with.
pub(crate) fn machine_of(view: &View<'_>, account: &AccountId) -> Option<MachineNumber> {
    match view.get(&Key::MachineOf(*account)) {
        Some(Entry::MachineOf(number)) => Some(*number),
        _ => None,
    }
}

fn join(
    view: &mut View<'_>,
    number: MachineNumber,
    account: AccountId,
    registration: &Registration,
) -> Result<Micros, Rejection> {
    let Some(mut machine) = read_machine(view, number) else { return Ok(Micros::ZERO) };
    let Joined { added, debtors, dropped } =
        machine.join(registration.fingerprint, registration.is_virtual, account);
    put_machine(view, number, machine);
    added.into_iter().for_each(|triple| add_triple(view, triple, number));
    if let Some(dropped) = dropped {
        view.remove(Key::MachineOf(dropped));
    }
    take_over(view, account, &debtors)
}

/// Moves the debts of `debtors` to `account`, which pays what it can at once.
fn take_over(view: &mut View<'_>, account: AccountId, debtors: &[AccountId]) -> Result<Micros, Rejection> {
    let mut debts = Vec::new();
    for debtor in debtors {
        if let Some(owing) = view.find_account(debtor).filter(|owing| owing.debt > Micros::ZERO) {
            debts.push(owing.debt);
            view.put_account(*debtor, Account { debt: Micros::ZERO, ..owing });
        }
    }
    let moved = inherited(Micros::ZERO, debts).ok_or(Rejection::Overflow)?;
    if moved == Micros::ZERO {
        return Ok(moved);
    }
    let own = view.account(&account)?;
    let debt = own.debt.checked_add(moved).ok_or(Rejection::Overflow)?;
    let owing = Account { debt, available: Purse::default(), ..own };
    let paid = owing.credited(own.available).ok_or(Rejection::BalanceOverflow { account })?;
    view.put_account(account, paid);
    Ok(moved)
}

/// The starter grant: it pays for work, but can't be transferred at first and never withdrawn.
fn grant(view: &mut View<'_>, context: &Context, account: AccountId) -> Result<(), Rejection> {
    let grant = context.params.grant;
    if grant.amount == Micros::ZERO || !context.params.economy {
        return Ok(());
    }
    let mut supply = supply(view);
    supply.granted += u128::from(grant.amount.get());
    put_grown(view, supply)?;
    view.credit(account, Purse::granted(grant.amount))?;
    let mut granted = view.account(&account)?;
    granted.grant_locked_until = context.now.plus_ms(grant.locked_ms);
    view.put_account(account, granted);
    Ok(())
}

/// An account is registered with one machine at a time.
fn leave_other(view: &mut View<'_>, account: AccountId, machine: MachineNumber) {
    let Some(before) = machine_of(view, &account).filter(|before| *before != machine) else { return };
    if let Some(mut other) = read_machine(view, before) {
        other.leave(&account);
        put_machine(view, before, other);
    }
}

/// What found a machine first finds it for ever.
fn add_triple(view: &mut View<'_>, triple: Triple, number: MachineNumber) {
    if owner_of(view, &triple).is_none() {
        view.put(Key::Triple(triple), Entry::Triple(number));
    }
}

fn owner_of(view: &View<'_>, triple: &Triple) -> Option<MachineNumber> {
    match view.get(&Key::Triple(*triple)) {
        Some(Entry::Triple(number)) => Some(*number),
        _ => None,
    }
}

fn machines(view: &View<'_>) -> MachineNumber {
    match view.get(&Key::Machines) {
        Some(Entry::Machines(count)) => *count,
        _ => 0,
    }
}

fn read_machine(view: &View<'_>, number: MachineNumber) -> Option<Machine> {
    match view.get(&Key::Machine(number)) {
        Some(Entry::Machine(machine)) => Some(machine.as_ref().clone()),
        _ => None,
    }
}

fn put_machine(view: &mut View<'_>, number: MachineNumber, machine: Machine) {
    view.put(Key::Machine(number), Entry::Machine(Box::new(machine)));
}
