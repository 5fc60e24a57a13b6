//! Programs as they behave, and the engine of a node that runs them.

use crate::chance::Chance;
use opensky_types::{
    Hash,
    job::{Needs, Program},
    place::Level,
    service::ReplicaId,
    task::Failure,
};
use std::collections::BTreeMap;

/// How a program behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Behaviour {
    /// It answers soon after its start, and goes on.
    Good,
    /// While there are faults it crashes or gets sick now and then; then it is good.
    Flaky,
    /// It runs and never answers.
    Mute,
    /// It ends soon after each start.
    Crashing,
    /// The engine cannot start it.
    Unstartable,
    /// Nobody can get it.
    Missing,
    /// It is good in the first slot and mute in every other.
    Picky,
}

const ALL: [Behaviour; 7] = [
    Behaviour::Good,
    Behaviour::Flaky,
    Behaviour::Mute,
    Behaviour::Crashing,
    Behaviour::Unstartable,
    Behaviour::Missing,
    Behaviour::Picky,
];

impl Behaviour {
    /// A program that behaves so; `number` makes it another one.
    pub fn program(self, number: u64) -> Program {
        Program {
            hash: hash(self, number),
            size_bytes: number,
            level: Level::Container,
            function: String::new(),
            args: Vec::new(),
            env: Vec::new(),
            deterministic: false,
            needs: Needs::default(),
        }
    }

    /// How a program behaves.
    pub fn of(program: &Program) -> Self {
        let found = ALL.into_iter().find(|behaviour| hash(*behaviour, program.size_bytes) == program.hash);
        found.expect("only such programs are declared")
    }
}

fn hash(behaviour: Behaviour, number: u64) -> Hash {
    Hash::of_value("test program", &(behaviour as u8, number))
}

/// A program that runs.
#[derive(Debug, Clone)]
struct Running {
    cores: u16,
    answers_from: u64,
    /// When it stops answering.
    sick_from: u64,
    /// When it ends by itself.
    ends_at: u64,
    exit_code: i32,
}

/// The programs of one node.
#[derive(Debug, Default)]
pub struct Engine {
    /// Nothing can be started here.
    pub is_broken: bool,
    running: BTreeMap<(ReplicaId, u32), Running>,
}

impl Engine {
    /// Starts a program.
    pub fn start(
        &mut self,
        now: u64,
        chance: &mut Chance,
        run: (ReplicaId, u32),
        (program, cores): (&Program, u16),
        calm: bool,
    ) -> Result<(), Failure> {
        let behaviour = Behaviour::of(program);
        let never = u64::MAX;
        let mut running = Running {
            cores,
            answers_from: now + chance.between(100, 1_000),
            sick_from: never,
            ends_at: never,
            exit_code: 1,
        };
        match behaviour {
            _ if self.is_broken => return Err(Failure::WorkerLost { message: "broken".into() }),
            Behaviour::Unstartable => return Err(Failure::InvalidProgram { message: "none".into() }),
            Behaviour::Mute => running.answers_from = never,
            Behaviour::Picky if run.0.slot > 0 => running.answers_from = never,
            Behaviour::Crashing => running.ends_at = now + chance.between(100, 900),
            Behaviour::Flaky if !calm && chance.per_mille(500) => {
                let at = now + chance.between(2_000, 20_000);
                if chance.per_mille(500) { running.ends_at = at } else { running.sick_from = at }
            }
            Behaviour::Good | Behaviour::Flaky | Behaviour::Missing | Behaviour::Picky => {}
        }
        assert!(self.running.insert(run, running).is_none(), "{run:?} is started twice");
        Ok(())
    }

    /// Whether a program answers.
    pub fn answers(&self, now: u64, run: (ReplicaId, u32)) -> bool {
        let is_well = |running: &Running| running.answers_from <= now && now < running.sick_from;
        self.running.get(&run).is_some_and(is_well)
    }

    /// What is well now stays so.
    pub fn calm(&mut self, now: u64) {
        for running in self.running.values_mut() {
            for at in [&mut running.sick_from, &mut running.ends_at] {
                if *at > now {
                    *at = u64::MAX;
                }
            }
        }
    }

    /// Ends one.
    pub fn stop(&mut self, run: (ReplicaId, u32)) {
        self.running.remove(&run);
    }

    /// Programs that have ended by themselves by now.
    pub fn ended(&mut self, now: u64) -> Vec<((ReplicaId, u32), i32)> {
        let over = self.running.iter().filter(|(_, running)| running.ends_at <= now);
        let over: Vec<_> = over.map(|(run, running)| (*run, running.exit_code)).collect();
        self.running.retain(|_, running| running.ends_at > now);
        over
    }

    /// Cores that programs have.
    pub fn cores(&self) -> u16 {
        self.running.values().map(|running| running.cores).sum()
    }

    /// Whose programs run.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.running.keys().map(|(replica, _)| *replica)
    }
}
