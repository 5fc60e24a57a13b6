//! What runs, and how: the rule for `level = "auto"` (spec C2).

use crate::{
    file::{JobFile, Level as FileLevel, Stage},
    values::At,
};
use opensky_textfile::{Fault, constraints::Constraints};
use opensky_types::{job::LevelReason, place::Level, resources::TaskLimits};

/// Most bytes that a task of a stage with little input reads.
const LITTLE_INPUT_BYTES_MAX: u64 = 64 << 20;

/// What a stage runs.
pub struct Chosen {
    pub level: Level,
    pub reason: LevelReason,
    /// Path of the program or image.
    pub program: At<String>,
    /// The exported function, for level `function`; else empty.
    pub function: String,
}

/// What the stage at `position` runs, and why.
pub fn choose(file: &JobFile, position: usize) -> Result<Chosen, Fault> {
    let at = &file.stage.value[position];
    let stage = &at.value;
    let (level, reason) = level(file, stage)?;
    let (given, what) = match level {
        Level::Container => (&stage.image, "image"),
        Level::Function | Level::Vm => (&stage.program, "program"),
    };
    let program = match given {
        Some(path) if path.value.is_empty() => {
            return Err(Fault::new(path.span, format!("the {what}'s path is empty")));
        }
        Some(path) => path.clone(),
        None => return Err(Fault::new(at.span, format!("the key '{what}' is missing"))),
    };
    let function = stage.function.as_ref().filter(|_| level == Level::Function);
    Ok(Chosen { level, reason, program, function: function.map_or(String::new(), |at| at.value.clone()) })
}

fn level(file: &JobFile, stage: &Stage) -> Result<(Level, LevelReason), Fault> {
    let given = |level| Ok((level, LevelReason::Given));
    match (stage.level.value, &stage.function) {
        (_, Some(function)) if function.value.is_empty() => {
            Err(Fault::new(function.span, "the function's name is empty"))
        }
        (FileLevel::Auto, _) => auto(file, stage),
        (FileLevel::Function, Some(_)) => given(Level::Function),
        (FileLevel::Function, None) => {
            Err(Fault::new(stage.level.span, "level 'function' needs the name of an exported function")
                .with_hint("add function = \"NAME\""))
        }
        (FileLevel::Vm, Some(function)) => {
            Err(Fault::new(function.span, "level 'vm' runs a whole program, not a function")
                .with_hint("remove 'function', or set level = \"function\""))
        }
        (FileLevel::Vm, None) => given(Level::Vm),
        (FileLevel::Container, _) if stage.image.is_none() => {
            Err(Fault::new(stage.level.span, "level 'container' needs an image")
                .with_hint("add image = \"FILE.tar\", as `docker save` writes it"))
        }
        (FileLevel::Container, Some(function)) => no_function_of_an_image(function),
        (FileLevel::Container, None) => given(Level::Container),
    }
}

fn no_function_of_an_image<T>(function: &At<String>) -> Result<T, Fault> {
    Err(Fault::new(function.span, "an image has no functions to call")
        .with_hint("remove 'function', or name a WASM program with 'program'"))
}

/// The rule: of what a stage can be run as, special hardware asks for an image, much computing with little input and
/// output for a WASM program, a function for itself, and anything else for an image. What stays up is no job.
fn auto(file: &JobFile, stage: &Stage) -> Result<(Level, LevelReason), Fault> {
    let needs_hardware =
        stage.gpus.is_some() || gpus(stage.constraints.as_ref().or(file.constraints.as_ref())) > 0;
    match (&stage.program, &stage.image, &stage.function) {
        (Some(_), Some(_), Some(function)) => {
            let problem =
                "a function is called with values and an image with words, so a stage names one of them";
            Err(Fault::new(function.span, problem).with_hint("remove 'function' or 'image', or set 'level'"))
        }
        (None, Some(_), Some(function)) => no_function_of_an_image(function),
        (_, None, Some(_)) => Ok((Level::Function, LevelReason::Function)),
        (None, Some(_), None) => Ok((Level::Container, LevelReason::OnlyImage)),
        (_, None, None) => Ok((Level::Vm, LevelReason::OnlyProgram)),
        (Some(_), Some(_), None) if needs_hardware => Ok((Level::Container, LevelReason::SpecialHardware)),
        (Some(_), Some(_), None) if moves_little(file, stage) => Ok((Level::Vm, LevelReason::LittleIo)),
        (Some(_), Some(_), None) => Ok((Level::Container, LevelReason::Otherwise)),
    }
}

fn gpus(constraints: Option<&Constraints>) -> u8 {
    constraints.map_or(0, |constraints| constraints.gpus)
}

/// Whether a stage reads and writes little, by what its file says: it keeps within the usual limits of output and of
/// files, and cuts its input into parts that are not large.
fn moves_little(file: &JobFile, stage: &Stage) -> bool {
    let usual = TaskLimits::default();
    let within = |stage: Option<crate::values::Size>, job: Option<crate::values::Size>, usual: u64| {
        stage.or(job).is_none_or(|size| size.0 <= usual)
    };
    let (own, all) = (&stage.resources, &file.resources);
    within(own.output, all.output, usual.output_bytes)
        && within(own.scratch, all.scratch, usual.scratch_bytes)
        && stage.bytes.as_ref().is_none_or(|bytes| bytes.value.chunk.value.0 <= LITTLE_INPUT_BYTES_MAX)
}
