//! What a container may do: nothing but to compute, within its limits.

use crate::gpus::Passed;
use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount,
    MountType, ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use opensky_types::{
    Hash,
    resources::{FUEL_PER_CPU_US, TaskLimits},
    service::{ReplicaLimits, Volume},
    task::Failure,
};
use std::{collections::HashMap, path::Path};

/// Grows whenever a change here can change a result or a meter.
const HARDENING: u32 = 1;
/// Processes and threads of a program.
const PROCESSES_MAX: i64 = 512;
/// Open files of each of its processes.
const FILES_MAX: i64 = 4_096;
/// One core.
const NANO_CPUS: i64 = 1_000_000_000;
/// Least memory that engines accept.
const MEMORY_BYTES_MIN: u64 = 16 << 20;
/// Most shared memory (`/dev/shm`), which counts as memory of the program.
const SHARED_MEMORY_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a page.
const PAGE_BYTES: u64 = 4_096;

/// The name under which a container says whose it is.
pub const OWNER_LABEL: &str = "opensky.node";

/// The user and group that programs run as when the node itself is root.
const NOBODY: u32 = 65_534;

/// What tells one container from another.
#[derive(Debug)]
pub struct Container<'a> {
    /// The image, by the name that this node gave it.
    pub image: &'a str,
    /// What takes the place of the image's entry point.
    pub entrypoint: Option<Vec<String>>,
    pub args: Vec<String>,
    pub env: &'a [(String, String)],
    pub allowed: Allowed,
    pub has_stdin: bool,
    /// All of this machine that it sees.
    pub mounts: Vec<Mount>,
    /// A folder in memory that only the program's user sees into, and how large it may get.
    pub private_folder: Option<(&'static str, u64)>,
    pub network: Network<'a>,
    /// Whose it is.
    pub owner: &'a str,
    /// The control group above the one that the engine makes.
    pub cgroup_parent: Option<String>,
    /// What runs it, by the engine's name for it; none: what it runs by default.
    pub runtime: Option<String>,
    pub user: (u32, u32),
    /// Its own while it runs.
    pub gpus: &'a Passed,
    /// Whether it is for Podman.
    pub is_podman: bool,
    /// Processes of its user, all of them on this machine; none: as the engine has it.
    pub user_processes_max: Option<i64>,
}

/// What a program finds of a network. There is no way out of any.
#[derive(Debug)]
pub enum Network<'a> {
    /// Nothing but itself.
    None,
    /// The same, under names: they stand for addresses of its own loopback.
    Loopback { hostname: &'a str, hosts: Vec<String> },
}

/// What a container may use.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    memory_bytes: u64,
    cores: u16,
    /// Processes and threads beside those of the program itself.
    processes_beside: u32,
    /// Bytes of the largest file.
    file_bytes: u64,
    /// Processor time of each process, in seconds.
    cpu_s: Option<i64>,
}

impl Allowed {
    pub fn task(limits: &TaskLimits) -> Self {
        Self {
            memory_bytes: limits.memory_bytes,
            // One slot is one core.
            cores: 1,
            processes_beside: 0,
            file_bytes: limits.scratch_bytes,
            // The node ends whoever is over its fuel; this ends a process that outlives its node.
            cpu_s: Some(cpu_s_max(limits)),
        }
    }

    pub fn replica(limits: &ReplicaLimits, volumes: &[Volume], processes_beside: u32) -> Self {
        let largest = volumes.iter().map(|volume| volume.size_bytes).max().unwrap_or(0);
        Self {
            memory_bytes: limits.memory_bytes,
            cores: limits.cpu_cores,
            processes_beside,
            file_bytes: limits.scratch_bytes.max(largest),
            cpu_s: None,
        }
    }

    fn ulimits(&self, user_processes_max: Option<i64>) -> Vec<ResourcesUlimits> {
        let fsize = i64::try_from(self.file_bytes.saturating_add(PAGE_BYTES)).unwrap_or(i64::MAX);
        let usual = [
            ulimit("nofile", FILES_MAX),
            ulimit("core", 0),
            // No one file is larger than all may be together, but for what shows that it was to be.
            ulimit("fsize", fsize),
        ];
        let cpu = self.cpu_s.map(|cpu_s| ulimit("cpu", cpu_s));
        usual.into_iter().chain(cpu).chain(user_processes_max.map(|most| ulimit("nproc", most))).collect()
    }
}

/// Who programs run as: nobody, or the node's own user if that has no rights beyond its own.
pub fn user() -> (u32, u32) {
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    if user == 0 { (NOBODY, NOBODY) } else { (user, group) }
}

/// Whether arguments and variables can be passed on: the kernel ends texts at a zero byte.
pub fn check_texts(args: &[String], env: &[(String, String)]) -> Result<(), Failure> {
    let bad = |text: &String| text.contains('\0');
    let bad_variable =
        |(name, value): &(String, String)| name.is_empty() || name.contains('=') || bad(name) || bad(value);
    if args.iter().any(bad) || env.iter().any(bad_variable) {
        let message = "an argument or variable that no program can be given".to_owned();
        return Err(Failure::InvalidProgram { message });
    }
    Ok(())
}

/// Whether engines make a container with so much memory.
pub fn check_memory(memory_bytes: u64) -> Result<(), Failure> {
    if memory_bytes >= MEMORY_BYTES_MIN {
        return Ok(());
    }
    let message = format!("a container needs {} MiB of memory or more", MEMORY_BYTES_MIN >> 20);
    Err(Failure::InvalidProgram { message })
}

/// Hash of all that decides how a container behaves, for receipts.
pub fn hardening_hash(arch: &str, runtime: Option<&str>) -> Hash {
    Hash::of_value("opensky container hardening 2", &(HARDENING, arch, runtime))
}

/// The order for the engine.
pub fn create(container: Container<'_>) -> ContainerCreateBody {
    let host_config = host_config(&container);
    let (user, group) = container.user;
    let hostname = match container.network {
        Network::None => "task",
        Network::Loopback { hostname, .. } => hostname,
    };
    ContainerCreateBody {
        image: Some(container.image.to_owned()),
        entrypoint: container.entrypoint,
        cmd: (!container.args.is_empty()).then_some(container.args),
        env: Some(environment(container.env, container.gpus)),
        user: Some(format!("{user}:{group}")),
        hostname: Some(hostname.to_owned()),
        attach_stdin: Some(container.has_stdin),
        open_stdin: Some(container.has_stdin),
        stdin_once: Some(container.has_stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        // An engine that sees no network at all writes no names either.
        network_disabled: Some(matches!(container.network, Network::None)),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        labels: Some(HashMap::from([(OWNER_LABEL.to_owned(), container.owner.to_owned())])),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
}

fn host_config(container: &Container<'_>) -> HostConfig {
    let allowed = &container.allowed;
    let memory = i64::try_from(allowed.memory_bytes).unwrap_or(i64::MAX);
    let (hosts, sysctls) = match &container.network {
        Network::None => (None, None),
        // Its loopback is its own: no port of it is worth a right.
        Network::Loopback { hosts, .. } => (
            Some(hosts.clone()),
            Some(HashMap::from([("net.ipv4.ip_unprivileged_port_start".to_owned(), "0".to_owned())])),
        ),
    };
    HostConfig {
        // What it may use.
        memory: Some(memory),
        memory_swap: Some(memory),
        nano_cpus: Some(NANO_CPUS * i64::from(allowed.cores)),
        pids_limit: Some(PROCESSES_MAX + i64::from(allowed.processes_beside)),
        ulimits: Some(allowed.ulimits(container.user_processes_max)),
        shm_size: Some((allowed.memory_bytes / 2).min(SHARED_MEMORY_BYTES_MAX) as i64),
        cgroup_parent: container.cgroup_parent.clone(),
        // What it may do.
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        privileged: Some(false),
        devices: container.gpus.files(),
        device_requests: container.gpus.requests(),
        group_add: container.gpus.groups(),
        runtime: container.runtime.clone(),
        network_mode: Some("none".to_owned()),
        extra_hosts: hosts,
        sysctls,
        ipc_mode: Some("private".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        // What it sees.
        readonly_rootfs: Some(true),
        mounts: Some(container.mounts.clone()),
        tmpfs: container.private_folder.map(|(path, bytes_max)| {
            let (user, group) = container.user;
            let whose = match container.is_podman {
                // It gives folders to nobody; but there is no other user in the container.
                true => "mode=0777,notmpcopyup".to_owned(),
                false => format!("mode=0700,uid={user},gid={group}"),
            };
            let options = format!("rw,noexec,nosuid,nodev,size={bytes_max},{whose}");
            HashMap::from([(path.to_owned(), options)])
        }),
        // What stays of it.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        init: Some(true),
        ..HostConfig::default()
    }
}

/// The variables of the job. Programs that keep something at home find it writable.
fn environment(env: &[(String, String)], gpus: &Passed) -> Vec<String> {
    let home = (!env.iter().any(|(name, _)| name == "HOME")).then(|| "HOME=/tmp".to_owned());
    let given = env.iter().map(|(name, value)| format!("{name}={value}"));
    // Last, so that it holds: hooks of GPU runtimes hand out devices to whoever asks by this variable. Where the engine
    // itself asks them for GPUs it says which, after this.
    let hooks = (!gpus.are_named_by_engine()).then(|| "NVIDIA_VISIBLE_DEVICES=void".to_owned());
    let given = given.filter(|given| !given.starts_with("NVIDIA_VISIBLE_DEVICES="));
    home.into_iter().chain(given).chain(hooks).collect()
}

/// Processor time that one process may take by the task's limits, in whole seconds.
fn cpu_s_max(limits: &TaskLimits) -> i64 {
    let seconds = (limits.fuel / FUEL_PER_CPU_US).div_ceil(1_000_000).min(limits.wall_ms.div_ceil(1_000));
    i64::try_from(seconds.saturating_add(1)).unwrap_or(i64::MAX)
}

fn ulimit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}

/// A folder or file of this machine that it sees, and whether it may write there.
pub fn bind(source: &Path, target: &str, is_read_only: bool) -> Mount {
    Mount {
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(is_read_only),
        ..Mount::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_a_container_may_only_compute() {
        let limits = TaskLimits { memory_bytes: 64 << 20, ..TaskLimits::default() };
        let body = create(Container {
            image: "opensky/image:0",
            entrypoint: None,
            args: vec!["a".into()],
            env: &[("A".into(), "b=c".into())],
            allowed: Allowed::task(&limits),
            has_stdin: false,
            mounts: vec![bind(Path::new("/scratch/tmp"), "/tmp", false)],
            private_folder: None,
            network: Network::None,
            owner: "node",
            cgroup_parent: None,
            runtime: None,
            user: (1, 2),
            gpus: &Passed::default(),
            is_podman: false,
            user_processes_max: None,
        });
        let host = body.host_config.unwrap();
        assert_eq!(host.cap_drop.unwrap(), ["ALL"]);
        assert_eq!((host.cap_add, host.devices, host.device_requests), (None, None, None));
        assert_eq!(host.security_opt.unwrap(), ["no-new-privileges:true"]);
        assert_eq!((host.privileged, host.readonly_rootfs), (Some(false), Some(true)));
        assert_eq!((host.network_mode.as_deref(), body.network_disabled), (Some("none"), Some(true)));
        assert_eq!((host.memory, host.memory_swap), (Some(64 << 20), Some(64 << 20)));
        assert_eq!((host.pids_limit, host.nano_cpus), (Some(512), Some(1_000_000_000)));
        let cpu = host.ulimits.unwrap().into_iter().find(|limit| limit.name.as_deref() == Some("cpu"));
        assert_eq!(cpu.unwrap().hard, Some(601), "ten minutes on one core, and a second");
        assert_eq!((host.binds, host.tmpfs, host.volumes_from), (None, None, None));
        assert_eq!((host.extra_hosts, host.sysctls, host.port_bindings), (None, None, None));
        let targets: Vec<_> = host.mounts.unwrap().into_iter().filter_map(|mount| mount.target).collect();
        assert_eq!(targets, ["/tmp"]);
        assert_eq!(body.user.as_deref(), Some("1:2"));
        assert_eq!(body.env.unwrap(), ["HOME=/tmp", "A=b=c", "NVIDIA_VISIBLE_DEVICES=void"]);
    }

    #[test]
    fn j3_a_service_has_no_network_either() {
        let limits = ReplicaLimits { cpu_cores: 3, ..ReplicaLimits::default() };
        let body = create(Container {
            image: "opensky/image:0",
            entrypoint: Some(vec!["/door".into()]),
            args: Vec::new(),
            env: &[],
            allowed: Allowed::replica(&limits, &[], 88),
            has_stdin: false,
            mounts: Vec::new(),
            private_folder: Some(("/run/secrets", 4_096)),
            network: Network::Loopback { hostname: "service", hosts: vec!["db:127.0.1.1".into()] },
            owner: "node",
            cgroup_parent: None,
            runtime: None,
            user: (1, 2),
            gpus: &Passed::default(),
            is_podman: false,
            user_processes_max: None,
        });
        let host = body.host_config.unwrap();
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!(
            (host.port_bindings, host.publish_all_ports, host.links, host.dns),
            (None, None, None, None)
        );
        assert_eq!(
            host.tmpfs.unwrap()["/run/secrets"],
            "rw,noexec,nosuid,nodev,size=4096,mode=0700,uid=1,gid=2"
        );
        assert_eq!(host.cap_drop.unwrap(), ["ALL"]);
        assert_eq!(host.security_opt.unwrap(), ["no-new-privileges:true"]);
        assert_eq!((host.privileged, host.readonly_rootfs), (Some(false), Some(true)));
        assert_eq!((host.pids_limit, host.nano_cpus), (Some(600), Some(3_000_000_000)));
        assert!(
            host.ulimits.unwrap().iter().all(|limit| limit.name.as_deref() != Some("cpu")),
            "it has no end"
        );
    }
}
