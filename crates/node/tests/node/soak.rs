//! Whole skies under seeded faults: nodes die and come back, links break, disks fill, providers lie
//! or dawdle. Whatever happens, a job ends right and each of its tasks is accepted once.

use crate::support::{Sky, numbers_job};
use opensky_ports::{
    journal::Verdict,
    testing::{FakeExecutor, FakeRun},
};
use opensky_types::{
    Hash, JobId,
    job::{JobState, Verify},
    task::{Content, Failure},
};
use std::{collections::BTreeMap, time::Duration};

const NODES: u8 = 5;
const TASKS: u32 = 200;
/// Seeds that each run goes through.
const SEEDS: u64 = 20;

/// Draws that are the same for a seed in every run.
struct Draws {
    seed: u64,
    count: u64,
}

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.count += 1;
        let hash = Hash::of_value("soak", &(self.seed, self.count));
        u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes")) % bound
    }
}

/// What the executor of a node does in this seed. The first node is honest, and so are most others.
fn executor(seed: u64, index: usize) -> FakeExecutor {
    let character = Draws { seed: seed ^ 0x5eed, count: index as u64 * 1_000 }.below(6);
    FakeExecutor::new(move |_, item| {
        let right = FakeRun::writes(item.input.item.clone());
        match character {
            0 if index == 4 => FakeRun::writes("wrong").in_ms(300),
            1 if index > 0 => right.in_ms(6_000),
            2 if index == 3 => FakeRun::fails(Failure::WorkerLost { message: "killed".into() }).in_ms(100),
            _ => right.in_ms(400),
        }
    })
}

async fn fault(sky: &mut Sky, draws: &mut Draws, seed: u64, cuts: &mut Vec<(usize, usize)>) {
    let node = draws.below(NODES.into()) as usize;
    match draws.below(6) {
        0 => {
            let dead = sky.kill(node);
            tokio::time::sleep(Duration::from_millis(draws.below(6_000))).await;
            sky.revive(node, dead, executor(seed, node)).await;
            // Links that were cut stay cut for the new life, until they are mended.
        }
        1 | 2 => {
            let other = (node + 1 + draws.below(u64::from(NODES) - 1) as usize) % usize::from(NODES);
            sky.network.cut(sky.id(node), sky.id(other));
            cuts.push((node, other));
        }
        3 => {
            sky.nodes[node].journal.break_disk();
            tokio::time::sleep(Duration::from_millis(draws.below(400))).await;
            sky.nodes[node].journal.mend_disk();
        }
        _ => {
            for (one, other) in cuts.drain(..) {
                sky.network.restore(sky.id(one), sky.id(other));
            }
        }
    }
}

async fn is_final(sky: &Sky, job: JobId) -> Option<JobState> {
    let view = sky.nodes[0].handle.job(job).await.expect("journal reads").expect("job is known");
    view.stored.state.is_final().then_some(view.stored.state)
}

async fn soak(seed: u64) {
    let mut draws = Draws { seed, count: 0 };
    let mut sky = Sky::new(NODES, |index| executor(seed, index)).await;
    // Liars are only caught where results are compared.
    let verify = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 5 };
    let mut spec = numbers_job(sky.program(0), TASKS.into(), verify);
    spec.wait_ms = 3_600_000;
    let job = sky.nodes[0].handle.submit(spec).await.expect("job is taken");
    let mut cuts = Vec::new();
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(draws.below(1_500))).await;
        fault(&mut sky, &mut draws, seed, &mut cuts).await;
    }
    for (one, other) in cuts {
        sky.network.restore(sky.id(one), sky.id(other));
    }
    let mut waits = 0;
    let state = loop {
        if let Some(state) = is_final(&sky, job).await {
            break state;
        }
        waits += 1;
        assert!(waits < 20_000, "seed {seed}: the job hangs: {:?}", sky.nodes[0].handle.progress(job).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let consumer = &sky.nodes[0].handle;
    let notes = consumer.notes(job).await.expect("notes");
    assert_eq!(state, JobState::Succeeded, "seed {seed}: {:?}", notes.last());
    let mut accepted: BTreeMap<u32, u32> = BTreeMap::new();
    for run in consumer.runs(job, |run| run.verdict == Verdict::Accepted, 0, 100_000).await.expect("runs") {
        *accepted.entry(run.task.index).or_default() += 1;
        let right = Content::Inline(run.task.index.to_string().into_bytes());
        assert_eq!(run.outcome.stdout(), &right, "seed {seed}: {} has a wrong result", run.task);
    }
    assert_eq!(accepted, (0..TASKS).map(|index| (index, 1)).collect(), "seed {seed}: each task once");
}

#[tokio::test(start_paused = true)]
async fn f11_jobs_end_right_whatever_fails() {
    for seed in 0..SEEDS {
        soak(seed).await;
    }
}
