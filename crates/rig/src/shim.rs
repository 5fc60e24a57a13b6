//! Bad weather between nodes: packets that the kernel hands to this program come late, out of order or
//! never. The kernel's queue (NFQUEUE) does the holding, [`Weather`] decides.

use crate::world::place::Place;
use anyhow::{Context, Result};
use nfq::{Message, Queue, Verdict};
use rand::{RngExt, rngs::StdRng};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Packets that may wait; more are lost, as on a full line.
const WAITING_MAX: u32 = 65_535;
/// Bytes of a packet that are looked at: none, but the kernel sends no fewer.
const LOOKED_AT: u16 = 64;
/// Longest sleep between two looks at the queue.
const LOOK: Duration = Duration::from_millis(1);

/// What happens to packets on their way in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Climate {
    /// How late each one comes, in milliseconds.
    pub delay_ms: u64,
    /// How much later by chance, at most. Above 0 packets overtake each other.
    pub jitter_ms: u64,
    /// How many of 1,000 are lost.
    pub lost_permille: u32,
}

/// What becomes of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It never comes.
    Lost,
    /// It comes after so many microseconds.
    Late(u64),
}

/// A climate and its chances.
#[derive(Debug)]
pub struct Weather {
    climate: Climate,
    chance: StdRng,
}

impl Weather {
    /// Weather of this climate.
    pub fn new(climate: Climate, chance: StdRng) -> Self {
        Self { climate, chance }
    }

    /// Decides about the next packet.
    pub fn fate(&mut self) -> Fate {
        if self.chance.random_range(0..1_000) < self.climate.lost_permille {
            return Fate::Lost;
        }
        let more_us = self.chance.random_range(0..=self.climate.jitter_ms * 1_000);
        Fate::Late(self.climate.delay_ms * 1_000 + more_us)
    }
}

/// Weather at one node, until the value is dropped.
#[derive(Debug)]
pub struct Shim {
    place: Place,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

const RULE: &str = "INPUT -i eth0 -j NFQUEUE --queue-num 0";

impl Shim {
    /// Begins to hold what comes in at a place.
    pub fn begin(place: &Place, weather: Weather) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, is_ready) = mpsc::channel();
        let (inside, stopped) = (place.clone(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let queue = inside.enter().and_then(|()| open());
            match queue {
                Ok(queue) => {
                    // Whoever waits for it may have given up.
                    let _ = ready.send(Ok(()));
                    hold(queue, weather, &stopped);
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        });
        is_ready.recv().context("the shim ended")??;
        place.rule(&format!("-A {RULE}"))?;
        Ok(Self { place: place.clone(), stop, thread: Some(thread) })
    }

    /// Lets everything pass again.
    pub fn end(mut self) -> Result<()> {
        self.place.rule(&format!("-D {RULE}"))?;
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| anyhow::anyhow!("the shim of {} broke", self.place.name))?;
        }
        Ok(())
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn open() -> Result<Queue> {
    let mut queue = Queue::open().context("opening the kernel's queue of packets")?;
    queue.bind(0).context("binding to the kernel's queue of packets")?;
    queue.set_copy_range(0, LOOKED_AT)?;
    queue.set_queue_max_len(0, WAITING_MAX)?;
    queue.set_nonblocking(true);
    Ok(queue)
}

/// A packet that waits; the number keeps those of one moment in order.
struct Waiting {
    due: Reverse<(Instant, u64)>,
    packet: Message,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

fn hold(mut queue: Queue, mut weather: Weather, stop: &AtomicBool) {
    let mut waiting: BinaryHeap<Waiting> = BinaryHeap::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let come = queue.recv();
        let now = Instant::now();
        let is_idle = matches!(&come, Err(error) if error.kind() == ErrorKind::WouldBlock);
        // Other errors mean that packets were lost in the kernel, which is weather too.
        if let Ok(packet) = come {
            match weather.fate() {
                Fate::Lost => decide(&mut queue, packet, Verdict::Drop),
                Fate::Late(late_us) => {
                    number += 1;
                    let due = Reverse((now + Duration::from_micros(late_us), number));
                    waiting.push(Waiting { due, packet });
                }
            }
        }
        while let Some(next) = waiting.peek()
            && next.due.0.0 <= now
            && let Some(Waiting { packet, .. }) = waiting.pop()
        {
            decide(&mut queue, packet, Verdict::Accept);
        }
        if is_idle {
            let next = waiting.peek().map_or(LOOK, |next| next.due.0.0.saturating_duration_since(now));
            thread::sleep(next.min(LOOK));
        }
    }
    while let Some(Waiting { packet, .. }) = waiting.pop() {
        decide(&mut queue, packet, Verdict::Accept);
    }
}

fn decide(queue: &mut Queue, mut packet: Message, verdict: Verdict) {
    packet.set_verdict(verdict);
    // A packet about which nothing can be said any more is lost with its queue.
    let _ = queue.verdict(packet);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn fates(climate: Climate, seed: u64) -> Vec<Fate> {
        let mut weather = Weather::new(climate, StdRng::seed_from_u64(seed));
        (0..10_000).map(|_| weather.fate()).collect()
    }

    #[test]
    fn weather_is_what_its_climate_says_and_comes_again_with_its_seed() {
        let climate = Climate { delay_ms: 200, jitter_ms: 50, lost_permille: 50 };
        let seen = fates(climate, 1);
        let lost = seen.iter().filter(|fate| **fate == Fate::Lost).count();
        assert!((400..600).contains(&lost), "{lost} of 10,000");
        let in_time = |fate: &Fate| matches!(fate, Fate::Lost | Fate::Late(200_000..=250_000));
        assert!(seen.iter().all(in_time));
        assert_eq!(seen, fates(climate, 1));
        assert_ne!(seen, fates(climate, 2));
        assert!(fates(Climate::default(), 1).iter().all(|fate| *fate == Fate::Late(0)));
    }
}
