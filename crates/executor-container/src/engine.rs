//! The engine on this machine: found when it starts, watched, and let go when it hangs.

use crate::{
    create::{OWNER_LABEL, hardening_hash},
    gpus::{Way, ways},
    task::{KILLED, remove},
};
use bollard::{
    API_DEFAULT_VERSION, Docker,
    models::{ContainerState, Runtime, SystemInfoCgroupDriverEnum},
    query_parameters::ListContainersOptionsBuilder,
};
use opensky_ports::GpuDevice;
use opensky_types::{
    engine::Engine, job::Isolation, offer::ContainerOffer, place::Level, task::Failure, text::causes,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Longest wait for an engine to say who it is.
const ANSWER_WAIT: Duration = Duration::from_secs(3);
/// Looks in a row that an engine may miss.
const MISSES_MAX: u32 = 2;
/// The runtime of engines that are as they were installed.
const PLAIN_RUNTIME: &str = "runc";
/// Where Podman's program is that begins containers, which is a package of its own.
const INITS: [&str; 4] = [
    "/usr/libexec/podman/catatonit",
    "/usr/bin/catatonit",
    "/usr/local/libexec/podman/catatonit",
    "/usr/lib/podman/catatonit",
];
/// Longest wait for an answer to an order, in seconds.
const ORDER_WAIT_S: u64 = 60;

/// An engine that answers.
#[derive(Debug)]
pub struct Found {
    pub docker: Docker,
    /// Name and version.
    pub name: String,
    /// Its machines, as Go names them: `amd64`, `arm64`.
    pub arch: String,
    /// What runs containers: the runtime that the owner asks for, or the plain one, where the engine names it: what it
    /// runs by default may hand out devices.
    pub runtime: Option<String>,
    /// Whether it makes control groups itself, at paths of our choice.
    pub makes_cgroups: bool,
    /// Whether programs reach sockets of this machine that are shown to them, as the doors of services are.
    pub has_sockets: bool,
    /// The runtime for programs that ask for gVisor, and whether sockets are reached in it.
    pub gvisor: Option<(String, bool)>,
    /// Its ways to the machine's GPUs, by their places.
    pub gpus: Vec<(u8, Way)>,
    /// Registries that its owner lets images come from.
    pub registries: Vec<String>,
    /// What it is in which Podman does otherwise than Docker.
    pub is_podman: bool,
    /// Processes of a user, where it would ask for more than this machine may have any.
    pub user_processes_max: Option<i64>,
}

impl Found {
    /// What offers and receipts say of it.
    pub fn engine(&self) -> Engine {
        let config = hardening_hash(&self.arch, self.runtime.as_deref());
        let containers = ContainerOffer {
            isolations: self.gvisor.iter().map(|_| Isolation::Gvisor).collect(),
            registries: self.registries.clone(),
            gpus: self.gpus.iter().map(|(place, _)| *place).collect(),
        };
        Engine { name: self.name.clone(), config, levels: vec![Level::Container], containers }
    }

    /// Whether it is as it was when it was seen before.
    fn is_like(&self, other: &Self) -> bool {
        (self.engine(), &self.gvisor, &self.gpus, self.has_sockets)
            == (other.engine(), &other.gvisor, &other.gpus, other.has_sockets)
    }

    /// The runtime for a program: never a thinner wall than it asks for.
    pub fn runtime_for(&self, isolation: Isolation) -> Result<Option<String>, Failure> {
        match (isolation, &self.gvisor) {
            (Isolation::Any, _) => Ok(self.runtime.clone()),
            (Isolation::Gvisor, Some((name, _))) => Ok(Some(name.clone())),
            (Isolation::Gvisor, None) => Err(Failure::ProviderStopped {
                message: "the container engine has no gVisor any more".into(),
            }),
        }
    }

    /// Whether a program that was killed ran out of memory: by the engine's word, or where Podman has none in time, if
    /// it had all the memory that it may have.
    pub fn is_out_of_memory(
        &self,
        state: &ContainerState,
        peak_bytes: Option<u64>,
        limit_bytes: u64,
    ) -> bool {
        let had_all = || peak_bytes.is_some_and(|peak_bytes| peak_bytes >= limit_bytes);
        let was_killed = state.exit_code == Some(KILLED);
        state.oom_killed == Some(true) || (self.is_podman && was_killed && had_all())
    }

    /// Whether the doors of services are reached by a program.
    pub fn has_sockets_for(&self, isolation: Isolation) -> bool {
        match isolation {
            Isolation::Any => self.has_sockets,
            Isolation::Gvisor => self.gvisor.as_ref().is_some_and(|(_, has_sockets)| *has_sockets),
        }
    }
}

/// Why an engine is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error(transparent)]
    Engine(#[from] bollard::errors::Error),
    #[error("it does not answer")]
    Silent,
    #[error("it runs {0} containers, not linux")]
    Platform(String),
    #[error("it filters no system calls (seccomp)")]
    NoSeccomp,
    #[error("it cannot limit {0}")]
    NoLimit(&'static str),
    #[error("it has no program to begin containers with; install `catatonit`")]
    NoInit,
    #[error("it has no runtime named {0}, which the setting `container_runtime` asks for")]
    NoRuntime(String),
}

/// What is looked for.
#[derive(Debug)]
pub struct Wanted {
    /// Where engines may listen, best first.
    pub sockets: Vec<PathBuf>,
    /// The runtime that the owner asks for.
    pub runtime: Option<String>,
    /// Registries that the owner lets images come from.
    pub registries: Vec<String>,
    /// The machine's GPUs.
    pub gpus: Vec<GpuDevice>,
    /// Between two looks.
    pub every: Duration,
    /// Whose containers of an earlier life are removed from the first engine that is found.
    pub owner: String,
}

/// The engine, as it was last seen.
#[derive(Debug)]
pub struct Watch {
    wanted: Wanted,
    /// Whether an engine was found in this life.
    has_begun: AtomicBool,
    found: Mutex<Option<Arc<Found>>>,
    /// Why the first engine that is there is not used.
    problem: Mutex<Option<String>>,
    stop: CancellationToken,
}

impl Watch {
    /// Looks once, then every so often until [`Watch::stop`]. Needs a tokio runtime.
    pub async fn start(wanted: Wanted) -> Arc<Self> {
        let watch = Arc::new(Self {
            wanted,
            has_begun: AtomicBool::new(false),
            found: Mutex::new(None),
            problem: Mutex::new(None),
            stop: CancellationToken::new(),
        });
        watch.set(watch.find().await).await;
        let (watching, stop) = (Arc::clone(&watch), watch.stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(watching.run()).await });
        watch
    }

    /// The engine, if there is one.
    pub fn found(&self) -> Option<Arc<Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why an engine that is there is not used, if none is.
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether this engine is still the one.
    pub fn has(&self, engine: &Arc<Found>) -> bool {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.as_ref().is_some_and(|found| Arc::ptr_eq(found, engine))
    }

    /// Looks no more.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    async fn set(&self, found: Option<Found>) {
        if let Some(found) = &found {
            // Nothing of this life runs yet, so whatever is ours there was left behind.
            if !self.has_begun.swap(true, Ordering::Relaxed) {
                remove_leftovers(found, &self.wanted.owner).await;
            }
            tracing::info!(engine = found.name, "tasks can run in containers");
        }
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found.map(Arc::new);
    }

    async fn find(&self) -> Option<Found> {
        let mut problem = None;
        for socket in self.wanted.sockets.iter().filter(|socket| socket.exists()) {
            match connect(socket, &self.wanted).await {
                Ok(found) => {
                    self.note(None);
                    return Some(found);
                }
                Err(error) => {
                    problem.get_or_insert_with(|| format!("{}: {}", socket.display(), causes(&error)));
                }
            }
        }
        self.note(problem);
        None
    }

    /// Why engines that are there are not used, said once.
    fn note(&self, problem: Option<String>) {
        let mut known = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(problem) = problem.as_ref().filter(|_| *known != problem) {
            tracing::info!(problem, "a container engine is there and not used");
        }
        *known = problem;
    }

    async fn run(self: Arc<Self>) {
        let mut misses = 0;
        loop {
            tokio::time::sleep(self.wanted.every).await;
            let Some(known) = self.found() else {
                self.set(self.find().await).await;
                continue;
            };
            match look(&known.docker, &self.wanted).await {
                Ok(seen) if seen.is_like(&known) => misses = 0,
                Ok(seen) => self.set(Some(seen)).await,
                Err(error) => {
                    misses += 1;
                    tracing::warn!(engine = known.name, %error, misses, "the container engine is in trouble");
                    if misses > MISSES_MAX {
                        misses = 0;
                        self.set(None).await;
                    }
                }
            }
        }
    }
}

/// Where engines listen on this machine, best first.
pub fn usual_sockets() -> Vec<PathBuf> {
    let named = std::env::var("DOCKER_HOST").ok();
    let named = named.as_deref().and_then(|host| host.strip_prefix("unix://")).map(PathBuf::from);
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let own = own.iter().flat_map(|dir| [dir.join("docker.sock"), dir.join("podman/podman.sock")]);
    let shared = ["/var/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from);
    named.into_iter().chain(shared).chain(own).collect()
}

async fn connect(socket: &Path, wanted: &Wanted) -> Result<Found, Unusable> {
    let docker = Docker::connect_with_unix(&socket.to_string_lossy(), ORDER_WAIT_S, API_DEFAULT_VERSION)?;
    let agreed = tokio::time::timeout(ANSWER_WAIT, docker.negotiate_version()).await;
    look(&agreed.map_err(|_| Unusable::Silent)??, wanted).await
}

/// Asks an engine what it is, and whether it can be used as the owner wants.
async fn look(docker: &Docker, wanted: &Wanted) -> Result<Found, Unusable> {
    let answers = async { tokio::try_join!(docker.version(), docker.info()) };
    let answers = tokio::time::timeout(ANSWER_WAIT, answers).await;
    let (version, info) = answers.map_err(|_| Unusable::Silent)??;
    let is_podman = version.components.iter().flatten().any(|part| part.name.contains("Podman"));
    let os = info.os_type.unwrap_or_default();
    if os != "linux" {
        return Err(Unusable::Platform(os));
    }
    let security = info.security_options.unwrap_or_default();
    let filters = |option: &String| option.contains("name=seccomp") && !option.contains("profile=unconfined");
    if !security.iter().any(filters) {
        return Err(Unusable::NoSeccomp);
    }
    // An engine drops a limit that it cannot keep, with a warning.
    let limits = [
        ("memory", info.memory_limit),
        ("processes", info.pids_limit),
        ("processor time", info.cpu_cfs_quota),
    ];
    if let Some((what, _)) = limits.iter().find(|(_, can)| *can == Some(false)) {
        return Err(Unusable::NoLimit(what));
    }
    let mut runtimes = info.runtimes.unwrap_or_default();
    if is_podman {
        // It lists what it knows of, and takes its own choice whatever is asked for.
        runtimes.retain(|name, _| Some(name) == info.default_runtime.as_ref());
    }
    let runtime = match &wanted.runtime {
        // Never a thinner wall than the owner asked for.
        Some(name) if !runtimes.contains_key(name) => return Err(Unusable::NoRuntime(name.clone())),
        Some(name) => Some(name.clone()),
        None if is_podman => info.default_runtime,
        None => runtimes.contains_key(PLAIN_RUNTIME).then(|| PLAIN_RUNTIME.to_owned()),
    };
    let gvisor = gvisor(&runtimes, runtime.as_deref());
    // What the owner has chosen for all is not left for another wall.
    let gvisor = gvisor.filter(|(name, _)| wanted.runtime.as_ref().is_none_or(|chosen| chosen == name));
    // Devices of this machine do not reach into gVisor.
    let is_within_gvisor = runtime.is_some() && gvisor.as_ref().map(|(name, _)| name) == runtime.as_ref();
    let described = info.discovered_devices.unwrap_or_default();
    let gpus = if is_within_gvisor { Vec::new() } else { ways(&wanted.gpus, &runtimes, &described) };
    let asked = runtime.as_ref().and_then(|name| Some((name, runtimes.get(name)?)));
    let has_sockets = asked.is_none_or(|(name, runtime)| lets_sockets_through(name, runtime));
    let within = runtime.as_deref().filter(|name| *name != PLAIN_RUNTIME);
    let within = within.map(|name| format!(" with {name}")).unwrap_or_default();
    let kind = if is_podman { "podman" } else { "docker" };
    if is_podman && !INITS.iter().any(|path| Path::new(path).exists()) {
        return Err(Unusable::NoInit);
    }
    Ok(Found {
        docker: docker.clone(),
        name: format!("{kind} {}{within}", version.version.unwrap_or_default()),
        arch: version.arch.unwrap_or_default(),
        runtime,
        has_sockets,
        gvisor,
        gpus,
        registries: wanted.registries.clone(),
        is_podman,
        user_processes_max: is_podman.then(user_processes_max).flatten(),
        makes_cgroups: info.cgroup_driver == Some(SystemInfoCgroupDriverEnum::CGROUPFS),
    })
}

/// Processes of a user that Podman can allow for; none: as many as it likes. It asks for a million of its own accord,
/// and fails where it may not, as in containers without that right: there it has so many itself.
fn user_processes_max() -> Option<i64> {
    const PODMAN_HAS: u64 = 32_768;
    let may_raise =
        std::fs::read_to_string("/proc/self/status").is_ok_and(|status| may_raise_limits(&status));
    let own = rustix::process::getrlimit(rustix::process::Resource::Nproc).maximum;
    (!may_raise).then(|| own.map_or(PODMAN_HAS, |own| own.min(PODMAN_HAS)) as i64)
}

/// Whether a process has the capability to raise limits (CAP_SYS_RESOURCE), by what the kernel says of it.
fn may_raise_limits(status: &str) -> bool {
    const SYS_RESOURCE: u64 = 1 << 24;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    effective.is_some_and(|set| set & SYS_RESOURCE != 0)
}

/// The runtime that is gVisor, the owner's own choice first, and whether sockets are reached in it.
fn gvisor(runtimes: &HashMap<String, Runtime>, chosen: Option<&str>) -> Option<(String, bool)> {
    let mut names: Vec<&String> =
        runtimes.iter().filter(|(name, it)| is_gvisor(name, it)).map(|(name, _)| name).collect();
    names.sort_unstable_by_key(|name| (Some(name.as_str()) != chosen, *name));
    let name = names.first()?;
    Some(((*name).clone(), lets_sockets_through(name, &runtimes[*name])))
}

fn is_gvisor(name: &str, runtime: &Runtime) -> bool {
    name.contains("runsc") || runtime.path.as_deref().is_some_and(|path| path.contains("runsc"))
}

/// gVisor keeps sockets of the machine from programs unless its owner says otherwise, where we can read that.
fn lets_sockets_through(name: &str, runtime: &Runtime) -> bool {
    let arguments = runtime.runtime_args.as_deref().unwrap_or_default().join("=");
    let says_so = ["host-uds=open", "host-uds=all"].iter().any(|way| arguments.contains(way));
    let said_so = arguments.contains("fsgofer-host-uds") && !arguments.contains("fsgofer-host-uds=false");
    !is_gvisor(name, runtime) || says_so || said_so
}

/// Removes the containers of an earlier life of this node.
async fn remove_leftovers(engine: &Found, owner: &str) {
    let filters = HashMap::from([("label".to_owned(), vec![format!("{OWNER_LABEL}={owner}")])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let left = match engine.docker.list_containers(Some(options)).await {
        Ok(left) => left,
        Err(error) => {
            tracing::warn!(%error, "the containers of an earlier start could not be listed");
            return;
        }
    };
    for id in left.into_iter().filter_map(|container| container.id) {
        if remove(&engine.docker, &id).await {
            tracing::info!(id, "a container of an earlier start was removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_raised_by_those_who_may() {
        assert!(may_raise_limits("Name:\ta\nCapEff:\t000001ffffffffff\n"));
        assert!(!may_raise_limits("CapEff:\t000001fffeffffff\n"));
        assert!(!may_raise_limits("CapPrm:\t000001ffffffffff\n"));
    }

    #[test]
    fn c4_gvisor_is_found_by_what_it_is() {
        let runtime = |path: &str, arguments: &[&str]| Runtime {
            path: Some(path.to_owned()),
            runtime_args: Some(arguments.iter().map(|text| (*text).to_owned()).collect()),
            ..Runtime::default()
        };
        let all = HashMap::from([
            ("runc".to_owned(), runtime("runc", &[])),
            ("runsc".to_owned(), runtime("/usr/bin/runsc", &[])),
            ("sandbox".to_owned(), runtime("/opt/runsc", &["--host-uds=open"])),
        ]);
        assert_eq!(gvisor(&all, Some("runc")), Some(("runsc".to_owned(), false)));
        assert_eq!(gvisor(&all, Some("sandbox")), Some(("sandbox".to_owned(), true)));
        let plain = HashMap::from([("runc".to_owned(), runtime("runc", &[]))]);
        assert_eq!(gvisor(&plain, None), None);
    }

    #[test]
    fn doors_are_for_runtimes_that_let_sockets_through() {
        let runtime = |path: Option<&str>, arguments: &[&str]| Runtime {
            path: path.map(str::to_owned),
            runtime_args: Some(arguments.iter().map(|text| (*text).to_owned()).collect()),
            ..Runtime::default()
        };
        let plain = runtime(Some("/usr/bin/runc"), &[]);
        assert!(lets_sockets_through("runc", &plain) && lets_sockets_through("crun", &plain));
        let gvisor = Some("/usr/bin/runsc");
        for arguments in [&["--host-uds=open"][..], &["--host-uds", "all"], &["--fsgofer-host-uds"]] {
            assert!(lets_sockets_through("runsc", &runtime(gvisor, arguments)), "{arguments:?}");
        }
        for arguments in
            [&[][..], &["--host-uds=create"], &["--host-uds", "none"], &["--fsgofer-host-uds=false"]]
        {
            assert!(!lets_sockets_through("sandbox", &runtime(gvisor, arguments)), "{arguments:?}");
        }
        assert!(!lets_sockets_through("runsc", &runtime(None, &[])), "what it is told is not known");
    }
}
