//! What is done about each key of an SDL.

use crate::walk::{
    Keys,
    Verdict::{Note, Read, Refused, Silent},
};

/// Keys of the file.
pub(crate) const FILE: Keys = &[
    ("version", Read),
    ("services", Read),
    ("profiles", Read),
    ("deployment", Read),
    (
        "endpoints",
        Refused("addresses of one's own are not leased", "publish it on a node with such an address"),
    ),
    ("include", Refused("other files are not read", "write one file")),
];

const NOTHING_MOUNTED: &str = "files are gone with the replica, and nothing is mounted";

/// Keys of a service.
pub(crate) const SERVICE: Keys = &[
    ("image", Read),
    ("command", Read),
    ("args", Read),
    ("env", Read),
    ("expose", Read),
    ("dependencies", Read),
    ("params", Refused(NOTHING_MOUNTED, "put data that must stay into a service outside, reached by a link")),
    ("credentials", Note("no registry is asked: the image is what this machine's engine has")),
];

/// Keys of an `expose`.
pub(crate) const EXPOSE: Keys = &[
    ("port", Read),
    ("as", Read),
    ("proto", Read),
    ("to", Read),
    ("accept", Note("names of hosts are not kept: the port is published on this node")),
    ("http_options", Note("connections are carried as they are")),
];

/// Keys of a `to`.
pub(crate) const TO: Keys = &[
    ("global", Read),
    ("service", Read),
    ("ip", Refused("addresses of one's own are not leased", "publish it on a node with such an address")),
    ("http_options", Note("connections are carried as they are")),
];

/// Keys of `profiles`.
pub(crate) const PROFILES: Keys = &[("compute", Read), ("placement", Read)];

/// Keys of a compute profile's `resources`.
pub(crate) const RESOURCES: Keys =
    &[("cpu", Read), ("memory", Read), ("storage", Read), ("gpu", Read), ("id", Silent)];

/// Keys of a placement.
pub(crate) const PLACEMENT: Keys = &[
    ("attributes", Note("a service file says where with `constraints`")),
    ("signedBy", Note("nodes of a sky are its members; `constraints.peers` names some")),
    ("pricing", Note("the price is what nodes ask for, as `constraints.price_max` allows")),
];

/// Keys of one deployment.
pub(crate) const DEPLOYMENT: Keys = &[("profile", Read), ("count", Read)];
