//! Registering a machine.

use super::{Found, Machine, MachineNumber, Registration, Triple, find};
use crate::{
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

/// Registers the account with its machine. A new machine brings the starter grant.
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
    let (machine, is_new) = match found {
        Found::New => {
            put_machine(view, machines, Machine::new(fingerprint, is_virtual, account, context.now));
            fingerprint.triples().for_each(|triple| add_triple(view, triple, machines));
            view.put(Key::Machines, Entry::Machines(machines + 1));
            grant(view, context, account)?;
            (machines, true)
        }
        Found::Known(number) => {
            join(view, number, account, registration)?;
            (number, false)
        }
    };
    leave_other(view, account, machine)?;
    view.put(Key::MachineOf(account), Entry::MachineOf(machine));
    view.emit(Event::Registered { account, machine, is_new });
    Ok(())
}

/// The machine that an account is registered with.
pub(crate) fn machine_of(view: &View<'_>, account: &AccountId) -> Option<MachineNumber> {
    match view.get(&Key::MachineOf(*account)) {
        Some(Entry::MachineOf(number)) => Some(*number),
        _ => None,
    }
}

/// Another account of the same machine that owes something, and how much.
pub(crate) fn debtor_beside(view: &View<'_>, account: &AccountId) -> Option<(AccountId, Micros)> {
    let machine = read_machine(view, machine_of(view, account)?)?;
    let debt_of = |id: &AccountId| Some((*id, view.find_account(id)?.debt?.amount));
    machine.accounts.iter().filter(|one| *one != account).find_map(debt_of)
}

fn join(
    view: &mut View<'_>,
    number: MachineNumber,
    account: AccountId,
    registration: &Registration,
) -> Result<(), Rejection> {
    let Some(mut machine) = read_machine(view, number) else { return Ok(()) };
    let added = machine.join(registration.fingerprint, registration.is_virtual, account)?;
    put_machine(view, number, machine);
    added.into_iter().for_each(|triple| add_triple(view, triple, number));
    Ok(())
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

/// An account is registered with one machine at a time, and leaves none while it owes something.
fn leave_other(view: &mut View<'_>, account: AccountId, machine: MachineNumber) -> Result<(), Rejection> {
    let Some(before) = machine_of(view, &account).filter(|before| *before != machine) else { return Ok(()) };
    let debt = view.account(&account)?.owes();
    if debt > Micros::ZERO {
        return Err(Rejection::InDebt { debt });
    }
    if let Some(mut other) = read_machine(view, before) {
        other.leave(&account);
        put_machine(view, before, other);
    }
    Ok(())
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
