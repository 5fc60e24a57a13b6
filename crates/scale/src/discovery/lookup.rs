//! One iterative lookup, as libp2p-kad 0.49 does it (`query/peers/closest.rs`): whom to ask next, and when it ends.
//!
//! Up to `parallelism` nodes are asked at a time. After as many answers in a row that brought nothing nearer it is
//! stalled, and up to `K` are asked at a time. It ends when the `K` nearest that have not failed have answered.
//! libp2p takes a node for unresponsive after 10 s; a query of ours ends after 5 s, so that never comes to pass and
//! is left out.

use crate::params::K;

/// What a lookup does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask this node.
    Ask(u32),
    /// Wait for answers.
    Wait,
    /// It has ended.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Asked,
    Answered,
    Failed,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    distance: u64,
    node: u32,
    /// Answers that had to come, one after the other, before this node was known.
    hop: u8,
    state: State,
}

/// A lookup under way.
#[derive(Debug, Clone)]
pub struct Lookup {
    parallelism: usize,
    /// In order of distance.
    candidates: Vec<Candidate>,
    waiting: usize,
    in_vain: usize,
    is_stalled: bool,
}

impl Lookup {
    /// Begins with the nearest nodes that are known, given with their distances.
    pub fn new(parallelism: usize, known: impl IntoIterator<Item = (u32, u64)>) -> Self {
        let candidate = |(node, distance)| Candidate { distance, node, hop: 0, state: State::New };
        let mut candidates: Vec<Candidate> = known.into_iter().map(candidate).collect();
        candidates.sort_unstable_by_key(|one| one.distance);
        candidates.truncate(K);
        Self { parallelism, candidates, waiting: 0, in_vain: 0, is_stalled: false }
    }

    /// What comes next. A node that is to be asked counts as asked from then on.
    pub fn step(&mut self) -> Step {
        let at_capacity =
            self.waiting >= if self.is_stalled { K.max(self.parallelism) } else { self.parallelism };
        let mut answered = Some(0);
        for one in &mut self.candidates {
            match one.state {
                State::Asked if at_capacity => return Step::Wait,
                // Not over before one of the nearest has answered or failed.
                State::Asked => answered = None,
                State::Answered => {
                    if let Some(count) = &mut answered {
                        *count += 1;
                        if *count >= K {
                            return Step::Done;
                        }
                    }
                }
                State::New if at_capacity => return Step::Wait,
                State::New => {
                    one.state = State::Asked;
                    self.waiting += 1;
                    return Step::Ask(one.node);
                }
                State::Failed => {}
            }
        }
        if self.waiting > 0 { Step::Wait } else { Step::Done }
    }

    /// A node has answered with nodes that it knows, given with their distances.
    pub fn on_answer(&mut self, distance: u64, closer: impl IntoIterator<Item = (u32, u64)>) {
        let Ok(place) = self.candidates.binary_search_by_key(&distance, |one| one.distance) else { return };
        let one = &mut self.candidates[place];
        if one.state != State::Asked {
            return;
        }
        one.state = State::Answered;
        let hop = one.hop.saturating_add(1);
        self.waiting -= 1;
        let furthest =
            self.candidates.get(K - 1).or(self.candidates.last()).map_or(distance, |one| one.distance);
        let mut progress = self.candidates.len() < K;
        for (node, distance) in closer {
            if let Err(place) = self.candidates.binary_search_by_key(&distance, |one| one.distance) {
                self.candidates.insert(place, Candidate { distance, node, hop, state: State::New });
                progress |= distance < furthest;
            }
        }
        if progress {
            (self.in_vain, self.is_stalled) = (0, false);
        } else if !self.is_stalled {
            self.in_vain += 1;
            self.is_stalled = self.in_vain >= self.parallelism;
        }
    }

    /// A node could not be reached.
    pub fn on_failure(&mut self, distance: u64) {
        if let Ok(place) = self.candidates.binary_search_by_key(&distance, |one| one.distance)
            && self.candidates[place].state == State::Asked
        {
            self.candidates[place].state = State::Failed;
            self.waiting -= 1;
        }
    }

    /// The nearest nodes that have answered, nearest first, with the number of requests that lay on the way to each.
    pub fn found(&self) -> impl Iterator<Item = (u32, u8)> {
        let answered = self.candidates.iter().filter(|one| one.state == State::Answered);
        answered.map(|one| (one.node, one.hop + 1)).take(K)
    }

    /// All that have answered.
    pub fn answered(&self) -> impl Iterator<Item = u32> {
        self.candidates.iter().filter(|one| one.state == State::Answered).map(|one| one.node)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lookup, Step};
    use crate::params::{ALPHA, K};

    fn asked(lookup: &mut Lookup) -> Vec<u32> {
        std::iter::from_fn(|| match lookup.step() {
            Step::Ask(node) => Some(node),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn t2_a_lookup_asks_alpha_at_a_time_and_k_once_it_stalls() {
        let mut lookup = Lookup::new(ALPHA, (0..30).map(|node| (node, u64::from(node))));
        assert_eq!(asked(&mut lookup), [0, 1, 2], "the nearest three");
        lookup.on_answer(0, []);
        lookup.on_answer(1, []);
        assert_eq!(asked(&mut lookup), [3, 4]);
        lookup.on_answer(2, []);
        assert_eq!(asked(&mut lookup).len(), 15, "stalled: all of the nearest twenty");
        for distance in 3..20 {
            lookup.on_answer(distance, []);
        }
        assert_eq!(lookup.step(), Step::Done);
        assert_eq!(lookup.found().count(), K);
    }

    #[test]
    fn t2_a_silent_node_among_the_nearest_keeps_a_lookup_from_ending() {
        let mut lookup = Lookup::new(ALPHA, (0..20).map(|node| (node, u64::from(node))));
        let mut waiting = asked(&mut lookup);
        while let Some(node) = waiting.pop() {
            if node != 7 {
                lookup.on_answer(u64::from(node), []);
            }
            waiting.extend(asked(&mut lookup));
        }
        assert_eq!(lookup.step(), Step::Wait);
        lookup.on_failure(7);
        assert_eq!(lookup.step(), Step::Done);
        assert_eq!(lookup.found().count(), 19);
    }

    #[test]
    fn t2_hops_count_the_requests_on_the_way() {
        let mut lookup = Lookup::new(ALPHA, [(9, 900)]);
        assert_eq!(lookup.step(), Step::Ask(9));
        lookup.on_answer(900, [(5, 500)]);
        assert_eq!(lookup.step(), Step::Ask(5));
        lookup.on_answer(500, []);
        assert_eq!(lookup.found().collect::<Vec<_>>(), [(5, 2), (9, 1)]);
    }
}
