//! A wall clock that jumps. The node is started under libfaketime first, which reads the distance to
//! the true time from a file; the clock that only goes forward stays true.

use super::{Fault, name};
use crate::{host, world::World};
use anyhow::{Context, Result};
use rand::{RngExt, rngs::StdRng};
use std::{fs, path::PathBuf, thread, time::Duration};

/// How long a node runs with its true time before the jump.
const CALM: Duration = Duration::from_secs(2);

struct Jump {
    node: usize,
    seconds: i32,
}

impl Jump {
    fn file(&self, world: &World) -> Result<PathBuf> {
        let folder = world.nodes[self.node].folder.parent().context("a data folder lies on a disk")?;
        Ok(folder.join("time"))
    }

    fn set(&self, world: &World, seconds: i32) -> Result<()> {
        fs::write(self.file(world)?, format!("{seconds:+}\n")).context("setting the time")
    }

    fn environment(&self, world: &World) -> Result<Vec<(String, String)>> {
        let library = host::faketime().context("libfaketime is missing")?;
        let file = self.file(world)?.display().to_string();
        let pairs = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_STAT", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ];
        Ok(pairs.map(|(name, value)| (name.to_owned(), value)).into())
    }

    fn restart(&self, world: &mut World, environment: Vec<(String, String)>) -> Result<()> {
        world.nodes[self.node].kill()?;
        world.nodes[self.node].set_environment(environment);
        world.restart(&[self.node]).map(drop)
    }
}

impl Fault for Jump {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        self.set(world, 0)?;
        let environment = self.environment(world)?;
        self.restart(world, environment)?;
        thread::sleep(CALM);
        self.set(world, self.seconds)
    }

    fn turn(&mut self, world: &mut World) -> Result<()> {
        self.set(world, 0)
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        self.restart(world, Vec::new())
    }

    fn about(&self) -> String {
        format!("{} by {:+} s", name(self.node), self.seconds)
    }
}

fn jump(chance: &mut StdRng, nodes: usize, seconds: i32) -> Box<dyn Fault> {
    Box::new(Jump { node: chance.random_range(0..nodes), seconds })
}

pub fn ahead(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    jump(chance, nodes, 3_600)
}

pub fn behind(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    jump(chance, nodes, -3_600)
}
