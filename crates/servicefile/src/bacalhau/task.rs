//! The task of a Bacalhau job.

use crate::{
    bacalhau::keys,
    gpus,
    image::{self, ImageRef},
    import::{Given, Reading},
    walk::{self, entries, expected, is_empty, join, list},
};
use opensky_textfile::{Fault, Span, tree::Node, values::At};
use std::collections::BTreeMap;

/// A task that was read.
pub(crate) struct Task {
    pub span: Span,
    pub name: Option<At<String>>,
    pub engine: Engine,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub resources: Resources,
    pub network: Network,
    pub timeouts: Timeouts,
}

/// What runs.
pub(crate) enum Engine {
    Docker {
        image: At<ImageRef>,
    },
    /// A module by its path.
    Wasm {
        module: String,
        span: Span,
    },
}

/// What it may use.
#[derive(Default)]
pub(crate) struct Resources {
    pub cpu_cores: Option<u16>,
    pub memory_bytes: Option<u64>,
    pub scratch_bytes: Option<u64>,
    pub gpus: Option<u8>,
}

/// How it is reached.
#[derive(Default)]
pub(crate) struct Network {
    /// In lower case; none if absent.
    pub kind: Option<At<String>>,
    /// Ports of the program, with the port that is to lead to each, if one is said.
    pub ports: Vec<(u16, Option<u16>)>,
}

/// How long things may take, in seconds; none without a bound.
#[derive(Default)]
pub(crate) struct Timeouts {
    pub execution: Option<u64>,
    pub queue: Option<u64>,
    pub total: Option<u64>,
    pub span: Span,
}

pub(crate) fn read(reading: &mut Reading<'_>, path: &str, node: &Node, given: &Given) -> Result<Task, Fault> {
    reading.check_keys(path, node, keys::TASK)?;
    let missing = |key: &str| Fault::new(node.span, format!("the key '{key}' is missing"));
    let engine_node = walk::get(node, "Engine").ok_or_else(|| missing("Engine"))?;
    let path_engine = join(path, "Engine");
    reading.check_keys(&path_engine, engine_node, keys::ENGINE)?;
    let kind = walk::get(engine_node, "Type").ok_or_else(|| missing("Engine.Type"))?;
    let params = walk::get(engine_node, "Params").ok_or_else(|| missing("Engine.Params"))?;
    let path_params = join(&path_engine, "Params");
    let kind_text = reading.text(kind)?.to_ascii_lowercase();
    let (engine, args) = match kind_text.as_str() {
        "docker" => docker(reading, &path_params, params, given)?,
        "wasm" => wasm(reading, &path_params, params, node)?,
        _ => return Err(expected(kind, "docker or wasm")),
    };
    inputs(reading, path, node, &engine)?;
    results(reading, path, node)?;
    Ok(Task {
        span: node.span,
        name: walk::get(node, "Name").map(|node| reading.text_at(node)).transpose()?,
        engine,
        args,
        env: env(reading, path, node, params)?,
        resources: resources(reading, path, node)?,
        network: network(reading, path, node)?,
        timeouts: timeouts(reading, path, node)?,
    })
}

fn docker(
    reading: &mut Reading<'_>,
    path: &str,
    params: &Node,
    given: &Given,
) -> Result<(Engine, Vec<String>), Fault> {
    reading.check_keys(path, params, keys::DOCKER)?;
    let image = walk::get(params, "Image").filter(|image| !is_empty(image));
    let image = image.ok_or_else(|| Fault::new(params.span, "the key 'Image' is missing"))?;
    let image = reading.text_at(image)?;
    let entry_point = walk::get(params, "Entrypoint").filter(|node| !is_empty(node));
    let mut words = entry_point.map_or(Ok(Vec::new()), |node| reading.plain_texts(node))?;
    if let Some(node) = entry_point.filter(|_| !image::can_take_entry_point(&image.value, given)) {
        let what = "the image's entry point stays";
        let instead = "give arguments by `Parameters`, set ENTRYPOINT in the image, or use one without";
        reading.refuse(&join(path, "Entrypoint"), node.span, what, instead);
    }
    words.extend(parameters(reading, params)?);
    Ok((Engine::Docker { image: image::of_engine(&image)? }, words))
}

fn wasm(
    reading: &mut Reading<'_>,
    path: &str,
    params: &Node,
    task: &Node,
) -> Result<(Engine, Vec<String>), Fault> {
    reading.check_keys(path, params, keys::WASM)?;
    let node = walk::get(params, "EntryModule").filter(|node| !is_empty(node));
    let node = node.ok_or_else(|| Fault::new(params.span, "the key 'EntryModule' is missing"))?;
    let module = match node.entries() {
        Some(_) => local_source(reading, node)?,
        None => {
            let target = reading.text(node)?;
            let from_input = input_at(reading, task, &target)?;
            Some(from_input.unwrap_or(target))
        }
    };
    let module = module.unwrap_or_else(|| {
        let what = "programs are not fetched from elsewhere";
        reading.refuse(
            &join(path, "EntryModule"),
            node.span,
            what,
            "fetch it, and name its path by a localDirectory",
        );
        String::new()
    });
    if let Some(entry) = walk::get(params, "Entrypoint").filter(|entry| !is_empty(entry)) {
        let text = reading.text(entry)?;
        if text != "_start" {
            let what = format!("the function '{text}' is not called with arguments of a command line");
            reading.refuse(&join(path, "Entrypoint"), entry.span, &what, "export _start");
        }
    }
    Ok((Engine::Wasm { module, span: node.span }, parameters(reading, params)?))
}

fn parameters(reading: &Reading<'_>, params: &Node) -> Result<Vec<String>, Fault> {
    walk::get(params, "Parameters").map_or(Ok(Vec::new()), |node| reading.plain_texts(node))
}

/// The path of a source on this machine; none for one elsewhere.
fn local_source(reading: &Reading<'_>, input: &Node) -> Result<Option<String>, Fault> {
    let source = walk::get(input, "Source").or_else(|| walk::get(input, "StorageSource")).unwrap_or(input);
    let kind = walk::get(source, "Type").map_or(Ok(String::new()), |node| reading.text(node))?;
    let path = walk::get(source, "Params").and_then(|params| walk::get(params, "SourcePath"));
    match path {
        Some(path) if kind.eq_ignore_ascii_case("localDirectory") => reading.text(path).map(Some),
        _ => Ok(None),
    }
}

/// The path on this machine of the input that a task finds at `target`.
fn input_at(reading: &Reading<'_>, task: &Node, target: &str) -> Result<Option<String>, Fault> {
    for input in walk::get(task, "InputSources").map_or(Ok(&[][..]), list)? {
        if let Some(node) = walk::get(input, "Target")
            && reading.text(node)? == target
        {
            return local_source(reading, input);
        }
    }
    Ok(None)
}

fn inputs(reading: &mut Reading<'_>, path: &str, task: &Node, engine: &Engine) -> Result<(), Fault> {
    for input in walk::get(task, "InputSources").map_or(Ok(&[][..]), list)? {
        let is_module = match engine {
            Engine::Wasm { module, .. } => local_source(reading, input)?.as_ref() == Some(module),
            Engine::Docker { .. } => false,
        };
        if !is_module {
            let what = "inputs are not mounted: a program reads its input as standard input";
            let instead = "`stdin`, `files`, `lines` or `bytes` of a job file, or files in the image";
            reading.refuse(&join(path, "InputSources"), input.span, what, instead);
        }
    }
    Ok(())
}

fn results(reading: &mut Reading<'_>, path: &str, task: &Node) -> Result<(), Fault> {
    for result in walk::get(task, "ResultPaths").map_or(Ok(&[][..]), list)? {
        let node = walk::get(result, "Path").unwrap_or(result);
        let text = reading.text(node)?;
        if text.trim_end_matches('/') != "/out" {
            let what = format!("files are kept from /out alone, not from {text}");
            reading.refuse(&join(path, "ResultPaths"), node.span, &what, "let the program write to /out");
        }
    }
    Ok(())
}

/// `Env` of the task, and what its engine sets.
fn env(
    reading: &mut Reading<'_>,
    path: &str,
    task: &Node,
    params: &Node,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut all = BTreeMap::new();
    for (key, node) in walk::get(task, "Env").map_or(Ok(&[][..]), entries)? {
        let value = reading.text(node)?;
        if value.starts_with("env:") {
            let what = format!("{} is not taken from the environment of a node", key.text);
            reading.refuse(&join(path, "Env"), node.span, &what, "write its value");
        }
        all.insert(key.text.clone(), value);
    }
    if let Some(node) = walk::get(params, "EnvironmentVariables") {
        let pairs = reading.assignments(node)?;
        all.extend(pairs.into_iter().map(|(name, value)| (name, value.unwrap_or_default())));
    }
    Ok(all)
}

fn resources(reading: &mut Reading<'_>, path: &str, task: &Node) -> Result<Resources, Fault> {
    let Some(node) = walk::get(task, "Resources") else { return Ok(Resources::default()) };
    let path = join(path, "Resources");
    reading.check_keys(&path, node, keys::RESOURCES)?;
    let given = |name: &str| walk::get(node, name).filter(|node| !is_empty(node));
    let cpu_cores = match given("CPU") {
        Some(node) => {
            let milli = reading.milli_cores(node)?;
            Some(reading.whole_cores(&join(&path, "CPU"), node, milli)?)
        }
        None => None,
    };
    let gpus = match given("GPU") {
        Some(node) => gpus::count(reading, &join(&path, "GPU"), node)?,
        None => None,
    };
    Ok(Resources {
        cpu_cores,
        memory_bytes: given("Memory").map(|node| reading.bytes(node, 1_000)).transpose()?,
        scratch_bytes: given("Disk").map(|node| reading.bytes(node, 1_000)).transpose()?,
        gpus,
    })
}

fn network(reading: &mut Reading<'_>, path: &str, task: &Node) -> Result<Network, Fault> {
    let Some(node) = walk::get(task, "Network") else { return Ok(Network::default()) };
    let path = join(path, "Network");
    reading.check_keys(&path, node, keys::NETWORK)?;
    let kind = walk::get(node, "Type").map(|node| reading.text_at(node)).transpose()?;
    let kind = kind.map(|At { span, value }| At { span, value: value.to_ascii_lowercase() });
    let mut ports = Vec::new();
    for item in walk::get(node, "Ports").map_or(Ok(&[][..]), list)? {
        reading.check_keys(&join(&path, "Ports"), item, keys::PORT)?;
        let port = |name: &str| {
            let node = walk::get(item, name).filter(|node| !is_empty(node))?;
            Some(reading.small::<u16>(node))
        };
        let (target, local) = (port("Target").transpose()?, port("Static").transpose()?);
        let inner = target.or(local).ok_or_else(|| Fault::new(item.span, "the key 'Target' is missing"))?;
        ports.push((inner, local));
    }
    Ok(Network { kind, ports })
}

fn timeouts(reading: &mut Reading<'_>, path: &str, task: &Node) -> Result<Timeouts, Fault> {
    let Some(node) = walk::get(task, "Timeouts") else { return Ok(Timeouts::default()) };
    reading.check_keys(&join(path, "Timeouts"), node, keys::TIMEOUTS)?;
    let seconds = |name: &str| {
        let node = walk::get(node, name).filter(|node| !is_empty(node));
        node.map(|node| reading.whole(node)).transpose()
    };
    Ok(Timeouts {
        execution: seconds("ExecutionTimeout")?,
        queue: seconds("QueueTimeout")?,
        total: seconds("TotalTimeout")?,
        span: node.span,
    })
}
