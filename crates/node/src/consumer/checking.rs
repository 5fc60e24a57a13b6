//! Checks of results, on this node: a checker program on the executor, or a comparison with tolerance.
//!
//! What a checker reads is its standard input: first lines of words that say what follows, then an empty line, then
//! the contents one after the other, without anything between them:
//!
//! ```text
//! opensky check 1
//! input SIZE           what the task read
//! run EXIT_CODE        the first result
//! stdout SIZE
//! file SIZE PATH       each file that it left, by path
//! run EXIT_CODE        the second, where two are compared
//! …
//! ```

use crate::{event::Event, fetch::blocking, inputs::Recipe, node::Node};
use opensky_ports::{
    BlobError, BlobStore, Executor, LogSink, LogStream, Pin, WorkBatch, WorkItem, WorkResult,
};
use opensky_scheduler::{CheckedRun, Input, tolerance};
use opensky_types::{
    JobId, TaskId, Timestamp,
    job::{Check, CheckDecision, Checker, INLINE_BYTES_MAX, Needs, Program, Real, Tolerance},
    place::Level,
    task::{Content, Outcome, TaskInput, TaskOutput},
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;

/// Checks that run at a time.
const CHECKS_MAX: usize = 2;
/// Longest content that is compared number by number, in bytes; a longer one must be the same.
const COMPARED_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest word of a checker that is passed on, in characters.
const MESSAGE_CHARS_MAX: usize = 200;

/// A check to be made.
pub(crate) struct CheckOrder {
    job: JobId,
    task: TaskId,
    runs: Vec<CheckedRun>,
    check: Check,
    /// What the task read.
    input: Recipe,
    results: Vec<TaskOutput>,
    seed: u64,
    /// Fires at the job's end.
    over: CancellationToken,
}

/// Checks that wait and run.
#[derive(Default)]
pub(crate) struct Checks {
    waiting: VecDeque<CheckOrder>,
    running: usize,
}

impl Checks {
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running == 0
    }
}

/// What a check came to.
pub(crate) struct Verdict {
    decision: CheckDecision,
    message: String,
}

impl Verdict {
    fn of(decision: CheckDecision, message: impl AsRef<str>) -> Self {
        let words = message.as_ref().lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let clean = words.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX);
        Self { decision, message: clean.collect() }
    }

    fn broken(message: impl AsRef<str>) -> Self {
        Self::of(CheckDecision::Broken, message)
    }
}

impl Node {
    /// Takes in what the scheduler wants checked.
    pub(super) fn check(&mut self, job: JobId, task: TaskId, runs: Vec<CheckedRun>) {
        match self.check_order(job, task, &runs) {
            Some(order) => self.consumer.checks.waiting.push_back(order),
            // Heard of as an event: the scheduler is in the middle of its orders.
            None => {
                let verdict = Verdict::broken("the result is not held any more");
                self.local.push_back(Event::Checked { job, task, runs, verdict, ran: false });
            }
        }
        self.start_checks();
    }

    fn check_order(&self, job: JobId, task: TaskId, runs: &[CheckedRun]) -> Option<CheckOrder> {
        let active = self.consumer.jobs.get(&job)?;
        let check = active.spec.stages.get(usize::from(task.stage))?.check.clone()?;
        let result = |run: &CheckedRun| {
            let held = self.consumer.held.get(&(run.agreement, (task, run.attempt)))?;
            if let Outcome::Exited(output) = &held.report.outcome { Some(output.clone()) } else { None }
        };
        let results: Vec<TaskOutput> = runs.iter().map(result).collect::<Option<_>>()?;
        let input = Recipe::of(&active.spec, &active.outputs, task).ok()?;
        let (runs, seed, over) = (runs.to_vec(), active.spec.seed, active.over.clone());
        Some(CheckOrder { job, task, runs, check, input, results, seed, over })
    }

    fn start_checks(&mut self) {
        while self.consumer.checks.running < CHECKS_MAX
            && let Some(order) = self.consumer.checks.waiting.pop_front()
        {
            if order.over.is_cancelled() {
                continue;
            }
            self.consumer.checks.running += 1;
            let (blobs, executor) = (Arc::clone(&self.blobs), Arc::clone(&self.executor));
            let events = self.events.clone();
            self.tasks.spawn(async move {
                let (job, task, runs) = (order.job, order.task, order.runs.clone());
                // A task of its own: should the executor panic, the check still ends.
                let verdict = match tokio::spawn(carry_out(order, blobs, executor)).await {
                    Ok(verdict) => verdict,
                    Err(panic) => Verdict::broken(panic.to_string()),
                };
                let _ = events.send(Event::Checked { job, task, runs, verdict, ran: true }).await;
            });
        }
    }

    /// A check is done.
    pub(crate) fn on_checked(
        &mut self,
        now: Timestamp,
        job: JobId,
        task: TaskId,
        runs: Vec<CheckedRun>,
        verdict: Verdict,
        ran: bool,
    ) {
        self.consumer.checks.running -= usize::from(ran);
        let Verdict { decision, message } = verdict;
        self.schedule(now, Input::Checked { job, task, runs, decision, message });
        self.start_checks();
    }
}

async fn carry_out(order: CheckOrder, blobs: Arc<dyn BlobStore>, executor: Arc<dyn Executor>) -> Verdict {
    match &order.check {
        Check::Tolerance(tolerance) => {
            let (tolerance, results) = (*tolerance, order.results);
            let compared = blocking(move || compare(blobs.as_ref(), &results, &tolerance)).await;
            compared.unwrap_or_else(|error| Verdict::broken(error.to_string()))
        }
        Check::Program(checker) => {
            let (checker, seed, over) = (checker.clone(), order.seed, order.over.clone());
            match blocking(move || input_of(order, blobs.as_ref())).await {
                Ok(input) => run(executor.as_ref(), checker, seed, input, over.child_token()).await,
                Err(problem) => Verdict::broken(problem),
            }
        }
    }
}

/// What a checker reads. Blocks on the disk.
fn input_of(order: CheckOrder, blobs: &dyn BlobStore) -> Result<TaskInput, String> {
    let CheckOrder { job, input, results, .. } = order;
    let TaskInput { item, stdin } = input.make(blobs, job).map_err(|error| error.to_string())?;
    let size_bytes: u64 = stdin.iter().map(Content::size_bytes).sum();
    let mut head = format!("opensky check 1\ninput {size_bytes}\n");
    let mut contents = stdin;
    for result in results {
        let _ = writeln!(head, "run {}\nstdout {}", result.exit_code, result.stdout.size_bytes());
        contents.push(result.stdout);
        for (path, content) in result.files {
            let _ = writeln!(head, "file {} {path}", content.size_bytes());
            contents.push(content);
        }
    }
    head.push('\n');
    let head = if head.len() <= INLINE_BYTES_MAX {
        Content::Inline(head.into_bytes())
    } else {
        let blob = blobs.put(head.as_bytes()).map_err(|error| error.to_string())?;
        blobs.pin(Pin::Job(job), &[blob.hash]).map_err(|error| error.to_string())?;
        Content::Blob(blob)
    };
    contents.insert(0, head);
    Ok(TaskInput { item, stdin: contents })
}

/// Runs a checker within its limits.
async fn run(
    executor: &dyn Executor,
    checker: Checker,
    seed: u64,
    input: TaskInput,
    cancel: CancellationToken,
) -> Verdict {
    let Checker { program: hash, size_bytes, args, score_min, limits } = checker;
    let (level, function, env) = (Level::Vm, String::new(), Vec::new());
    let needs = Needs::default();
    let program = Program { hash, size_bytes, level, function, args, env, deterministic: true, needs };
    let items = vec![WorkItem { key: 0, input }];
    let sink = ResultSink::default();
    executor.run(WorkBatch { program, seed, limits, items, gpus: Vec::new() }, &sink, cancel).await;
    let result = sink.0.into_inner().expect("no code panics while holding this lock");
    match result {
        None => Verdict::broken("the checker gave no result"),
        Some(Outcome::Failed { failure, .. }) => Verdict::broken(format!("the checker failed: {failure}")),
        Some(Outcome::Exited(output)) => decide(&output, score_min),
    }
}

/// What a checker that ended says: by its exit code, or by a score.
fn decide(output: &TaskOutput, score_min: Option<Real>) -> Verdict {
    let text = |content: &Content| match content {
        Content::Inline(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Content::Blob(_) => String::new(),
    };
    let said = text(&output.stdout);
    let because = if said.trim().is_empty() { text(&output.stderr) } else { said.clone() };
    match (output.exit_code, score_min) {
        (0, None) => Verdict::of(CheckDecision::Passed, because),
        (0, Some(least)) => match said.trim().parse::<f64>().ok().and_then(Real::new) {
            Some(score) if score.get() >= least.get() => {
                Verdict::of(CheckDecision::Passed, format!("score {score}, at least {least} is wanted"))
            }
            Some(score) => {
                Verdict::of(CheckDecision::Failed, format!("score {score}, at least {least} is wanted"))
            }
            None => Verdict::broken("the checker wrote no number as its score"),
        },
        (1, _) => Verdict::of(CheckDecision::Failed, because),
        (code, _) => {
            Verdict::broken(format!("the checker ended with exit code {code}; 0 and 1 say something"))
        }
    }
}

/// Compares two results. Blocks on the disk.
fn compare(
    blobs: &dyn BlobStore,
    results: &[TaskOutput],
    tolerance: &Tolerance,
) -> Result<Verdict, BlobError> {
    let [left, right] = results else { return Ok(Verdict::broken("a tolerance compares two results")) };
    let differ = |message: String| Ok(Verdict::of(CheckDecision::Failed, message));
    if left.exit_code != right.exit_code {
        return differ(format!("exit codes {} and {}", left.exit_code, right.exit_code));
    }
    let (ours, theirs): (BTreeMap<_, _>, BTreeMap<_, _>) = (
        left.files.iter().map(|(path, content)| (path, content)).collect(),
        right.files.iter().map(|(path, content)| (path, content)).collect(),
    );
    if !ours.keys().eq(theirs.keys()) {
        return differ("they left other files".into());
    }
    let files = ours.into_iter().map(|(path, content)| (path.as_str(), content, theirs[path]));
    for (what, one, two) in [("standard output", &left.stdout, &right.stdout)].into_iter().chain(files) {
        if one.hash() == two.hash() {
            continue;
        }
        if one.size_bytes().max(two.size_bytes()) > COMPARED_BYTES_MAX {
            return differ(format!("{what} is not the same, and too large to be compared number by number"));
        }
        let (Some(one), Some(two)) = (bytes_of(blobs, one)?, bytes_of(blobs, two)?) else {
            return Ok(Verdict::broken(format!("{what} is not in the store any more")));
        };
        if let Some(found) = tolerance::difference(&one, &two, tolerance) {
            let (line, (one, two)) = (found.line, found.found);
            return differ(format!("{what}, line {line}: {one} and {two}"));
        }
    }
    Ok(Verdict::of(CheckDecision::Passed, ""))
}

fn bytes_of(blobs: &dyn BlobStore, content: &Content) -> Result<Option<Vec<u8>>, BlobError> {
    match content {
        Content::Inline(bytes) => Ok(Some(bytes.clone())),
        Content::Blob(blob) => blobs.get(&blob.hash, COMPARED_BYTES_MAX),
    }
}

/// Keeps how the one task of a batch ended.
#[derive(Default)]
struct ResultSink(Mutex<Option<Outcome>>);

impl LogSink for ResultSink {
    fn written(&self, _key: u64, _stream: LogStream, _bytes: &[u8]) {}

    fn ended(&self, result: WorkResult) {
        *self.0.lock().expect("no code panics while holding this lock") = Some(result.outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(exit_code: i32, stdout: &str, stderr: &str) -> TaskOutput {
        let content = |text: &str| Content::Inline(text.as_bytes().to_vec());
        TaskOutput { exit_code, stdout: content(stdout), stderr: content(stderr), files: Vec::new() }
    }

    #[test]
    fn v1_a_checker_speaks_by_its_exit_code_or_by_a_score() {
        let least = Real::new(0.5);
        for (output, score_min, decision, message) in [
            (output(0, "", ""), None, CheckDecision::Passed, ""),
            (output(0, "fine\nvery", ""), None, CheckDecision::Passed, "fine"),
            (output(1, "", "\n off by one \n"), None, CheckDecision::Failed, "off by one"),
            (output(2, "", ""), None, CheckDecision::Broken, "exit code 2"),
            (output(-1, "", ""), least, CheckDecision::Broken, "exit code -1"),
            (output(0, " 0.5\n", ""), least, CheckDecision::Passed, "score 0.5"),
            (output(0, "0.49", ""), least, CheckDecision::Failed, "at least 0.5"),
            (output(1, "0.9", ""), least, CheckDecision::Failed, "0.9"),
            (output(0, "good", ""), least, CheckDecision::Broken, "no number"),
            (output(0, "", ""), least, CheckDecision::Broken, "no number"),
            (output(0, "NaN", ""), least, CheckDecision::Broken, "no number"),
            (output(0, "inf", ""), least, CheckDecision::Broken, "no number"),
            (output(1, "\u{1b}[2Jred", ""), None, CheckDecision::Failed, "[2Jred"),
        ] {
            let verdict = decide(&output, score_min);
            assert_eq!(verdict.decision, decision, "{output:?}");
            assert!(verdict.message.contains(message), "{output:?}: {}", verdict.message);
        }
        let long = decide(&output(1, &"x".repeat(1_000), ""), None);
        assert_eq!(long.message.len(), MESSAGE_CHARS_MAX);
    }
}
