//! What is done about each key of a Bacalhau job.

use crate::walk::{
    Keys,
    Verdict::{Note, Read, Refused, Silent},
};

/// Keys of the job.
pub(crate) const JOB: Keys = &[
    ("Name", Read),
    ("Type", Read),
    ("Count", Read),
    ("Tasks", Read),
    ("Namespace", Note("a sky has no namespaces")),
    ("Priority", Note("work goes in the order in which it comes")),
    ("Constraints", Note("labels of nodes are not known; say where with `constraints`")),
    ("Meta", Note("labels are not kept")),
    ("Labels", Note("labels are not kept")),
    ("ID", Silent),
    ("State", Silent),
    ("Version", Silent),
    ("Revision", Silent),
    ("CreateTime", Silent),
    ("ModifyTime", Silent),
];

/// Keys of a task.
pub(crate) const TASK: Keys = &[
    ("Name", Read),
    ("Engine", Read),
    ("Env", Read),
    ("Resources", Read),
    ("Network", Read),
    ("Timeouts", Read),
    ("InputSources", Read),
    ("ResultPaths", Read),
    ("Publisher", Note("results come back to the node that asked")),
    ("Meta", Note("labels are not kept")),
];

/// Keys of an engine.
pub(crate) const ENGINE: Keys = &[("Type", Read), ("Params", Read)];

/// Parameters of the engine `docker`.
pub(crate) const DOCKER: Keys = &[
    ("Image", Read),
    ("Entrypoint", Read),
    ("Parameters", Read),
    ("EnvironmentVariables", Read),
    ("WorkingDirectory", Refused("the program starts where its image says", "set WORKDIR in the image")),
];

/// Parameters of the engine `wasm`.
pub(crate) const WASM: Keys = &[
    ("EntryModule", Read),
    ("Entrypoint", Read),
    ("Parameters", Read),
    ("EnvironmentVariables", Read),
    ("ImportModules", Refused("modules are not linked", "link them into one, with wasm-merge for example")),
];

/// Keys of `Resources`.
pub(crate) const RESOURCES: Keys = &[
    ("CPU", Read),
    ("Memory", Read),
    ("Disk", Read),
    ("GPU", Read),
    ("GPUs", Refused("which GPUs of a machine they are, its node says", "say how many with `GPU`")),
];

/// Keys of `Network`.
pub(crate) const NETWORK: Keys = &[("Type", Read), ("Ports", Read), ("Domains", Silent)];

/// Keys of one of a network's ports.
pub(crate) const PORT: Keys =
    &[("Name", Silent), ("Static", Read), ("Target", Read), ("HostNetwork", Note("published on this node"))];

/// Keys of `Timeouts`.
pub(crate) const TIMEOUTS: Keys =
    &[("ExecutionTimeout", Read), ("QueueTimeout", Read), ("TotalTimeout", Read)];
