//! The faults: small types that begin and end, and the list of them. A new one is a type in `faults/`
//! and a line here.

mod clock;
mod disk;
mod network;
mod process;

use crate::{history::Event, host::Need, world::World};
use anyhow::{Result, bail};
use rand::rngs::StdRng;

/// Something that goes wrong for a while.
pub trait Fault {
    /// Lets it go wrong.
    fn begin(&mut self, world: &mut World) -> Result<()>;

    /// Half of the time is over.
    fn turn(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }

    /// Puts it right again.
    fn end(&mut self, world: &mut World) -> Result<()>;

    /// What it was about, for the log: which nodes, and what was seen of them.
    fn about(&self) -> String;

    /// What must not have happened while it lasted, beyond what must never happen.
    fn broken(&self, _events: &[Event]) -> Vec<String> {
        Vec::new()
    }
}

/// Makes a fault by chance for so many nodes.
type Make = fn(&mut StdRng, usize) -> Box<dyn Fault>;

/// How a fault is played.
#[derive(Clone, Copy)]
pub enum Scene {
    /// In the sky, under the workload.
    Sky(Make),
    /// With two more nodes behind address translation.
    Nat {
        /// Whether ports of the two are changed by chance, so that nobody can guess them.
        symmetric: bool,
    },
}

/// A kind of fault.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its id in the catalogue of threats.
    pub id: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What the machine must have.
    pub needs: &'static [Need],
    /// How long it lasts, in milliseconds: at least and at most.
    pub lasts_ms: (u64, u64),
    /// Longest time from its end to a new block on every node that counts as good, in seconds.
    pub heal_s_max: f64,
    /// How it is played.
    pub scene: Scene,
}

const fn kind(
    name: &'static str,
    id: &'static str,
    about: &'static str,
    needs: &'static [Need],
    lasts_ms: (u64, u64),
    scene: Scene,
) -> Kind {
    Kind { name, id, about, needs, lasts_ms, heal_s_max: 10.0, scene }
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    kind(
        "halves",
        "F8",
        "two halves do not hear each other",
        &[],
        (5_000, 12_000),
        Scene::Sky(network::halves),
    ),
    kind("apart", "F8", "as many as may fail are cut off", &[], (5_000, 12_000), Scene::Sky(network::apart)),
    kind("deaf", "F8", "one node is heard and hears nobody", &[], (5_000, 12_000), Scene::Sky(network::deaf)),
    kind(
        "delay",
        "F9",
        "packets take 200 ms each way",
        &[Need::Queue],
        (8_000, 12_000),
        Scene::Sky(network::delay),
    ),
    kind("loss", "F9", "5 % of packets are lost", &[Need::Queue], (8_000, 12_000), Scene::Sky(network::loss)),
    kind(
        "reorder",
        "F9",
        "packets take 10 to 60 ms and overtake each other",
        &[Need::Queue],
        (8_000, 12_000),
        Scene::Sky(network::reorder),
    ),
    kind(
        "duplicate",
        "F9",
        "10 % of packets come twice",
        &[Need::Doubling],
        (8_000, 12_000),
        Scene::Sky(network::duplicate),
    ),
    kind("kill", "F1", "kill -9 of one node", &[], (0, 1_500), Scene::Sky(process::kill)),
    kind("kill-all", "F17", "kill -9 of all nodes at once", &[], (0, 500), Scene::Sky(process::kill_all)),
    kind(
        "stop",
        "F10",
        "one node is stopped (SIGSTOP) and goes on",
        &[],
        (4_000, 10_000),
        Scene::Sky(process::stop),
    ),
    kind(
        "power-cut",
        "F2",
        "one node loses its power",
        &[Need::Disks],
        (0, 1_500),
        Scene::Sky(disk::power_cut),
    ),
    kind(
        "power-cut-all",
        "F2",
        "all nodes lose their power at once",
        &[Need::Disks],
        (0, 500),
        Scene::Sky(disk::power_cut_all),
    ),
    kind(
        "fsync",
        "F3",
        "fsync fails on one node, which then loses its power",
        &[Need::Disks, Need::Strace],
        (4_000, 6_000),
        Scene::Sky(disk::fsync),
    ),
    kind(
        "disk-full",
        "F4",
        "the disk of one node is full",
        &[Need::Disks],
        (4_000, 8_000),
        Scene::Sky(disk::full),
    ),
    kind(
        "no-handles",
        "F4",
        "one node may open no more files",
        &[],
        (4_000, 8_000),
        Scene::Sky(process::no_handles),
    ),
    kind(
        "clock-ahead",
        "F7",
        "the clock of one node jumps an hour ahead, and back",
        &[Need::Faketime],
        (5_000, 8_000),
        Scene::Sky(clock::ahead),
    ),
    kind(
        "clock-behind",
        "F7",
        "the clock of one node jumps an hour back, and ahead",
        &[Need::Faketime],
        (5_000, 8_000),
        Scene::Sky(clock::behind),
    ),
    kind("nat", "F19", "two nodes behind NATs that keep ports", &[], (0, 0), Scene::Nat { symmetric: false }),
    kind(
        "nat-symmetric",
        "F19",
        "two nodes behind NATs that change ports by chance",
        &[],
        (0, 0),
        Scene::Nat { symmetric: true },
    ),
];

/// The kinds of these names; all without one.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Kind>> {
    if names.is_empty() {
        return Ok(KINDS.iter().collect());
    }
    let find = |name: &String| match KINDS.iter().find(|kind| kind.name == name) {
        Some(kind) => Ok(kind),
        None => {
            let all: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            bail!("there is no fault '{name}'; there are {}", all.join(", "))
        }
    };
    names.iter().map(find).collect()
}

/// The name of a node by its place.
fn name(node: usize) -> String {
    format!("n{}", node + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn faults_are_found_by_their_names() {
        let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), KINDS.len(), "no name twice");
        assert_eq!(chosen(&[]).expect("all").len(), KINDS.len());
        let two = chosen(&["kill".to_owned(), "halves".to_owned()]).expect("both are there");
        assert_eq!(two.iter().map(|kind| kind.id).collect::<Vec<_>>(), ["F1", "F8"]);
        assert!(chosen(&["earthquake".to_owned()]).is_err());
        assert!(KINDS.iter().all(|kind| kind.lasts_ms.0 <= kind.lasts_ms.1));
    }
}
