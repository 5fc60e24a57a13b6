//! How results are checked.

use crate::{
    file::{Checker, Resources, Stage, Tolerance as FileTolerance, Verify as FileVerify},
    plan::CheckPlan,
    values::At,
};
use opensky_textfile::{Fault, Span};
use opensky_types::{
    job::{CHECK_ARGS_BYTES_MAX, CHECK_WALL_MS_MAX, COMPARED_MAX, Real, Tolerance, Verify},
    resources::TaskLimits,
};

/// Limits of a checker's run, where the file says nothing.
const CHECKER_LIMITS: TaskLimits = TaskLimits {
    memory_bytes: 256 << 20,
    fuel: 10_000_000_000,
    wall_ms: 10_000,
    scratch_bytes: 256 << 20,
    output_bytes: 64 << 10,
};
/// Further replicas that ties may ask for, where the file says nothing.
const TIES_MAX: u8 = 3;

pub fn verify(
    given: Option<&At<FileVerify>>,
    stage: &Stage,
    deterministic: bool,
) -> Result<(Verify, Option<CheckPlan>), Fault> {
    let Some(At { span, value }) = given else { return Ok((Verify::None, None)) };
    let verify = match value {
        FileVerify::None => return Ok((Verify::None, None)),
        FileVerify::Checker(checker) => return check(*span, checker),
        FileVerify::Tolerance(given) => return tolerance(*span, given),
        FileVerify::Sample(share) => Verify::Sample { per_mille: share.0 as u16 },
        FileVerify::Quorum(quorum) => {
            let (agree, replicas, replicas_max) =
                counts(*span, (quorum.agree, quorum.replicas, quorum.replicas_max), 31)?;
            Verify::Quorum { agree, replicas, replicas_max }
        }
        FileVerify::Reputation => Verify::Reputation,
    };
    if deterministic {
        return Ok((verify, None));
    }
    let problem = "results are compared byte by byte, so 'verify' needs a deterministic program";
    Err(match &stage.deterministic {
        Some(at) => Fault::new(at.span, problem).with_hint(
            "remove 'deterministic = false', set verify = \"none\" for this stage, or let a 'checker' or a \
             'tolerance' decide",
        ),
        None => Fault::new(*span, problem).with_hint(
            "add 'deterministic = true' if the image always writes the same for the same input, or let a 'checker' \
             or a 'tolerance' decide",
        ),
    })
}

/// How many must agree, how many runs there are, and how many at most.
fn counts(
    span: Span,
    (agree, replicas, replicas_max): (u8, Option<u8>, Option<u8>),
    most: u8,
) -> Result<(u8, u8, u8), Fault> {
    let replicas = replicas.unwrap_or(agree);
    let replicas_max = replicas_max.unwrap_or(replicas.saturating_add(TIES_MAX).min(most));
    if agree == 0 || agree > replicas || replicas > replicas_max || replicas_max > most {
        let problem = format!("a quorum needs 1 <= agree <= replicas <= replicas_max <= {most}");
        return Err(Fault::new(span, problem));
    }
    Ok((agree, replicas, replicas_max))
}

fn check(span: Span, checker: &Checker) -> Result<(Verify, Option<CheckPlan>), Fault> {
    let Checker { program, args, score_min, agree, replicas, replicas_max, resources } = checker;
    if program.value.is_empty() {
        return Err(Fault::new(program.span, "the checker's path is empty"));
    }
    if args.iter().map(|arg| 8 + arg.len()).sum::<usize>() > CHECK_ARGS_BYTES_MAX {
        let problem = format!("a checker's arguments have at most {CHECK_ARGS_BYTES_MAX} bytes");
        return Err(Fault::new(span, problem));
    }
    let agree = agree.unwrap_or(1);
    let is_alone = agree == 1;
    if is_alone && (replicas.unwrap_or(1), replicas_max.unwrap_or(1)) != (1, 1) {
        return Err(Fault::new(
            span,
            "with agree = 1 each result is looked at by itself, so there is one replica",
        )
        .with_hint("write agree = 2 to have results of two nodes compared"));
    }
    let (agree, replicas, replicas_max) = match is_alone {
        true => (1, 1, 1),
        false => counts(span, (agree, *replicas, *replicas_max), COMPARED_MAX)?,
    };
    let score_min = score_min.as_ref().map(finite).transpose()?;
    let limits = limits(resources);
    if limits.wall_ms > CHECK_WALL_MS_MAX {
        return Err(Fault::new(span, "a checker runs for at most 10 minutes"));
    }
    let plan = CheckPlan::Program { program: program.clone(), args: args.clone(), score_min, limits };
    Ok((Verify::Checked { agree, replicas, replicas_max }, Some(plan)))
}

fn tolerance(span: Span, given: &FileTolerance) -> Result<(Verify, Option<CheckPlan>), Fault> {
    let FileTolerance { absolute, relative, agree, replicas, replicas_max } = given;
    let agree = agree.unwrap_or(2);
    if agree < 2 {
        return Err(Fault::new(span, "a tolerance compares results, so at least 2 have to agree"));
    }
    if absolute.is_none() && relative.is_none() {
        let fault = Fault::new(span, "a tolerance says by how much numbers may differ");
        return Err(fault.with_hint("add absolute = 1e-9 or relative = 1e-6"));
    }
    let (agree, replicas, replicas_max) = counts(span, (agree, *replicas, *replicas_max), COMPARED_MAX)?;
    let number = |at: &Option<At<f64>>| match at {
        Some(at) if at.value < 0.0 => Err(Fault::new(at.span, "a tolerance is not negative")),
        Some(at) => finite(at),
        None => Ok(Real::default()),
    };
    let tolerance = Tolerance { absolute: number(absolute)?, relative: number(relative)? };
    Ok((Verify::Checked { agree, replicas, replicas_max }, Some(CheckPlan::Tolerance(tolerance))))
}

fn finite(at: &At<f64>) -> Result<Real, Fault> {
    Real::new(at.value).ok_or_else(|| Fault::new(at.span, "this number is not finite"))
}

fn limits(given: &Resources) -> TaskLimits {
    let usual = CHECKER_LIMITS;
    TaskLimits {
        memory_bytes: given.memory.map_or(usual.memory_bytes, |size| size.0),
        fuel: given.fuel.map_or(usual.fuel, |fuel| fuel.0),
        wall_ms: given.time.map_or(usual.wall_ms, |time| time.0),
        scratch_bytes: given.scratch.map_or(usual.scratch_bytes, |size| size.0),
        output_bytes: given.output.map_or(usual.output_bytes, |size| size.0),
    }
}
