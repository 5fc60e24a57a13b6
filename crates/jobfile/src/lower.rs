//! From the typed file to the plan: everything that a schema cannot say is checked here, and each
//! fault points at the value that causes it.

use self::level::Chosen;
use crate::{
    file::{JobFile, Resources, Stage},
    plan::{InputsPlan, JobPlan, StagePlan},
    values::{At, OneOrMany},
};
use opensky_textfile::{Fault, Span, constraints::checked as constraints, nearest, needs};
use opensky_types::{
    Micros,
    job::{FAN_IN_MAX, Needs, STAGES_MAX},
    place::Level,
    resources::TaskLimits,
};

mod conditions;
mod level;
mod rules;
mod verify;

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
    let Chosen { level, reason: level_reason, program, function } = level::choose(file, position)?;
    let deterministic = stage.deterministic.as_ref().map_or(level != Level::Container, |at| at.value);
    let (verify, check) =
        verify::verify(stage.verify.as_ref().or(file.verify.as_ref()), stage, deterministic)?;
    let needs = needs(stage, level, &program)?;
    let after = stage.after.0.iter().map(|name| find_stage(file, position, name));
    Ok(StagePlan {
        name: stage.name.value.clone(),
        program,
        level,
        level_reason,
        function,
        args: stage.args.clone(),
        env: stage.env.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        deterministic,
        inputs: inputs(file, position)?,
        after: after.collect::<Result<_, _>>()?,
        limits: limits(&file.resources, &stage.resources, needs.gpu_count()),
        needs,
        constraints: constraints(stage.constraints.as_ref().or(file.constraints.as_ref()))?,
        verify,
        check,
        failures_max: rules::failures_max(stage)?,
        retry: rules::retry(stage)?,
        when: conditions::conditions(file, position)?,
        may_fail: stage.may_fail,
        accept_any_exit: stage.accept_any_exit,
        hedge: stage.hedge.unwrap_or(true),
        output: stage.output.clone(),
    })
}

/// What the stage needs of those who run containers. Of what runs otherwise, nothing of it can be asked.
fn needs(stage: &Stage, level: Level, program: &At<String>) -> Result<Needs, Fault> {
    if level == Level::Container {
        return needs::checked(needs::image(program)?, stage.isolation.as_ref(), stage.gpus.as_ref());
    }
    needs::none(stage.isolation.as_ref(), stage.gpus.as_ref(), "this stage runs a WASM program")
}

fn check_name(name: &At<String>, what: &str) -> Result<(), Fault> {
    let length = name.value.chars().count();
    if (1..=NAME_LENGTH_MAX).contains(&length) {
        return Ok(());
    }
    let problem = format!("{what} has 1 to {NAME_LENGTH_MAX} characters, this one has {length}");
    Err(Fault::new(name.span, problem))
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

fn limits(job: &Resources, stage: &Resources, gpus: u8) -> TaskLimits {
    let default = TaskLimits::default();
    let size = |stage: Option<crate::values::Size>, job: Option<crate::values::Size>, default| {
        stage.or(job).map_or(default, |size| size.0)
    };
    let wall_ms = stage.time.or(job.time).map_or(default.wall_ms, |time| time.0);
    let fuel = if gpus > 0 { TaskLimits::fuel_of_time(wall_ms, gpus) } else { default.fuel };
    TaskLimits {
        memory_bytes: size(stage.memory, job.memory, default.memory_bytes),
        fuel: stage.fuel.or(job.fuel).map_or(fuel, |fuel| fuel.0),
        wall_ms,
        scratch_bytes: size(stage.scratch, job.scratch, default.scratch_bytes),
        output_bytes: size(stage.output, job.output, default.output_bytes),
    }
}
