//! What is done about each key of a Compose file (Compose specification of 2025).

use crate::walk::{
    Keys,
    Verdict::{Note, Read, Refused, Silent},
};

/// Keys of the file.
pub(crate) const FILE: Keys = &[
    ("services", Read),
    ("networks", Read),
    ("version", Silent),
    ("name", Note("services have no project here; each has its own name")),
    ("secrets", Read),
    ("volumes", Read),
    // What uses them is refused where it does.
    ("configs", Silent),
    ("include", Refused("other files are not read", "write one file, or give each file on its own")),
    ("models", Refused("models are not started", "run the model as a service of its own")),
];

const FILES_GO: &str = "files are gone with the replica, and nothing is mounted";
const HARDENED: &str = "containers have no further rights here";
const NO_RIGHTS: &str = "use an image that needs none";
const OWN_NETWORK: &str = "a service has its own network, with its links in it and nothing else";
const USE_LINKS: &str = "name the services that it reaches in `links`, and its ports in `expose`";
const FIXED: &str = "the node's own limits hold";
const ROOT: &str = "the program starts where its image says";

/// Keys of a service.
pub(crate) const SERVICE: Keys = &[
    ("image", Read),
    ("build", Read),
    ("command", Read),
    ("entrypoint", Read),
    ("environment", Read),
    ("env_file", Read),
    ("ports", Read),
    ("expose", Read),
    ("depends_on", Read),
    ("links", Read),
    ("networks", Read),
    ("healthcheck", Read),
    ("deploy", Read),
    ("scale", Read),
    ("restart", Read),
    ("stop_grace_period", Read),
    ("mem_limit", Read),
    ("cpus", Read),
    ("platform", Read),
    ("profiles", Read),
    ("tmpfs", Read),
    ("user", Read),
    ("network_mode", Read),
    ("container_name", Read),
    ("security_opt", Read),
    ("secrets", Read),
    ("volumes", Read),
    // Refused: it would behave otherwise.
    ("volumes_from", Refused("a volume is one service's own", "let one of both reach the other by its name")),
    (
        "configs",
        Refused(FILES_GO, "give it in `environment` or as one of `secrets`, or put it into the image"),
    ),
    ("extends", Refused("services of other files are not read", "write out what it extends")),
    ("privileged", Refused(HARDENED, NO_RIGHTS)),
    ("cap_add", Refused(HARDENED, NO_RIGHTS)),
    ("devices", Refused("no device of a node is given to containers", NO_RIGHTS)),
    ("device_cgroup_rules", Refused("no device of a node is given to containers", NO_RIGHTS)),
    (
        "gpus",
        Refused(
            "all GPUs of a machine are not given",
            "say how many in deploy.resources.reservations.devices",
        ),
    ),
    ("runtime", Refused("the node's own runtime runs it", NO_RIGHTS)),
    ("pid", Refused("processes of others are not seen", NO_RIGHTS)),
    ("ipc", Refused("memory is not shared with others", NO_RIGHTS)),
    ("uts", Refused(HARDENED, NO_RIGHTS)),
    ("userns_mode", Refused(HARDENED, NO_RIGHTS)),
    ("cgroup", Refused(HARDENED, NO_RIGHTS)),
    ("cgroup_parent", Refused(HARDENED, NO_RIGHTS)),
    ("sysctls", Refused(HARDENED, NO_RIGHTS)),
    ("group_add", Refused(HARDENED, NO_RIGHTS)),
    ("credential_spec", Refused(HARDENED, NO_RIGHTS)),
    ("isolation", Refused(HARDENED, NO_RIGHTS)),
    ("extra_hosts", Refused(OWN_NETWORK, USE_LINKS)),
    (
        "external_links",
        Refused(OWN_NETWORK, "name services of others as links of a service file: `HOST=NAME@NODE:PORT`"),
    ),
    ("working_dir", Refused(ROOT, "set WORKDIR in the image")),
    ("post_start", Refused("nothing runs beside the program", "put it into the image's entry point")),
    ("pre_stop", Refused("nothing runs beside the program", "let the program do it on SIGTERM")),
    ("provider", Refused("nothing but images is started", "run it as a service of its own")),
    ("models", Refused("models are not started", "run the model as a service of its own")),
    ("use_api_socket", Refused("the engine is not given to containers", NO_RIGHTS)),
    // Left out without harm.
    ("annotations", Note("not kept")),
    ("attach", Note("the node keeps what services write")),
    ("blkio_config", Note(FIXED)),
    ("cap_drop", Note("containers have no capability at all")),
    ("cpu_count", Note(FIXED)),
    ("cpu_percent", Note(FIXED)),
    ("cpu_period", Note(FIXED)),
    ("cpu_quota", Note(FIXED)),
    ("cpu_rt_period", Note(FIXED)),
    ("cpu_rt_runtime", Note(FIXED)),
    ("cpu_shares", Note(FIXED)),
    ("cpuset", Note(FIXED)),
    ("develop", Note("images are not rebuilt here")),
    ("dns", Note(OWN_NETWORK)),
    ("dns_opt", Note(OWN_NETWORK)),
    ("dns_search", Note(OWN_NETWORK)),
    ("domainname", Note("containers name themselves")),
    ("hostname", Note("containers name themselves; others reach it by the service's name")),
    ("init", Note("not passed on")),
    ("label_file", Note("labels are not kept")),
    ("labels", Note("labels are not kept")),
    ("logging", Note("the node keeps what services write")),
    ("mac_address", Note(OWN_NETWORK)),
    ("mem_reservation", Note("the limit of memory is what is set aside")),
    ("mem_swappiness", Note("containers do not swap")),
    ("memswap_limit", Note("containers do not swap")),
    ("oom_kill_disable", Note("a replica over its memory ends and starts again")),
    ("oom_score_adj", Note("a replica over its memory ends and starts again")),
    ("pids_limit", Note(FIXED)),
    ("pull_policy", Note("the image is what this machine's engine has")),
    ("pull_refresh_after", Note("the image is what this machine's engine has")),
    ("read_only", Note("the node says what can be written")),
    ("shm_size", Note("shared memory is a part of memory, 64 MiB at most")),
    ("stdin_open", Note("services have no standard input")),
    ("stop_signal", Note("not passed on")),
    ("storage_opt", Note(FIXED)),
    ("tty", Note("services have no terminal")),
    ("ulimits", Note(FIXED)),
];

/// Keys of `deploy`.
pub(crate) const DEPLOY: Keys = &[
    ("mode", Read),
    ("replicas", Read),
    ("resources", Read),
    ("restart_policy", Read),
    ("update_config", Read),
    ("labels", Note("labels are not kept")),
    ("placement", Note("a service file says where with `constraints`")),
    ("endpoint_mode", Note("a service is reached by its name")),
    ("rollback_config", Note("a rollback goes as an update does")),
];

/// Keys of `deploy.resources`.
pub(crate) const RESOURCES: Keys = &[("limits", Read), ("reservations", Read)];

/// Keys of `deploy.resources.limits`.
pub(crate) const LIMITS: Keys = &[("cpus", Read), ("memory", Read), ("pids", Note(FIXED))];

/// Keys of `deploy.resources.reservations`.
pub(crate) const RESERVATIONS: Keys = &[
    ("cpus", Silent),
    ("memory", Read),
    ("pids", Note(FIXED)),
    ("devices", Read),
    ("generic_resources", Refused("only processor and memory are set aside", "leave it out")),
];

/// Keys of one of `deploy.resources.reservations.devices`.
pub(crate) const DEVICE: Keys = &[
    ("capabilities", Read),
    ("count", Read),
    ("driver", Read),
    ("device_ids", Refused("which GPU of a machine it is, its node says", "say how many with `count`")),
    ("options", Note("not passed on")),
];

/// Keys of `deploy.restart_policy`.
pub(crate) const RESTART_POLICY: Keys = &[
    ("condition", Read),
    ("delay", Note("the node says when it starts again")),
    ("max_attempts", Note("it is tried again without end")),
    ("window", Note("its health says when a start went well")),
];

/// Keys of `deploy.update_config`.
pub(crate) const UPDATE_CONFIG: Keys = &[
    ("parallelism", Read),
    ("failure_action", Read),
    ("order", Note("the node decides what stops first")),
    ("delay", Note("the next ones go as soon as these are healthy")),
    ("monitor", Note("its health says when an update went well")),
    ("max_failure_ratio", Note("one that fails ends an update")),
];

/// Keys of `healthcheck`.
pub(crate) const HEALTH: Keys = &[
    ("test", Read),
    ("interval", Read),
    ("timeout", Read),
    ("retries", Read),
    ("start_period", Read),
    ("disable", Read),
    ("start_interval", Note("the interval holds from the start")),
];

/// Keys of one of a service's `networks`.
pub(crate) const SERVICE_NETWORK: Keys = &[
    ("aliases", Read),
    ("interface_name", Note(OWN_NETWORK)),
    ("ipv4_address", Note("services have names, not addresses")),
    ("ipv6_address", Note("services have names, not addresses")),
    ("link_local_ips", Note("services have names, not addresses")),
    ("mac_address", Note(OWN_NETWORK)),
    ("driver_opts", Note(OWN_NETWORK)),
    ("gw_priority", Note(OWN_NETWORK)),
    ("priority", Note(OWN_NETWORK)),
];

/// Keys of one of the file's `networks`.
pub(crate) const NETWORK: Keys = &[
    ("name", Silent),
    ("driver", Read),
    ("driver_opts", Note(OWN_NETWORK)),
    ("attachable", Silent),
    ("enable_ipv4", Silent),
    ("enable_ipv6", Silent),
    (
        "external",
        Refused(
            "networks of others are not joined",
            "name the services that it reaches as links of a service file",
        ),
    ),
    ("internal", Silent),
    ("ipam", Note("services have names, not addresses")),
    ("labels", Note("labels are not kept")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c7_the_docs_name_every_key_that_is_refused() {
        let docs = include_str!("../../../../docs/service-files.md");
        let all = FILE.iter().chain(SERVICE);
        let refused = all.filter(|(_, verdict)| matches!(verdict, Refused(..))).map(|(key, _)| key);
        let unnamed: Vec<_> = refused.filter(|key| !docs.contains(&format!("`{key}`"))).collect();
        assert!(unnamed.is_empty(), "docs/service-files.md has no {unnamed:?}");
    }
}
