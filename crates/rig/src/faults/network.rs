//! Networks that fail: partitions and bad weather.

use super::{Fault, name};
use crate::{
    shim::{Climate, Shim, Weather},
    world::World,
};
use anyhow::Result;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

/// Ways that are closed, from a node to another.
struct Partition {
    closed: Vec<(usize, usize)>,
    about: String,
}

impl Partition {
    fn rules(&self, world: &World, change: &str) -> Result<()> {
        for (from, to) in &self.closed {
            let source = world.nodes[*from].address;
            world.nodes[*to].place.rule(&format!("{change} INPUT -i eth0 -s {source} -j DROP"))?;
        }
        Ok(())
    }
}

impl Fault for Partition {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        self.rules(world, "-A")
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        self.rules(world, "-D")
    }

    fn about(&self) -> String {
        self.about.clone()
    }
}

/// Some nodes by chance, and the others.
fn parted(chance: &mut StdRng, nodes: usize, count: usize) -> (Vec<usize>, Vec<usize>) {
    let mut all: Vec<usize> = (0..nodes).collect();
    all.shuffle(chance);
    let mut others = all.split_off(count);
    all.sort_unstable();
    others.sort_unstable();
    (all, others)
}

fn ways(from: &[usize], to: &[usize]) -> Vec<(usize, usize)> {
    from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))).collect()
}

fn names(nodes: &[usize]) -> String {
    nodes.iter().map(|node| name(*node)).collect::<Vec<_>>().join("+")
}

fn split(chance: &mut StdRng, nodes: usize, count: usize) -> Box<dyn Fault> {
    let (some, others) = parted(chance, nodes, count);
    let closed = [ways(&some, &others), ways(&others, &some)].concat();
    Box::new(Partition { closed, about: format!("{} | {}", names(&some), names(&others)) })
}

pub fn halves(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    split(chance, nodes, nodes / 2)
}

pub fn apart(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    split(chance, nodes, (nodes - 1) / 3)
}

pub fn deaf(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    let (one, others) = parted(chance, nodes, 1);
    Box::new(Partition { closed: ways(&others, &one), about: format!("{} hears nobody", names(&one)) })
}

/// The same weather at every node.
struct Everywhere {
    climate: Climate,
    seed: u64,
    shims: Vec<Shim>,
}

impl Fault for Everywhere {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        for (number, node) in world.nodes.iter().enumerate() {
            let chance = StdRng::seed_from_u64(self.seed ^ number as u64);
            self.shims.push(Shim::begin(&node.place, Weather::new(self.climate, chance))?);
        }
        Ok(())
    }

    fn end(&mut self, _world: &mut World) -> Result<()> {
        self.shims.drain(..).try_for_each(Shim::end)
    }

    fn about(&self) -> String {
        "all nodes".to_owned()
    }
}

fn everywhere(chance: &mut StdRng, climate: Climate) -> Box<dyn Fault> {
    Box::new(Everywhere { climate, seed: chance.random(), shims: Vec::new() })
}

pub fn delay(chance: &mut StdRng, _nodes: usize) -> Box<dyn Fault> {
    everywhere(chance, Climate { delay_ms: 200, ..Climate::default() })
}

pub fn loss(chance: &mut StdRng, _nodes: usize) -> Box<dyn Fault> {
    everywhere(chance, Climate { lost_permille: 50, ..Climate::default() })
}

pub fn reorder(chance: &mut StdRng, _nodes: usize) -> Box<dyn Fault> {
    everywhere(chance, Climate { delay_ms: 10, jitter_ms: 50, ..Climate::default() })
}

/// Packets that come twice: the kernel sends a copy to where the packet itself goes.
struct Doubled;

impl Doubled {
    fn rules(world: &World, change: &str) -> Result<()> {
        for node in &world.nodes {
            for other in world.nodes.iter().filter(|other| other.address != node.address) {
                let to = other.address;
                node.place.rule(&format!(
                    "-t mangle {change} OUTPUT -o eth0 -d {to} -m statistic --mode random --probability 0.1 \
                     -j TEE --gateway {to}"
                ))?;
            }
        }
        Ok(())
    }
}

impl Fault for Doubled {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        Self::rules(world, "-A")
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        Self::rules(world, "-D")
    }

    fn about(&self) -> String {
        "all nodes".to_owned()
    }
}

pub fn duplicate(_chance: &mut StdRng, _nodes: usize) -> Box<dyn Fault> {
    Box::new(Doubled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_closes_each_way_between_its_sides_and_no_other() {
        let mut chance = StdRng::seed_from_u64(3);
        let (some, others) = parted(&mut chance, 7, 2);
        assert_eq!((some.len(), others.len()), (2, 5));
        assert!(some.iter().all(|node| !others.contains(node)));
        assert_eq!(ways(&[0, 1], &[2]), [(0, 2), (1, 2)]);
        assert_eq!(names(&[0, 3]), "n1+n4");
    }
}
