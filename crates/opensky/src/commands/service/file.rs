//! Files that say which services run, with all that they name.

use crate::{
    commands::Context,
    fail::{Exit, Fail},
};
use anyhow::{Context as _, Result};
use opensky_servicefile::{
    Given, ImageFacts, Import, Kind, Needs, Plan, Unsupported, bacalhau::Work, compose, detect, format_of,
    sdl,
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// The file with variables that Compose reads beside its own.
const ENV_FILE: &str = ".env";

/// A file with its text and what it seems to be.
pub struct Named {
    pub path: PathBuf,
    pub text: String,
    pub kind: Option<Kind>,
}

/// Reads a file and looks at what it is.
pub fn read_text(path: &Path) -> Result<Named> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let kind = detect(&path.display().to_string(), &text);
    Ok(Named { path: path.to_owned(), text, kind })
}

/// The services of a file of any kind that has some. What OpenSky does otherwise is said; what it cannot do ends
/// it.
pub async fn read_services(context: &Context, path: &Path, profiles: &[String]) -> Result<Plan> {
    let named = read_text(path)?;
    let name = path.display().to_string();
    match named.kind {
        Some(Kind::JobFile) => {
            let next = format!("opensky run {name}");
            Err(Fail::new(Exit::Invalid, format!("{name} is a job file, not one of services"))
                .next(next)
                .into())
        }
        Some(Kind::Compose | Kind::Sdl | Kind::Bacalhau) => {
            match read_import(context, &named, profiles).await? {
                Work::Services(plan) => Ok(plan),
                Work::Job(job) => {
                    let what = format!(
                        "{name} is a batch job, not a service; as a job file of OpenSky:\n\n{}",
                        job.toml
                    );
                    Err(Fail::new(Exit::Invalid, what).into())
                }
            }
        }
        Some(Kind::ServiceFile) | None => {
            let format =
                format_of(&name).with_context(|| format!("{name} ends in no format that is known"))?;
            opensky_servicefile::parse(&name, &named.text, format).map_err(invalid)
        }
    }
}

/// The same of another system's file.
pub async fn read_import(context: &Context, named: &Named, profiles: &[String]) -> Result<Work> {
    let (name, text) = (named.path.display().to_string(), named.text.as_str());
    let folder = named.path.parent().unwrap_or(Path::new(""));
    let mut given = Given { profiles: profiles.iter().cloned().collect(), ..Given::default() };
    match named.kind {
        Some(Kind::Compose) => {
            given.vars = variables(folder)?;
            let needs = compose::needs(&name, text, &given).map_err(invalid)?;
            look_up(&mut given, folder, needs).await;
            accept(context, &name, compose::read(&name, text, &given).map_err(invalid)?).map(Work::Services)
        }
        Some(Kind::Sdl) => {
            let needs = sdl::needs(&name, text).map_err(invalid)?;
            look_up(&mut given, folder, needs).await;
            accept(context, &name, sdl::read(&name, text, &given).map_err(invalid)?).map(Work::Services)
        }
        _ => {
            let format =
                format_of(&name).with_context(|| format!("{name} ends in no format that is known"))?;
            let needs = opensky_servicefile::bacalhau::needs(&name, text, format).map_err(invalid)?;
            look_up(&mut given, folder, needs).await;
            let read = opensky_servicefile::bacalhau::read(&name, text, format, &given);
            accept(context, &name, read.map_err(invalid)?)
        }
    }
}

fn accept<T>(context: &Context, name: &str, import: Import<T>) -> Result<T> {
    for note in import.notes() {
        context.say(format!("{name}: note: {note}"));
    }
    import.accept().map_err(|refused| {
        let lines: Vec<String> = refused.iter().map(Unsupported::to_string).collect();
        let what = format!(
            "{name} asks for what OpenSky does not do, so nothing was started:\n  {}",
            lines.join("\n  ")
        );
        Fail::new(Exit::Invalid, what).into()
    })
}

fn invalid(error: opensky_servicefile::FileError) -> anyhow::Error {
    Fail::new(Exit::Invalid, error.to_string()).into()
}

/// What stands for `${NAME}`: the file `.env`, and over it this process's own variables.
pub fn variables(folder: &Path) -> Result<BTreeMap<String, String>> {
    let own = || {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
    };
    let path = folder.join(ENV_FILE);
    let mut variables: BTreeMap<String, String> = match std::fs::read_to_string(&path) {
        Ok(text) => {
            let own: BTreeMap<String, String> = own().collect();
            let read = compose::parse_env_file(&path.display().to_string(), &text, &own).map_err(invalid)?;
            read.into_iter().collect()
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    variables.extend(own());
    Ok(variables)
}

/// Gets what a file names and does not hold. What is not there is left out: the reader of the file says so.
async fn look_up(given: &mut Given, folder: &Path, needs: Needs) {
    for name in needs.files {
        if let Ok(text) = std::fs::read_to_string(folder.join(&name)) {
            given.files.insert(name, text);
        }
    }
    for image in needs.images {
        if let Some(facts) = engine_facts(&image).await {
            given.images.insert(image, facts);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EngineConfig {
    #[serde(default)]
    exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    #[serde(default)]
    entrypoint: Option<Vec<String>>,
}

/// What the engine of this machine says of an image; none where there is no engine, or no such image.
pub async fn engine_facts(image: &str) -> Option<ImageFacts> {
    if image.starts_with('-') {
        return None;
    }
    for program in ["docker", "podman"] {
        let mut command = Command::new(program);
        command.args(["image", "inspect", "--format", "{{json .Config}}", image]);
        let output = command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).output().await;
        let Ok(output) = output else { continue };
        let config: EngineConfig = serde_json::from_slice(&output.stdout).ok()?;
        let ports = config.exposed_ports.unwrap_or_default();
        let tcp = ports.keys().filter_map(|port| port.strip_suffix("/tcp").unwrap_or(port).parse().ok());
        return Some(ImageFacts { ports: tcp.collect(), entry_point: config.entrypoint.unwrap_or_default() });
    }
    None
}
