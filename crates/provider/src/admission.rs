//! Whether terms are acceptable, and whether tasks under them are well formed.

use crate::{Config, gate::Gate};
use opensky_types::{
    Micros, NodeId,
    agreement::{Payment, Terms},
    engine::Engine,
    job::{FAN_IN_MAX, INLINE_BYTES_MAX, Program, STAGE_TASKS_MAX},
    reason::Misfit,
    resources::{Limit, TaskLimits},
    task::{Assignment, Content},
};

/// Longest item of a task, in bytes.
const ITEM_BYTES_MAX: usize = 4 * 1024;

/// Checks a proposal by `from` against what this node is and what its owner allows. Returns what would run
/// its tasks.
pub(crate) fn check_terms<'a>(
    config: &Config,
    gate: &Gate,
    engines: &'a [Engine],
    from: NodeId,
    terms: &Terms,
) -> Result<&'a Engine, Misfit> {
    let is_for_us = terms.sky == config.sky && terms.provider == config.node && terms.consumer == from;
    let program = &terms.program;
    let is_program =
        program.size_bytes <= config.size_bytes_max(program.level) && program.validate_needs().is_ok();
    if !is_for_us || terms.slots == 0 || !is_program {
        return Err(Misfit::Terms);
    }
    if gate.closed().is_some() {
        return Err(Misfit::Closed);
    }
    let engine = Engine::of(engines, terms.program.level).ok_or(Misfit::Level)?;
    check_needs(gate, engine, &terms.program)?;
    // Nobody pays itself.
    let price = if from == config.node { Micros::ZERO } else { gate.price(config) };
    if terms.price_per_gfuel != price {
        return Err(Misfit::Price);
    }
    if terms.payment.is_some() != (price > Micros::ZERO)
        || terms.payment.is_some_and(|payment| !is_acceptable(config, terms, &payment))
    {
        return Err(Misfit::Terms);
    }
    check_limits(&terms.limits, &gate.task_limits_max(&config.task_limits_max))?;
    Ok(engine)
}

/// Whether a program in a container finds what it needs, GPUs aside that other tasks have for a while.
pub(crate) fn check_needs(gate: &Gate, engine: &Engine, program: &Program) -> Result<(), Misfit> {
    gate.containers(engine).misfit(&program.needs, gate.gpus()).map_or(Ok(()), Err)
}

fn is_acceptable(config: &Config, terms: &Terms, payment: &Payment) -> bool {
    payment.escrow > Micros::ZERO
        && payment.expires_at > terms.made_at
        && payment.claim_window_ms <= config.claim_window_ms_max
}

/// The first limit that is above what is allowed, or of which nothing is asked for.
pub(crate) fn check_limits(asked: &TaskLimits, allowed: &TaskLimits) -> Result<(), Misfit> {
    let tests = [
        (Limit::Memory, asked.memory_bytes, 1, allowed.memory_bytes),
        (Limit::Fuel, asked.fuel, 1, allowed.fuel),
        (Limit::Time, asked.wall_ms, 1, allowed.wall_ms),
        (Limit::Scratch, asked.scratch_bytes, 0, allowed.scratch_bytes),
        (Limit::Output, asked.output_bytes, 0, allowed.output_bytes),
    ];
    let over = tests.iter().find(|(_, asked, least, most)| asked < least || asked > most);
    over.map_or(Ok(()), |(limit, ..)| Err(Misfit::TaskLimit(*limit)))
}

/// What an honest consumer never sends under these terms.
pub(crate) fn check_assignment(terms: &Terms, assignment: &Assignment) -> Result<(), &'static str> {
    let input = &assignment.input;
    if assignment.task.stage != terms.stage || assignment.task.index >= STAGE_TASKS_MAX {
        Err("assigned a task of another stage")
    } else if input.item.len() > ITEM_BYTES_MAX {
        Err("assigned a task with an oversized item")
    } else if input.stdin.len() > FAN_IN_MAX as usize {
        Err("assigned a task with too many inputs")
    } else if input.stdin.iter().any(is_oversized) {
        Err("assigned a task with an oversized inline input")
    } else {
        Ok(())
    }
}

fn is_oversized(content: &Content) -> bool {
    matches!(content, Content::Inline(bytes) if bytes.len() > INLINE_BYTES_MAX)
}
