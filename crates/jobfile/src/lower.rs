//! From the typed file to the plan: everything that a schema cannot say is checked here, and each
//! fault points at the value that causes it.

use crate::{
    file::{JobFile, Level as FileLevel, Resources, Stage, Verify as FileVerify},
    plan::{InputsPlan, JobPlan, StagePlan},
    values::{At, OneOrMany},
};
use opensky_textfile::{Fault, Span, constraints::checked as constraints, nearest};
use opensky_types::{
    Micros,
    job::{FAN_IN_MAX, STAGES_MAX, Verify},
    place::Level,
    resources::TaskLimits,
};

/// Nodes on which a task may fail, unless the file says otherwise.
const FAILURES_MAX_DEFAULT: u8 = 3;
const NAME_LENGTH_MAX: usize = 64;

pub fn lower(file: &JobFile) -> Result<JobPlan, Fault> {
    check_name(&file.name, "a job's name")?;
    let stages = &file.stage;
    if stages.value.is_empty() || stages.value.len() > STAGES_MAX {
        return Err(Fault::new(stages.span, format!("a job has 1 to {STAGES_MAX} stages")));
    }
    let lowered = (0..stages.value.len()).map(|position| stage(file, position));
    Ok(JobPlan {
        name: file.name.value.clone(),
        wait_ms: file.wait.map(|wait| wait.0),
        deadline_ms: file.deadline.map(|deadline| deadline.0),
        budget: file.budget.map(|budget| Micros::new(budget.0)),
        seed: file.seed,
        stages: lowered.collect::<Result<_, _>>()?,
    })
}

fn stage(file: &JobFile, position: usize) -> Result<StagePlan, Fault> {
    let stage = &file.stage.value[position].value;
    let earlier = &file.stage.value[..position];
    check_name(&stage.name, "a stage's name")?;
    if earlier.iter().any(|other| other.value.name.value == stage.name.value) {
        return Err(Fault::new(stage.name.span, "another stage has the same name"));
    }
    let (level, function) = level(stage)?;
    let program = program(&file.stage.value[position], level)?;
    let deterministic = stage.deterministic.as_ref().map_or(level != Level::Container, |at| at.value);
    let verify = verify(stage.verify.as_ref().or(file.verify.as_ref()), stage, deterministic)?;
    let after = stage.after.0.iter().map(|name| find_stage(file, position, name));
    Ok(StagePlan {
        name: stage.name.value.clone(),
        program,
        level,
        function,
        args: stage.args.clone(),
        env: stage.env.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        deterministic,
        inputs: inputs(file, position)?,
        after: after.collect::<Result<_, _>>()?,
        limits: limits(&file.resources, &stage.resources),
        constraints: constraints(stage.constraints.as_ref().or(file.constraints.as_ref()))?,
        verify,
        failures_max: match &stage.failures_max {
            Some(At { span, value: 0 }) => return Err(Fault::new(*span, "failures_max is at least 1")),
            Some(At { value, .. }) => *value,
            None => FAILURES_MAX_DEFAULT,
        },
        accept_any_exit: stage.accept_any_exit,
        hedge: stage.hedge.unwrap_or(true),
        output: stage.output.clone(),
    })
}

fn check_name(name: &At<String>, what: &str) -> Result<(), Fault> {
    let length = name.value.chars().count();
    if (1..=NAME_LENGTH_MAX).contains(&length) {
        return Ok(());
    }
    let problem = format!("{what} has 1 to {NAME_LENGTH_MAX} characters, this one has {length}");
    Err(Fault::new(name.span, problem))
}

/// What runs: the path of a WASM program or of an image.
fn program(at: &At<Stage>, level: Level) -> Result<At<String>, Fault> {
    let stage = &at.value;
    let (given, what) = match level {
        Level::Container => (&stage.image, "image"),
        Level::Function | Level::Vm => (&stage.program, "program"),
    };
    match (given, &stage.program, &stage.image) {
        (_, Some(program), Some(_)) => {
            let fault = Fault::new(program.span, "'program' and 'image' both say what runs");
            Err(fault.with_hint("keep one of them"))
        }
        (Some(path), ..) if path.value.is_empty() => {
            Err(Fault::new(path.span, format!("the {what}'s path is empty")))
        }
        (Some(path), ..) => Ok(path.clone()),
        (None, ..) => Err(Fault::new(at.span, format!("the key '{what}' is missing"))),
    }
}

fn level(stage: &Stage) -> Result<(Level, String), Fault> {
    if let (FileLevel::Auto | FileLevel::Container, Some(_)) = (stage.level.value, &stage.image) {
        return match &stage.function {
            None => Ok((Level::Container, String::new())),
            Some(function) => Err(Fault::new(function.span, "an image has no functions to call")
                .with_hint("remove 'function', or name a WASM program with 'program'")),
        };
    }
    match (stage.level.value, &stage.function) {
        (FileLevel::Function | FileLevel::Auto, Some(function)) if !function.value.is_empty() => {
            Ok((Level::Function, function.value.clone()))
        }
        (FileLevel::Auto | FileLevel::Vm, None) => Ok((Level::Vm, String::new())),
        (FileLevel::Vm, Some(function)) => {
            Err(Fault::new(function.span, "level 'vm' runs a whole program, not a function")
                .with_hint("remove 'function', or set level = \"function\""))
        }
        (FileLevel::Container, _) => Err(Fault::new(stage.level.span, "level 'container' needs an image")
            .with_hint("add image = \"FILE.tar\", as `docker save` writes it")),
        (_, Some(function)) => Err(Fault::new(function.span, "the function's name is empty")),
        (FileLevel::Function, None) => {
            Err(Fault::new(stage.level.span, "level 'function' needs the name of an exported function")
                .with_hint("add function = \"NAME\""))
        }
    }
}

/// The position of the earlier stage called `name`.
fn find_stage(file: &JobFile, position: usize, name: &At<String>) -> Result<u16, Fault> {
    let names = || file.stage.value.iter().map(|stage| stage.value.name.value.as_str());
    match names().position(|other| other == name.value) {
        Some(found) if found < position => Ok(found as u16),
        Some(found) if found == position => Err(Fault::new(name.span, "a stage cannot depend on itself")),
        Some(_) => Err(Fault::new(name.span, format!("stage '{}' stands after this one", name.value))
            .with_hint("move it up: a stage can only use stages that stand before it")),
        None => {
            let fault = Fault::new(name.span, format!("there is no stage '{}'", name.value));
            Err(match nearest(&name.value, names().take(position)) {
                Some(near) => fault.with_hint(format!("did you mean '{near}'?")),
                None => fault,
            })
        }
    }
}

fn inputs(file: &JobFile, position: usize) -> Result<InputsPlan, Fault> {
    let stage = &file.stage.value[position].value;
    let mut given: Vec<(&str, Span, Result<InputsPlan, Fault>)> = Vec::new();
    if let Some(at) = &stage.stdin {
        given.push(("stdin", at.span, Ok(InputsPlan::One { stdin: Some(at.clone()) })));
    }
    if let Some(at) = &stage.files {
        given.push(("files", at.span, files(at)));
    }
    if let Some(At { span, value }) = &stage.lines {
        let per_task = positive(&value.per_task, "per_task");
        let plan = per_task.map(|per_task| InputsPlan::Lines { file: value.file.clone(), per_task });
        given.push(("lines", *span, plan));
    }
    if let Some(At { span, value }) = &stage.bytes {
        let chunk = At { span: value.chunk.span, value: value.chunk.value.0 };
        let plan = positive(&chunk, "chunk")
            .map(|chunk_bytes| InputsPlan::Bytes { file: value.file.clone(), chunk_bytes });
        given.push(("bytes", *span, plan));
    }
    if let Some(at) = &stage.numbers {
        given.push(("numbers", at.span, numbers(&at.value)));
    }
    if let Some(at) = &stage.each {
        let plan = find_stage(file, position, at).map(|stage| InputsPlan::Each { stage });
        given.push(("each", at.span, plan));
    }
    if let Some(At { span, value }) = &stage.reduce {
        given.push(("reduce", *span, reduce(file, position, value)));
    }
    // The later one in the file is the one to point at.
    given.sort_by_key(|(_, span, _)| span.start);
    match given.len() {
        0 => Ok(InputsPlan::One { stdin: None }),
        1 => given.remove(0).2,
        _ => {
            let (second, span, _) = &given[1];
            let problem = format!("'{second}' and '{}' both say where the inputs come from", given[0].0);
            Err(Fault::new(*span, problem).with_hint("keep one of them"))
        }
    }
}

fn positive(at: &At<u64>, key: &str) -> Result<u64, Fault> {
    if at.value == 0 { Err(Fault::new(at.span, format!("'{key}' is at least 1"))) } else { Ok(at.value) }
}

fn files(at: &At<OneOrMany<At<String>>>) -> Result<InputsPlan, Fault> {
    if at.value.0.is_empty() {
        return Err(Fault::new(at.span, "'files' names no file"));
    }
    Ok(InputsPlan::Files { patterns: at.value.0.clone() })
}

fn numbers(numbers: &crate::file::Numbers) -> Result<InputsPlan, Fault> {
    let (from, to) = (numbers.from, numbers.to.value);
    if to <= from {
        return Err(Fault::new(numbers.to.span, format!("'to' must be greater than 'from' ({from})")));
    }
    match &numbers.step {
        Some(At { span, value }) if *value < 1 => Err(Fault::new(*span, "'step' is at least 1")),
        step => Ok(InputsPlan::Numbers { from, to, step: step.as_ref().map_or(1, |at| at.value) }),
    }
}

fn reduce(file: &JobFile, position: usize, reduce: &crate::file::Reduce) -> Result<InputsPlan, Fault> {
    let stage = find_stage(file, position, &reduce.stage)?;
    match &reduce.fan_in {
        Some(At { span, value }) if *value == 0 || *value > FAN_IN_MAX => {
            Err(Fault::new(*span, format!("'fan_in' is 1 to {FAN_IN_MAX}")))
        }
        fan_in => Ok(InputsPlan::Reduce { stage, fan_in: fan_in.as_ref().map_or(FAN_IN_MAX, |at| at.value) }),
    }
}

fn limits(job: &Resources, stage: &Resources) -> TaskLimits {
    let default = TaskLimits::default();
    let size = |stage: Option<crate::values::Size>, job: Option<crate::values::Size>, default| {
        stage.or(job).map_or(default, |size| size.0)
    };
    TaskLimits {
        memory_bytes: size(stage.memory, job.memory, default.memory_bytes),
        fuel: stage.fuel.or(job.fuel).map_or(default.fuel, |fuel| fuel.0),
        wall_ms: stage.time.or(job.time).map_or(default.wall_ms, |time| time.0),
        scratch_bytes: size(stage.scratch, job.scratch, default.scratch_bytes),
        output_bytes: size(stage.output, job.output, default.output_bytes),
    }
}

fn verify(given: Option<&At<FileVerify>>, stage: &Stage, deterministic: bool) -> Result<Verify, Fault> {
    let Some(At { span, value }) = given else { return Ok(Verify::None) };
    let verify = match value {
        FileVerify::None => return Ok(Verify::None),
        FileVerify::Sample(share) => Verify::Sample { per_mille: share.0 as u16 },
        FileVerify::Quorum(quorum) => {
            let (agree, replicas) = (quorum.agree, quorum.replicas.unwrap_or(quorum.agree));
            let replicas_max = quorum.replicas_max.unwrap_or(replicas.saturating_add(3).min(31));
            if agree == 0 || agree > replicas || replicas > replicas_max || replicas_max > 31 {
                let problem = "a quorum needs 1 <= agree <= replicas <= replicas_max <= 31";
                return Err(Fault::new(*span, problem));
            }
            Verify::Quorum { agree, replicas, replicas_max }
        }
        FileVerify::Reputation => Verify::Reputation,
    };
    if deterministic {
        return Ok(verify);
    }
    let problem = "results are compared byte by byte, so 'verify' needs a deterministic program";
    Err(match &stage.deterministic {
        Some(at) => Fault::new(at.span, problem)
            .with_hint("remove 'deterministic = false', or set verify = \"none\" for this stage"),
        None => Fault::new(*span, problem)
            .with_hint("add 'deterministic = true' if the image always writes the same for the same input"),
    })
}
