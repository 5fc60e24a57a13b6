//! A Bacalhau job of type `batch` as a job file: text that its owner can read, change and keep.

use crate::{
    bacalhau::{
        Header,
        task::{Engine, Task},
    },
    import::Reading,
};
use std::fmt::Write;

/// A job file in TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobText {
    /// The job's name.
    pub name: String,
    /// What `opensky_jobfile::parse` reads. Paths are relative to the file that it was made of.
    pub toml: String,
}

/// Longest name of a job, in characters.
const NAME_CHARS_MAX: usize = 64;
/// What Bacalhau takes for a task that sets no limit of memory, in bytes.
const MEMORY_BYTES_UNSAID: u64 = 512_000_000;

/// Says what of a batch task is not done.
pub(crate) fn check(reading: &mut Reading<'_>, task: &Task) {
    if let Some(kind) = task.network.kind.as_ref().filter(|kind| !matches!(kind.value.as_str(), "none" | ""))
    {
        let what = "tasks have no network";
        let instead = "give what it reads as its input, or run a service with links";
        reading.refuse("Tasks.0.Network", kind.span, what, instead);
    }
    if task.args.iter().any(|arg| arg.contains("{item}")) {
        let what = "'{item}' in arguments stands for the number of the task";
        reading.refuse("Tasks.0.Engine", task.span, what, "write it in another way");
    }
    if task.resources.cpu_cores.is_some_and(|cores| cores > 1) {
        reading.note("Tasks.0.Resources", task.span, "a task has one core", "split it into more tasks");
    }
    if task.timeouts.execution.is_none() {
        let what = "no ExecutionTimeout: 10 minutes, as usual";
        reading.note("Tasks.0.Timeouts", task.span, what, "set `time` in the job file's `resources`");
    }
}

pub(crate) fn job_text(header: &Header, task: &Task) -> JobText {
    let task_name = task.name.as_ref().filter(|name| !name.value.is_empty());
    let given = header.name.as_ref().or(task_name).map_or("bacalhau", |at| at.value.as_str());
    let name: String = given.chars().take(NAME_CHARS_MAX).collect();
    let mut toml = String::new();
    line(&mut toml, "name", &quoted(&name));
    let seconds = |seconds: Option<u64>| seconds.map(|seconds| quoted(&format!("{seconds}s")));
    let timeouts = &task.timeouts;
    optional(&mut toml, "wait", seconds(timeouts.queue));
    optional(&mut toml, "deadline", seconds(timeouts.total));
    toml.push_str("\n[resources]\n");
    let memory = task.resources.memory_bytes.unwrap_or(MEMORY_BYTES_UNSAID);
    line(&mut toml, "memory", &size(memory));
    optional(&mut toml, "scratch", task.resources.scratch_bytes.map(size));
    optional(&mut toml, "time", seconds(timeouts.execution));
    toml.push_str("\n[[stage]]\n");
    let stage = task_name.map_or("main", |at| at.value.as_str());
    let stage: String = stage.chars().take(NAME_CHARS_MAX).collect();
    line(&mut toml, "name", &quoted(&stage));
    match &task.engine {
        Engine::Docker { image } => line(&mut toml, "image", &quoted(&image.value.to_string())),
        Engine::Wasm { module, .. } => line(&mut toml, "program", &quoted(module)),
    }
    if let Some(gpus) = task.resources.gpus {
        line(&mut toml, "gpus", &gpus.to_string());
    }
    if !task.args.is_empty() {
        let args: Vec<String> = task.args.iter().map(|arg| quoted(arg)).collect();
        line(&mut toml, "args", &format!("[{}]", args.join(", ")));
    }
    if !task.env.is_empty() {
        let pairs: Vec<String> =
            task.env.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value))).collect();
        line(&mut toml, "env", &format!("{{ {} }}", pairs.join(", ")));
    }
    if header.count > 1 {
        line(&mut toml, "numbers", &format!("{{ from = 0, to = {} }}", header.count));
    }
    JobText { name, toml }
}

fn line(toml: &mut String, key: &str, value: &str) {
    writeln!(toml, "{key} = {value}").expect("a text takes all that is written");
}

fn optional(toml: &mut String, key: &str, value: Option<String>) {
    if let Some(value) = value {
        line(toml, key, &value);
    }
}

/// A size in the largest unit that keeps it whole.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000)];
    match UNITS.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => quoted(&format!("{}{name}", bytes / unit)),
        None => bytes.to_string(),
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(c)).expect("a text takes all that is written");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
