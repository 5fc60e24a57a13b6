//! `opensky service`

mod file;
mod folder;
mod secrets;
mod show;
mod start;

pub use file::{read_import, read_services, read_text};
pub use show::{list_table, log, service_table};
pub use start::{StartArgs, start};

use crate::{
    acting::confirm,
    commands::Context,
    fail::{Exit, Fail},
    output::print_line,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_api::service::{ClosePortQuery, OpenPortRequest, ServiceView, Services};
use opensky_client::{Client, ImageSource};
use opensky_servicefile::{Format, Plan};
use opensky_types::{
    job::{GpuNeed, GpuVendor, Isolation},
    resources::ByteSize,
    service::ServiceRef,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Keep programs up: on any nodes, whatever happens to one of them
#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// Start a service, or its next revision
    #[command(
        visible_alias = "update",
        after_help = "\
Examples:
  opensky service run docker:nginx --port 80 --publish 8080:80 --replicas 2
  opensky service run docker:postgres:17 --name db --port 5432 --secret-env POSTGRES_PASSWORD=password.txt
  opensky service run docker:redis:8 --name cache --port 6379 --volume data:/data:2GiB
  opensky service run ghcr.io/owner/app@sha256:... --port 80   nodes that allow that registry take it there
  opensky service run docker:my-model --port 80 --gpus 1,memory=16GiB
  opensky service run docker:my-app --port 3000 --link db:5432 --health-http /healthz
  opensky service run hello.wasm --publish 8080:80   a component that answers HTTP
  opensky service run public/ --publish 8080:80      a folder with a web site
  opensky service run web.toml            service files, Compose files and Akash SDL
A service of the same name gets its next revision: replica by replica, each new one healthy before
an old one ends. If it does not get healthy, the revision before goes on."
    )]
    Run(Box<RunArgs>),
    /// List services: own ones, and those of other members
    List,
    /// Show a service, its replicas, and what happened lately
    Show {
        /// Its name; NAME@NODE for one of another owner
        service: ServiceRef,
    },
    /// Show what its replicas write
    Logs(LogsArgs),
    /// Change how many replicas run
    #[command(after_help = "Example:\n  opensky service scale web 3")]
    Scale {
        /// Its name
        service: ServiceRef,
        /// How many
        replicas: u16,
    },
    /// Go back to the revision before
    Rollback {
        /// Its name
        service: ServiceRef,
    },
    /// End services everywhere
    Remove {
        /// Their names
        #[arg(required = true)]
        services: Vec<ServiceRef>,
        /// Do not ask first
        #[arg(long, short)]
        yes: bool,
    },
    /// Lead a local address to a service, from this node
    #[command(after_help = "\
Examples:
  opensky service open web 80                            a free port of this machine
  opensky service open web 80 --listen 127.0.0.1:8080
  opensky service open db@12D3KooW... 5432")]
    Open(OpenArgs),
    /// Lead a local address nowhere any more
    Close {
        /// The service
        service: ServiceRef,
        /// Where this node listens
        listen: SocketAddr,
    },
    /// Check a service file, a Compose file or an Akash SDL; start nothing
    Check {
        /// The file
        file: PathBuf,
    },
    /// Print the JSON Schema of service files
    Schema,
}

/// Start a service, or its next revision
#[derive(Debug, Args)]
pub struct RunArgs {
    /// An image (docker:NAME, sky:NAME, an archive, or REGISTRY/NAME@sha256:DIGEST), a component (a path that ends in .wasm), a folder that is a web site, or a
    /// file that says it all
    source: PathBuf,
    /// Arguments after the image's entry point
    #[arg(last = true)]
    args: Vec<String>,
    /// Its name [default: the image's]
    #[arg(long)]
    name: Option<String>,
    /// A port of the program that members may reach; may be given several times
    #[arg(long, value_name = "PORT")]
    port: Vec<u16>,
    /// A local address that leads to a port: 8080:80, or 80 for a free one
    #[arg(long, value_name = "[ADDRESS:]PORT")]
    publish: Vec<String>,
    /// Another service that the program reaches: HOST:PORT, or HOST=SERVICE:PORT
    #[arg(long, value_name = "HOST:PORT")]
    link: Vec<String>,
    /// How many replicas
    #[arg(long)]
    replicas: Option<u16>,
    /// An environment variable
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::run::variable)]
    env: Vec<(String, String)>,
    /// A folder that stays when the program ends, and moves with it [default SIZE: 1GiB]
    #[arg(long, value_name = "NAME:/PATH[:SIZE]", value_parser = volume)]
    volume: Vec<(String, WrittenVolume)>,
    /// A value that only those who run it can read, as the file /run/secrets/NAME: its file, env:VARIABLE, or - for
    /// standard input
    #[arg(long, value_name = "NAME=SOURCE", value_parser = secret)]
    secret: Vec<(String, String)>,
    /// The same as an environment variable of the program
    #[arg(long, value_name = "VARIABLE=SOURCE", value_parser = secret)]
    secret_env: Vec<(String, String)>,
    /// Most memory of a replica [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// Cores of a replica [default: 1]
    #[arg(long)]
    cpu: Option<u16>,
    /// GPUs that each replica has for itself: 1, or 2,memory=16GiB,vendor=nvidia,model=a100
    #[arg(long, value_name = "COUNT[,WHICH]")]
    gpus: Option<GpuNeed>,
    /// What keeps the program from its host: gvisor, or any, what the host's owner has chosen
    #[arg(long)]
    isolation: Option<Isolation>,
    /// Healthy is: this page answers, on the first port
    #[arg(long, value_name = "PATH", conflicts_with = "no_health")]
    health_http: Option<String>,
    /// Healthy is: it runs [default: its first port takes connections]
    #[arg(long)]
    no_health: bool,
    /// Profiles of a Compose file whose services start too
    #[arg(long)]
    profile: Vec<String>,
    #[command(flatten)]
    start: StartArgs,
}

/// Show what replicas write
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The service
    pub service: ServiceRef,
    /// Stay and show what is added
    #[arg(short, long)]
    pub follow: bool,
    /// Only this replica
    #[arg(long)]
    pub slot: Option<u16>,
}

/// Lead a local address to a service
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// The service
    service: ServiceRef,
    /// Its port
    port: u16,
    /// Where to listen [default: a free port of this machine alone]
    #[arg(long)]
    listen: Option<SocketAddr>,
}

pub async fn run(context: &Context, command: ServiceCommand) -> Result<()> {
    let client = || context.client();
    match command {
        ServiceCommand::Check { file } => check(context, &file).await,
        ServiceCommand::Schema => print_line(&opensky_servicefile::schema()),
        ServiceCommand::Run(args) => run_one(context, &client()?, *args).await,
        ServiceCommand::List => context.format.print(&client()?.services().await?, list_table),
        ServiceCommand::Show { service } => {
            context.format.print(&client()?.service(&service).await?, service_table)
        }
        ServiceCommand::Logs(args) => log(&client()?, &args).await,
        ServiceCommand::Scale { service, replicas } => {
            let view = client()?.scale_service(&service, replicas).await?;
            let said =
                |view: &ServiceView| format!("{service}: {replicas} replica(s), revision {}", view.revision);
            context.format.print(&view, said)
        }
        ServiceCommand::Rollback { service } => {
            let view = client()?.roll_back_service(&service).await?;
            let said = |view: &ServiceView| format!("{service}: goes back, as revision {}", view.revision);
            context.format.print(&view, said)
        }
        ServiceCommand::Remove { services, yes } => remove(context, &client()?, &services, yes).await,
        ServiceCommand::Open(args) => open(context, &client()?, &args).await,
        ServiceCommand::Close { service, listen } => {
            client()?.close_service_port(&service, &ClosePortQuery { listen }).await?;
            context.say(format!("{listen} leads nowhere any more"));
            Ok(())
        }
    }
}

async fn open(context: &Context, client: &Client, args: &OpenArgs) -> Result<()> {
    let request = OpenPortRequest { port: args.port, listen: args.listen };
    let open = client.open_service_port(&args.service, &request).await?;
    context
        .format
        .print(&open, |open| format!("{} leads to port {} of {}", open.listen, open.port, args.service))
}

async fn run_one(context: &Context, client: &Client, args: RunArgs) -> Result<()> {
    let source = args.source.to_str();
    let is_image = source.is_some_and(|text| ImageSource::of(text).is_some() || text.contains("@sha256:"));
    if !is_image && opensky_servicefile::format_of(&args.source.to_string_lossy()).is_some() {
        if args.gpus.is_some() || args.isolation.is_some() {
            let what = "--gpus and --isolation are of one image; a file says it for each service";
            let next = "add gpus = 1 or isolation = \"gvisor\" to the service";
            return Err(Fail::new(Exit::Invalid, what).next(next).into());
        }
        let plan = file::read_services(context, &args.source, &args.profile).await?;
        let folder = args.source.parent().unwrap_or(Path::new(""));
        return start(context, client, &plan, folder, &args.start).await;
    }
    let args = with_slash(args);
    let plan = plan_of(&args)?;
    start(context, client, &plan, Path::new(""), &args.start).await
}

/// A folder is told from other paths by the slash at its end.
fn with_slash(mut args: RunArgs) -> RunArgs {
    if args.source.is_dir() {
        args.source.push("");
    }
    args
}

/// The options as a service file, so that both are read by the same rules.
#[derive(Serialize)]
struct Written<'a> {
    service: [WrittenService<'a>; 1],
}

#[derive(Serialize)]
struct WrittenService<'a> {
    name: String,
    image: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    args: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ports: &'a [u16],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    publish: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    links: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<WrittenHealth<'a>>,
    env: BTreeMap<&'a str, &'a str>,
    secrets: BTreeMap<&'a str, WrittenSecret<'a>>,
    volumes: BTreeMap<&'a str, &'a WrittenVolume>,
    resources: BTreeMap<&'static str, toml::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation: Option<Isolation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpus: Option<WrittenGpus>,
}

#[derive(Serialize)]
struct WrittenGpus {
    count: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<GpuVendor>,
    model: String,
}

impl From<&GpuNeed> for WrittenGpus {
    fn from(need: &GpuNeed) -> Self {
        let memory = (need.memory_bytes_min > 0).then(|| format!("{}B", need.memory_bytes_min));
        Self { count: need.count, memory, vendor: need.vendor, model: need.model.clone() }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenHealth<'a> {
    Off(bool),
    Http { http: &'a str },
}

#[derive(Default, Serialize)]
struct WrittenSecret<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<&'a str>,
}

#[derive(Debug, Clone, Serialize)]
struct WrittenVolume {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
}

/// A volume as options say it.
fn volume(text: &str) -> Result<(String, WrittenVolume), String> {
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(path), size) if !name.is_empty() && path.starts_with('/') => {
            let volume = WrittenVolume { path: path.to_owned(), size: size.map(ToOwned::to_owned) };
            Ok((name.to_owned(), volume))
        }
        _ => Err("expected NAME:/PATH or NAME:/PATH:SIZE".to_owned()),
    }
}

/// Where the value of a secret is, as options say it.
fn secret(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, source)) if !name.is_empty() && !source.is_empty() => {
            Ok((name.to_owned(), source.to_owned()))
        }
        _ => Err("expected NAME=FILE, NAME=env:VARIABLE or NAME=-".to_owned()),
    }
}

fn written_secret<'a>(source: &'a str, env: Option<&'a str>) -> WrittenSecret<'a> {
    let written = WrittenSecret { env, ..WrittenSecret::default() };
    match (source, source.strip_prefix("env:")) {
        ("-", _) => WrittenSecret { input: Some(true), ..written },
        (_, Some(variable)) => WrittenSecret { variable: Some(variable), ..written },
        (file, None) => WrittenSecret { file: Some(file), ..written },
    }
}

fn plan_of(args: &RunArgs) -> Result<Plan> {
    let image = args.source.to_string_lossy();
    let mut resources = BTreeMap::new();
    if let Some(memory) = args.memory {
        resources.insert("memory", toml::Value::String(format!("{}B", memory.get())));
    }
    if let Some(cpu) = args.cpu {
        resources.insert("cpu", toml::Value::Integer(cpu.into()));
    }
    let http = args.health_http.as_deref().map(|http| WrittenHealth::Http { http });
    let files = args.secret.iter().map(|(name, source)| (name.as_str(), written_secret(source, None)));
    let variables = args.secret_env.iter();
    let variables =
        variables.map(|(name, source)| (name.as_str(), written_secret(source, Some(name.as_str()))));
    let service = WrittenService {
        name: args.name.clone().unwrap_or_else(|| name_of(&image)),
        image: &image,
        args: &args.args,
        ports: &args.port,
        publish: &args.publish,
        links: &args.link,
        replicas: args.replicas,
        health: if args.no_health { Some(WrittenHealth::Off(false)) } else { http },
        volumes: args.volume.iter().map(|(name, volume)| (name.as_str(), volume)).collect(),
        env: args.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        secrets: files.chain(variables).collect(),
        resources,
        isolation: args.isolation,
        gpus: args.gpus.as_ref().map(WrittenGpus::from),
    };
    let text = toml::to_string(&Written { service: [service] })?;
    let parsed = opensky_servicefile::parse("the options", &text, Format::Toml);
    parsed.map_err(|error| Fail::new(Exit::Invalid, error.to_string()).into())
}

/// A name from an image's: `docker:library/nginx:1.29` is `nginx`.
fn name_of(image: &str) -> String {
    let image = image.strip_prefix("docker:").or_else(|| image.strip_prefix("sky:")).unwrap_or(image);
    let last = image.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = last.split([':', '@']).next().unwrap_or_default();
    let name = name.strip_suffix(".tar").or_else(|| name.strip_suffix(".wasm")).unwrap_or(name);
    let label = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(label).collect::<String>().trim_matches('-').to_owned()
}

async fn remove(context: &Context, client: &Client, services: &[ServiceRef], yes: bool) -> Result<()> {
    let names: Vec<String> = services.iter().map(ToString::to_string).collect();
    confirm(&format!("end {} on all nodes; what its replicas wrote is lost?", names.join(", ")), yes)?;
    for service in services {
        client.remove_service(service).await?;
        context.say(format!("{service} is ending"));
    }
    Ok(())
}

async fn check(context: &Context, file: &Path) -> Result<()> {
    let plan = file::read_services(context, file, &[]).await?;
    let names: Vec<&str> = plan.services().iter().map(|service| service.name.value.as_str()).collect();
    let checked = serde_json::json!({ "file": file.display().to_string(), "services": names });
    context.format.print(&checked, |_| format!("{} is right: {}", file.display(), names.join(", ")))
}

/// The services of this node that stand in `plan`, as they are now.
pub async fn of_plan(client: &Client, plan: &Plan) -> Result<Services> {
    let mut services = client.services().await?;
    let named = |name: &str| plan.services().iter().any(|service| service.name.value == name);
    services.services.retain(|service| service.own && named(&service.name));
    Ok(services)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: RunArgs,
    }

    fn plan(line: &[&str]) -> Result<Plan> {
        plan_of(&Line::try_parse_from([&["run"], line].concat())?.args)
    }

    #[test]
    fn c10_options_are_a_service() {
        let line = [
            "docker:library/nginx:1.29",
            "--port",
            "80",
            "--publish",
            "8080:80",
            "--link",
            "db:5432",
            "--env",
            "A=b=c",
            "--memory",
            "64MiB",
            "--replicas",
            "2",
            "--",
            "nginx",
            "-g",
            "daemon off;",
        ];
        let plan = plan(&line).expect("these are right");
        let service = &plan.services()[0];
        assert_eq!((service.name.value.as_str(), service.replicas), ("nginx", 2));
        assert_eq!((&service.ports[..], service.limits.memory_bytes), (&[80][..], 64 << 20));
        assert_eq!(service.args, ["nginx", "-g", "daemon off;"]);
        assert_eq!(service.env, [("A".to_owned(), "b=c".to_owned())]);
        assert_eq!(service.publish[0].to_string(), "127.0.0.1:8080:80");
        assert_eq!((service.links[0].host.as_str(), service.links[0].port), ("db", 5432));
        assert!(service.health.is_some(), "the first port is asked, unless the options say otherwise");
    }

    #[test]
    fn c10_wrong_options_are_refused_by_name() {
        for (line, word) in [
            (&["docker:nginx", "--publish", "host:80"][..], "publish"),
            (&["docker:nginx", "--link", "db"][..], "db"),
            (&["docker:nginx", "--name", "My_App"][..], "My_App"),
            (&["docker:nginx", "--port", "80", "--replicas", "0"][..], "replicas"),
        ] {
            let error = plan(line).expect_err("something is wrong").to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn images_give_names() {
        for (image, name) in [
            ("docker:nginx", "nginx"),
            ("docker:registry.example:5000/team/My_App:2", "my-app"),
            ("sky:tools", "tools"),
            ("build/web.tar", "web"),
            ("hello.wasm", "hello"),
            ("./public/", "public"),
            ("docker:a@sha256:00", "a"),
        ] {
            assert_eq!(name_of(image), name);
        }
    }
}
