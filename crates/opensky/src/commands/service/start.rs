//! Services started in order: images sent, declared, opened, waited for.

use crate::{
    commands::{
        Context,
        invite::millis,
        service::{folder::read_folder, secrets::read_secrets, show::list_table},
    },
    fail::{Exit, Fail},
};
use anyhow::{Context as _, Result};
use clap::Args;
use opensky_api::{
    content::BlobRef,
    service::{OpenPortRequest, ServiceRequest, ServiceStateView, ServiceView, Services},
};
use opensky_client::{Client, ClientError, ImageSource};
use opensky_servicefile::{ImageRef, Plan, PlannedService};
use opensky_types::{Hash, NodeId, service::ServiceRef};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

/// Failures of what never ran, after which nobody waits for it. The sky goes on trying.
const FAILURES_MAX: u32 = 3;
const LOOK: Duration = Duration::from_millis(250);

/// How services are started.
#[derive(Debug, Clone, Args)]
pub struct StartArgs {
    /// Do not wait until they are healthy
    #[arg(long, short)]
    pub detach: bool,
    /// How long to wait until each is healthy
    #[arg(long, value_parser = millis, default_value = "10m")]
    pub wait: u64,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// What is done about a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    Start,
    Update,
    /// Whether its secrets are others than before is known to the node alone.
    Secrets,
    /// Whether its image is another one is known once the engine has given it away, which looking does not ask for.
    Image,
    None,
}

#[derive(Serialize)]
struct Intended {
    service: String,
    change: Change,
}

/// Starts the services of a plan, each once those before it are healthy where it waits for them.
pub async fn start(
    context: &Context,
    client: &Client,
    plan: &Plan,
    folder: &Path,
    args: &StartArgs,
) -> Result<()> {
    let mut images = BTreeMap::new();
    let mut intended = Vec::new();
    for service in plan.services() {
        let known = find(client, &service.name.value).await?.filter(|known| known.own);
        let secrets = read_secrets(context, plan, service, folder).await?;
        let request = |image| anyhow::Ok(ServiceRequest { secrets, ..request(plan, service, image)? });
        let change = if args.dry_run {
            let seen = seen_image(client, plan, service, folder).await?;
            let (sure, image) = (seen.is_some(), seen.or_else(|| known.as_ref().and_then(image_of)));
            let request = image.map(request).transpose()?;
            let change = request.map_or(Change::Start, |request| change(known.as_ref(), &request));
            if !sure && matches!(change, Change::None | Change::Secrets) { Change::Image } else { change }
        } else {
            let request = request(image(client, plan, service, folder, &mut images).await?)?;
            let change = change(known.as_ref(), &request);
            let revision = known.map_or(0, |known| known.revision);
            begin(context, client, service, (&request, change, revision), args).await?;
            change
        };
        intended.push(Intended { service: service.name.value.clone(), change });
    }
    if args.dry_run {
        return context.format.print(&intended, |intended| {
            let line = |one: &Intended| {
                let word = match one.change {
                    Change::Start => "would start",
                    Change::Update => "would get its next revision",
                    Change::Secrets => "would get its next revision if its secrets are others",
                    Change::Image => "would get its next revision if its image is another",
                    Change::None => "is as it should be",
                };
                format!("{} {word}\n", one.service)
            };
            intended.iter().map(line).collect()
        });
    }
    if !args.detach {
        for service in plan.services() {
            until_healthy(context, client, &service.name.value, args).await?;
        }
    }
    let mut all = client.services().await?;
    let named = |name: &str| plan.services().iter().any(|service| service.name.value == name);
    all.services.retain(|service| service.own && named(&service.name));
    context.format.print(&all, |all: &Services| list_table(all))
}

fn change(known: Option<&ServiceView>, request: &ServiceRequest) -> Change {
    let Some(known) = known else { return Change::Start };
    if known.problem.is_some() || known.spec.as_ref() != Some(&request.without_values()) {
        return Change::Update;
    }
    if request.secrets.is_empty() { Change::None } else { Change::Secrets }
}

async fn begin(
    context: &Context,
    client: &Client,
    service: &PlannedService,
    (request, change, known): (&ServiceRequest, Change, u64),
    args: &StartArgs,
) -> Result<()> {
    for earlier in &service.after {
        until_healthy(context, client, earlier, args).await?;
    }
    let name = &service.name.value;
    let declared = match change {
        Change::None => None,
        Change::Start | Change::Update | Change::Secrets | Change::Image => {
            Some(client.declare_service(request).await?)
        }
    };
    match declared.filter(|view| view.revision != known) {
        None => context.say(format!("{name}: is as it should be")),
        Some(view) => {
            context.say(format!("{name}: revision {}", view.revision));
            say_readers(context, &view);
        }
    }
    let reference = own(name);
    let open = client.service(&reference).await?.open_ports;
    for publish in &service.publish {
        let leads = |listen: std::net::SocketAddr| listen == publish.local || publish.local.port() == 0;
        if open.iter().any(|open| open.port == publish.port && leads(open.listen)) {
            continue;
        }
        let request = OpenPortRequest { port: publish.port, listen: Some(publish.local) };
        let open = client.open_service_port(&reference, &request).await?;
        context.say(format!("{name}: {} leads to its port {}", open.listen, open.port));
    }
    Ok(())
}

/// Who can read the secrets of a service is for its owner to judge.
fn say_readers(context: &Context, view: &ServiceView) {
    if view.readers.is_empty() {
        return;
    }
    let others: Vec<String> =
        view.readers.iter().filter(|node| **node != view.owner).map(NodeId::short).collect();
    let whom = if others.is_empty() { "no other node".to_owned() } else { others.join(", ") };
    context.say(format!("{}: its secrets can be read here and by {whom}; it runs nowhere else", view.name));
}

fn own(name: &str) -> ServiceRef {
    ServiceRef { name: name.to_owned(), owner: None }
}

async fn find(client: &Client, name: &str) -> Result<Option<ServiceView>> {
    match client.service(&own(name)).await {
        Ok(view) => Ok(Some(view)),
        Err(ClientError::Problem(problem)) if problem.code == opensky_api::Code::ServiceNotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The image of a service, on the node when this returns; each is sent once.
async fn image(
    client: &Client,
    plan: &Plan,
    service: &PlannedService,
    folder: &Path,
    sent: &mut BTreeMap<ImageRef, BlobRef>,
) -> Result<BlobRef> {
    if let Some(known) = sent.get(&service.image.value) {
        return Ok(*known);
    }
    let blob = match &service.image.value {
        ImageRef::Registry(image) => return Ok(BlobRef { hash: image.hash(), size_bytes: 0 }),
        ImageRef::Engine(name) => client.image(ImageSource::Engine(name)).await,
        ImageRef::Kept(name) => client.image(ImageSource::Kept(name)).await,
        ImageRef::Archive(path) | ImageRef::Component(path) => client.upload_file(&folder.join(path)).await,
        ImageRef::Site(path) => client.upload(site(plan, service, &folder.join(path)).await?).await,
    };
    let blob = blob.map_err(|error| {
        let hint = match &service.image.value {
            ImageRef::Engine(name) => Some(format!("get it first: docker pull {name}")),
            ImageRef::Kept(name) => Some(format!("keep it first: opensky image push docker:{name}")),
            ImageRef::Archive(_) | ImageRef::Component(_) | ImageRef::Site(_) | ImageRef::Registry(_) => {
                Some("paths are relative to the file".to_owned())
            }
        };
        Fail::new(Exit::Invalid, plan.error_at(&service.image, error.to_string(), hint).to_string())
    })?;
    sent.insert(service.image.value.clone(), blob);
    Ok(blob)
}

/// The image that a service would have, as far as that is known without sending it to the node.
async fn seen_image(
    client: &Client,
    plan: &Plan,
    service: &PlannedService,
    folder: &Path,
) -> Result<Option<BlobRef>> {
    let of = |bytes: &[u8]| BlobRef { hash: Hash::of(bytes), size_bytes: bytes.len() as u64 };
    match &service.image.value {
        ImageRef::Engine(_) => Ok(None),
        ImageRef::Registry(image) => Ok(Some(BlobRef { hash: image.hash(), size_bytes: 0 })),
        ImageRef::Kept(_) => Ok(Some(image(client, plan, service, folder, &mut BTreeMap::new()).await?)),
        ImageRef::Site(path) => Ok(Some(of(&site(plan, service, &folder.join(path)).await?))),
        ImageRef::Archive(path) | ImageRef::Component(path) => {
            let file = folder.join(path);
            let read = tokio::task::spawn_blocking(move || Hash::of_reader(std::fs::File::open(file)?));
            let (hash, size_bytes) =
                read.await.context("the file was not read to its end")?.map_err(|error| {
                    let problem = format!("cannot read {path}: {error}");
                    Fail::new(Exit::Invalid, plan.error_at(&service.image, problem, None).to_string())
                })?;
            Ok(Some(BlobRef { hash, size_bytes }))
        }
    }
}

/// The image that a service has now.
fn image_of(known: &ServiceView) -> Option<BlobRef> {
    known.spec.as_ref().map(|spec| BlobRef { hash: spec.image, size_bytes: spec.image_size_bytes })
}

/// The component of a folder.
async fn site(plan: &Plan, service: &PlannedService, folder: &Path) -> Result<Vec<u8>> {
    let folder = folder.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        read_folder(&folder)
            .and_then(|files| opensky_site::component(&files).map_err(|error| error.to_string()))
    });
    made.await.context("the folder was not read to its end")?.map_err(|problem| {
        let hint = "a site is a folder with an index.html; names that begin with a dot stay out".to_owned();
        Fail::new(Exit::Invalid, plan.error_at(&service.image, problem, Some(hint)).to_string()).into()
    })
}

fn request(plan: &Plan, service: &PlannedService, image: BlobRef) -> Result<ServiceRequest> {
    let blob = opensky_types::job::Blob { hash: image.hash, size_bytes: image.size_bytes };
    let spec = service.spec(blob).map_err(|invalid| {
        Fail::new(Exit::Invalid, plan.error_at(&service.name, invalid.to_string(), None).to_string())
    })?;
    Ok(ServiceRequest::from(spec))
}

/// Waits until a service is healthy, telling what happens; ends with what went wrong if it will not be.
async fn until_healthy(context: &Context, client: &Client, name: &str, args: &StartArgs) -> Result<()> {
    let began = Instant::now();
    let mut told = 0;
    let mut first = true;
    loop {
        let view = client.service(&own(name)).await?;
        // What happened before this start is no news.
        if std::mem::take(&mut first) && view.state == ServiceStateView::Healthy {
            return Ok(());
        }
        let fresh = view.notes.iter().filter(|note| note.at >= view.declared_at);
        let fresh: Vec<_> = fresh.collect();
        for note in fresh.iter().skip(told) {
            let slot = note.slot.map(|slot| format!("[{slot}]")).unwrap_or_default();
            context.say(format!("{name}{slot}: {}", note.text));
        }
        told = fresh.len().max(told);
        if let Some(problem) = &view.problem {
            let what = format!("{name}: revision {} did not get healthy: {problem}", view.revision);
            return Err(Fail::new(Exit::JobFailed, what).next(format!("opensky service show {name}")).into());
        }
        if view.state == ServiceStateView::Healthy {
            return Ok(());
        }
        if view.failures >= FAILURES_MAX {
            let failure = view.failure.as_deref().unwrap_or("it ended");
            let what = format!(
                "{name} does not run: it failed {} times, the last time so: {failure}",
                view.failures
            );
            return Err(Fail::new(Exit::JobFailed, what).next(format!("opensky service show {name}")).into());
        }
        if began.elapsed() >= Duration::from_millis(args.wait) {
            let what = format!("{name} is not healthy yet ({}); it goes on trying", view.state.as_str());
            return Err(Fail::new(Exit::JobFailed, what).next(format!("opensky service show {name}")).into());
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.context("no signals here")?;
                let what = format!("{name} goes on starting");
                return Err(Fail::new(Exit::Interrupted, what).next(format!("opensky service show {name}")).into());
            }
        }
    }
}
