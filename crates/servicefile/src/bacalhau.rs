//! Bacalhau jobs, version 1 of their specification: `batch` becomes a job file, `service` a service.
//!
//! Follows docs.bacalhau.org, "Job Specification". Keys are read in any case, as Bacalhau reads them.

mod batch;
mod keys;
mod service;
mod task;

pub use batch::JobText;

use crate::{
    draft,
    import::{Given, Import, Needs, Reading},
    plan::Plan,
    walk::{self, expected, is_empty},
};
use opensky_textfile::{Fault, FileError, Format, Source, Span, tree::Node, values::At};
use task::{Engine, Task};

/// What a Bacalhau job comes to.
#[derive(Debug, Clone)]
pub enum Work {
    /// A job of type `service`.
    Services(Plan),
    /// A job of type `batch`, as the job file that does the same.
    Job(JobText),
}

/// What the caller may look up before [`read`]: images.
pub fn needs(name: &str, text: &str, format: Format) -> Result<Needs, FileError> {
    let source = Source::new(name, text);
    let images = source.tree(format).and_then(|tree| {
        let reading = Reading::of_any_case(&source);
        let tasks = walk::get(&tree, "Tasks").map_or(Ok(&[][..]), walk::list)?;
        let image = |task: &Node| {
            let params = walk::get(walk::get(task, "Engine")?, "Params")?;
            Some(walk::get(params, "Image")?.clone())
        };
        tasks.iter().filter_map(image).map(|image| reading.text(&image)).collect::<Result<Vec<_>, Fault>>()
    });
    Ok(Needs { files: Vec::new(), images: images.map_err(|fault| source.error(fault))? })
}

/// Reads a Bacalhau job. `name` is used in error messages only. A mistake in the file is an error; what is no mistake
/// and yet not done is in the answer.
pub fn read(name: &str, text: &str, format: Format, given: &Given) -> Result<Import<Work>, FileError> {
    let source = Source::new(name, text);
    let import = source.tree(format).and_then(|tree| import(&source, &tree, given));
    import.map_err(|fault| source.error(fault))
}

/// What counts for the job, whatever it runs.
struct Header {
    name: Option<At<String>>,
    count: u16,
    span: Span,
}

fn import(source: &Source, tree: &Node, given: &Given) -> Result<Import<Work>, Fault> {
    let mut reading = Reading::of_any_case(source);
    if walk::get(tree, "Tasks").is_none() && walk::get(tree, "Spec").is_some() {
        return Err(Fault::new(Span { start: 0, end: 1 }, "a Bacalhau job from before version 1.1")
            .with_hint("bacalhau job describe shows it in today's form, with Tasks"));
    }
    reading.check_keys("", tree, keys::JOB)?;
    let tasks = walk::get(tree, "Tasks")
        .ok_or_else(|| Fault::new(Span { start: 0, end: 1 }, "the key 'Tasks' is missing"))?;
    let [task] = walk::list(tasks)? else {
        return Err(Fault::new(tasks.span, "a Bacalhau job has exactly one task"));
    };
    let task = task::read(&mut reading, "Tasks.0", task, given)?;
    let name = walk::get(tree, "Name").filter(|node| !is_empty(node));
    let header = Header {
        name: name.map(|node| reading.text_at(node)).transpose()?,
        count: walk::get(tree, "Count").map_or(Ok(1), |node| reading.small(node))?,
        span: tree.span,
    };
    if header.count == 0 {
        let span = walk::get(tree, "Count").map_or(tree.span, |node| node.span);
        return Err(Fault::new(span, "a job with a Count of 0 runs nothing"));
    }
    let kind = match walk::get(tree, "Type") {
        Some(node) => (reading.text(node)?.to_ascii_lowercase(), node),
        None => ("batch".to_owned(), tree),
    };
    match kind {
        (kind, _) if kind == "batch" => job(reading, &header, task),
        (kind, node) if kind == "ops" => {
            let what = "one run on every node that fits is not kept";
            reading.refuse("Type", node.span, what, "Type: batch, with a Count");
            job(reading, &header, task)
        }
        (kind, node) if kind == "daemon" => {
            let what = "one replica on every node that fits is not kept";
            reading.refuse("Type", node.span, what, "Type: service, with a Count");
            services(reading, source, &header, task)
        }
        (kind, _) if kind == "service" => services(reading, source, &header, task),
        (_, node) => Err(expected(node, "batch, ops, service or daemon")),
    }
}

fn job(mut reading: Reading<'_>, header: &Header, task: Task) -> Result<Import<Work>, Fault> {
    batch::check(&mut reading, &task);
    reading.finish(|_| Ok(Work::Job(batch::job_text(header, &task))))
}

fn services(
    mut reading: Reading<'_>,
    source: &Source,
    header: &Header,
    task: Task,
) -> Result<Import<Work>, Fault> {
    if let Engine::Wasm { span, .. } = &task.engine {
        let what = "services run images; WASM programs run as tasks";
        reading.refuse("Tasks.0.Engine", *span, what, "Type: batch, or an image");
        return reading.finish(|_| Err(Fault::new(header.span, what)));
    }
    let draft = service::draft(&mut reading, header, task)?;
    reading
        .finish(|_| Ok(Work::Services(Plan::new(source.clone(), draft::finish(vec![draft], header.span)?))))
}
