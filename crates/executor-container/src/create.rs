//! What a container may do: nothing but to compute, within the limits of its task.

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount,
    MountType, ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use opensky_types::{
    Hash,
    resources::{FUEL_PER_CPU_US, TaskLimits},
    task::Failure,
};
use std::{collections::HashMap, path::Path};

/// Grows whenever a change here can change a result or a meter.
const HARDENING: u32 = 1;
/// Processes and threads of a task.
const PROCESSES_MAX: i64 = 512;
/// Open files of each of its processes.
const FILES_MAX: i64 = 4_096;
/// One slot is one core.
const NANO_CPUS: i64 = 1_000_000_000;
/// Least memory that engines accept.
pub const MEMORY_BYTES_MIN: u64 = 16 << 20;
/// Most shared memory (`/dev/shm`), which counts as memory of the task.
const SHARED_MEMORY_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a page.
const PAGE_BYTES: u64 = 4_096;

/// The name under which a container says whose it is.
pub const OWNER_LABEL: &str = "opensky.node";

/// The user and group that programs run as when the node itself is root.
const NOBODY: u32 = 65_534;

/// What tells one task's container from another's.
#[derive(Debug)]
pub struct Container<'a> {
    /// The image, by the name that this node gave it.
    pub image: &'a str,
    pub args: Vec<String>,
    pub env: &'a [(String, String)],
    pub limits: &'a TaskLimits,
    pub has_stdin: bool,
    /// Its `/tmp` and `/out` on this machine.
    pub tmp_dir: &'a Path,
    pub out_dir: &'a Path,
    /// Whose it is.
    pub owner: &'a str,
    /// The control group above the one that the engine makes.
    pub cgroup_parent: Option<String>,
    /// The engine's plain runtime, if it names one.
    pub runtime: Option<String>,
    pub user: (u32, u32),
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

/// Hash of all that decides how a container behaves, for receipts.
pub fn hardening_hash(arch: &str) -> Hash {
    Hash::of_value("opensky container hardening 1", &(HARDENING, arch))
}

/// The order for the engine.
pub fn create(container: Container<'_>) -> ContainerCreateBody {
    let memory = i64::try_from(container.limits.memory_bytes).unwrap_or(i64::MAX);
    let host_config = HostConfig {
        // What it may use.
        memory: Some(memory),
        memory_swap: Some(memory),
        nano_cpus: Some(NANO_CPUS),
        pids_limit: Some(PROCESSES_MAX),
        ulimits: Some(vec![
            ulimit("nofile", FILES_MAX),
            ulimit("core", 0),
            // No one file is larger than all may be together, but for what shows that it was to be.
            ulimit("fsize", fsize_max(container.limits)),
            // The node ends whoever is over its fuel; this ends a process that outlives its node.
            ulimit("cpu", cpu_s_max(container.limits)),
        ]),
        shm_size: Some((container.limits.memory_bytes / 2).min(SHARED_MEMORY_BYTES_MAX) as i64),
        cgroup_parent: container.cgroup_parent,
        // What it may do.
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        privileged: Some(false),
        runtime: container.runtime,
        network_mode: Some("none".to_owned()),
        ipc_mode: Some("private".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        // What it sees.
        readonly_rootfs: Some(true),
        mounts: Some(vec![bind(container.tmp_dir, "/tmp"), bind(container.out_dir, "/out")]),
        // What stays of it.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        init: Some(true),
        ..HostConfig::default()
    };
    let (user, group) = container.user;
    ContainerCreateBody {
        image: Some(container.image.to_owned()),
        cmd: (!container.args.is_empty()).then_some(container.args),
        env: Some(environment(container.env)),
        user: Some(format!("{user}:{group}")),
        hostname: Some("task".to_owned()),
        attach_stdin: Some(container.has_stdin),
        open_stdin: Some(container.has_stdin),
        stdin_once: Some(container.has_stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        network_disabled: Some(true),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        labels: Some(HashMap::from([(OWNER_LABEL.to_owned(), container.owner.to_owned())])),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
}

/// The variables of the job. Programs that keep something at home find it writable.
fn environment(env: &[(String, String)]) -> Vec<String> {
    let home = (!env.iter().any(|(name, _)| name == "HOME")).then(|| "HOME=/tmp".to_owned());
    let given = env.iter().map(|(name, value)| format!("{name}={value}"));
    // Last, so that it holds: hooks of GPU runtimes hand out devices to whoever asks by this variable.
    home.into_iter().chain(given).chain(["NVIDIA_VISIBLE_DEVICES=void".to_owned()]).collect()
}

/// Processor time that one process may take by the task's limits, in whole seconds.
fn cpu_s_max(limits: &TaskLimits) -> i64 {
    let seconds = (limits.fuel / FUEL_PER_CPU_US).div_ceil(1_000_000).min(limits.wall_ms.div_ceil(1_000));
    i64::try_from(seconds.saturating_add(1)).unwrap_or(i64::MAX)
}

fn fsize_max(limits: &TaskLimits) -> i64 {
    i64::try_from(limits.scratch_bytes.saturating_add(PAGE_BYTES)).unwrap_or(i64::MAX)
}

fn ulimit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}

fn bind(source: &Path, target: &str) -> Mount {
    Mount {
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(false),
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
            args: vec!["a".into()],
            env: &[("A".into(), "b=c".into())],
            limits: &limits,
            has_stdin: false,
            tmp_dir: Path::new("/scratch/tmp"),
            out_dir: Path::new("/scratch/out"),
            owner: "node",
            cgroup_parent: None,
            runtime: None,
            user: (1, 2),
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
        let targets: Vec<_> = host.mounts.unwrap().into_iter().filter_map(|mount| mount.target).collect();
        assert_eq!(targets, ["/tmp", "/out"]);
        assert_eq!(body.user.as_deref(), Some("1:2"));
        assert_eq!(body.env.unwrap(), ["HOME=/tmp", "A=b=c", "NVIDIA_VISIBLE_DEVICES=void"]);
    }
}
