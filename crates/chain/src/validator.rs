//! This node's validator: started when the state says that it votes, stopped when it does no more.

use crate::voting::Shared;
use opensky_consensus::{
    Address, Block, LostJournal, Rules, Validator, ValidatorConfig, ValidatorError, ValidatorSet,
};
use opensky_ports::ledger::Role;
use opensky_types::{Keypair, NodeId, text::causes};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How this node votes when it is one of the validators.
pub struct Voting {
    /// The node's key.
    pub key: Keypair,
    /// TCP address that other validators connect to.
    pub listen: SocketAddr,
    /// Where they dial it, `host:port`.
    pub dialable: String,
    /// A folder of its own: journal of votes, final blocks.
    pub folder: PathBuf,
    /// The file that keeps the last epoch voted in; beside the key, never inside `folder`.
    pub mark: PathBuf,
}

/// Time between two looks at what is wanted.
const LOOK: Duration = Duration::from_millis(200);
/// Longest wait for the address of another validator before starting without any: the others dial too.
const ADDRESSES_WAIT: Duration = Duration::from_secs(3);
/// Longest wait for the validator when a ledger is opened.
const BEGIN_WAIT: Duration = Duration::from_secs(60);
/// Pause before a validator that failed is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Longest stay of a validator that leaves: from then on its node follows like any other.
const LEAVE_WAIT: Duration = Duration::from_mins(10);

/// How long a validator that was too far behind stays out while its node gets nothing newer either.
const CATCH_UP_WAIT: Duration = Duration::from_secs(60);

/// What the node and the validator's thread tell each other.
#[derive(Default)]
pub(crate) struct Desk {
    state: Mutex<DeskState>,
    changed: Condvar,
}

#[derive(Default)]
struct DeskState {
    stop: bool,
    role: Option<Role>,
    /// Where validators can be dialled.
    addresses: BTreeMap<NodeId, String>,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn role(&self) -> Role {
        self.lock().role.clone().unwrap_or(Role::Follower)
    }

    pub fn addresses(&self) -> BTreeMap<NodeId, String> {
        self.lock().addresses.clone()
    }

    /// Learns addresses; `true` if any is new.
    pub fn learn(&self, addresses: impl IntoIterator<Item = (NodeId, String)>) -> bool {
        let mut state = self.lock();
        let mut is_new = false;
        for (node, address) in addresses {
            is_new |= state.addresses.insert(node, address.clone()).as_ref() != Some(&address);
        }
        if is_new {
            self.changed.notify_all();
        }
        is_new
    }

    pub fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }
}

/// Runs the validator of this node, as the ledger wants it, until the desk says stop. Returns once it has
/// begun, if it can begin at once: then the ledger has all that was final when the node stopped, and an
/// account's next number is right. A node killed a moment after a block has that block in the validator's
/// folder alone.
pub(crate) fn spawn(
    voting: Voting,
    shared: Shared,
    genesis: Block,
    rules: Rules,
    desk: Arc<Desk>,
) -> std::io::Result<JoinHandle<()>> {
    let keeper = Keeper { own: voting.key.id(), voting, shared, genesis, rules, desk };
    // Nothing is ever sent: the keeper drops its end after its first look, or with its thread.
    let (first_look, looked) = mpsc::channel();
    let thread = thread::Builder::new().name("validator".to_owned()).spawn(move || keeper.run(first_look))?;
    if looked.recv_timeout(BEGIN_WAIT) == Err(RecvTimeoutError::Timeout) {
        tracing::warn!("the validator takes long to begin; until then the ledger may lack its newest blocks");
    }
    Ok(thread)
}

/// What a node does in consensus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It votes on the next block.
    Votes,
    /// It voted in the epoch before, and helps those who vote now to begin.
    Leaves,
    /// Nothing.
    None,
}

/// A validator that the others can't help stays out, and its node follows.
struct Absence {
    /// The epoch that the others vote in.
    epoch: u64,
    /// The node's height when it last changed, and when that was.
    height: u64,
    since: Instant,
}

impl Absence {
    /// Whether it may try again: the next block is of that epoch, or nothing newer comes.
    fn is_over(&mut self, height: u64, epoch: u64, now: Instant) -> bool {
        if height != self.height {
            (self.height, self.since) = (height, now);
        }
        epoch >= self.epoch || now.duration_since(self.since) >= CATCH_UP_WAIT
    }
}

struct Keeper {
    own: NodeId,
    voting: Voting,
    shared: Shared,
    genesis: Block,
    rules: Rules,
    desk: Arc<Desk>,
}

impl Keeper {
    fn run(self, first_look: mpsc::Sender<Infallible>) {
        let mut first_look = Some(first_look);
        let mut running: Option<Validator> = None;
        let mut not_before = Instant::now();
        let mut waits_since: Option<Instant> = None;
        let mut leaves_since: Option<Instant> = None;
        let mut absence: Option<Absence> = None;
        loop {
            let wanted = match self.part() {
                Part::Votes => {
                    leaves_since = None;
                    true
                }
                Part::Leaves => {
                    let since = *leaves_since.get_or_insert_with(Instant::now);
                    running.is_some() && since.elapsed() < LEAVE_WAIT
                }
                Part::None => false,
            };
            if let Some(validator) = running.take_if(|validator| !wanted || !validator.is_running()) {
                absence = self.end(validator, wanted);
                let retries = wanted && absence.is_none();
                not_before = Instant::now() + if retries { RETRY } else { Duration::ZERO };
            }
            absence.take_if(|absence| self.is_over(absence));
            if wanted && running.is_none() && absence.is_none() && Instant::now() >= not_before {
                let since = *waits_since.get_or_insert_with(Instant::now);
                if self.has_addresses() || since.elapsed() >= ADDRESSES_WAIT {
                    waits_since = None;
                    running = self.begin();
                    not_before = Instant::now() + RETRY;
                }
            }
            drop(first_look.take());
            let desk = self.desk.lock();
            let (desk, _) =
                self.desk.changed.wait_timeout(desk, LOOK).unwrap_or_else(PoisonError::into_inner);
            if desk.stop {
                drop(desk);
                if let Some(validator) = running {
                    self.end(validator, false);
                }
                return;
            }
        }
    }

    /// What this node's validator has to do.
    fn part(&self) -> Part {
        let state = self.shared.lock();
        let header = state.top.block.header();
        let epoch = state.founding.rules.epoch_length.epoch_of(header.height + 1);
        let is_handed_over = header.epoch == epoch && state.top_certificate().is_some();
        part(&state.sets, epoch, is_handed_over, self.own)
    }

    /// Whether the node knows where to find another validator, if there is one.
    fn has_addresses(&self) -> bool {
        let state = self.shared.lock();
        let others = state.sets.values().flat_map(|set| set.members().to_vec());
        let others: Vec<NodeId> = others.filter(|node| *node != self.own).collect();
        drop(state);
        let known = self.desk.addresses();
        others.is_empty() || others.iter().any(|node| known.contains_key(node))
    }

    fn begin(&self) -> Option<Validator> {
        self.shared.lock().is_voting = true;
        match self.start() {
            Ok(validator) => {
                self.shared.lock().work = Some(validator.work());
                self.desk.lock().role = Some(Role::Validator);
                tracing::info!(listen = %self.voting.listen, "this node validates");
                Some(validator)
            }
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    fn start(&self) -> Result<Validator, ValidatorError> {
        let known = self.desk.addresses().into_iter().filter(|(node, _)| *node != self.own);
        let known = known.filter_map(|(node, text)| Some((node, address(&text)?))).collect();
        let dialable = address(&self.voting.dialable)
            .ok_or_else(|| ValidatorError::Host(self.voting.dialable.clone()))?;
        let config = ValidatorConfig {
            key: self.voting.key.clone(),
            genesis: self.genesis.clone(),
            rules: self.rules.clone(),
            listen: self.voting.listen,
            dialable,
            known,
            folder: self.voting.folder.clone(),
            mark: self.voting.mark.clone(),
            lost_journal: LostJournal::VoteIfAlone,
        };
        Validator::start(config, self.shared.clone())
    }

    fn is_over(&self, absence: &mut Absence) -> bool {
        let state = self.shared.lock();
        let height = state.top.block.header().height;
        let epoch = state.founding.rules.epoch_length.epoch_of(height + 1);
        drop(state);
        absence.is_over(height, epoch, Instant::now())
    }

    /// Stops a validator, and says for what it should stay out.
    fn end(&self, validator: Validator, wanted: bool) -> Option<Absence> {
        {
            let mut state = self.shared.lock();
            state.work = None;
        }
        let ended = validator.stop();
        self.shared.lock().is_voting = false;
        match ended {
            Err(ValidatorError::Behind { epoch }) => {
                tracing::warn!(epoch, "this node follows until its ledger is where the others vote");
                self.desk.lock().role = None;
                let height = self.shared.lock().top.block.header().height;
                return Some(Absence { epoch, height, since: Instant::now() });
            }
            Err(error) => self.failed(&error),
            Ok(()) if wanted => {
                self.desk.lock().role = Some(Role::Stopped("it stopped by itself".to_owned()))
            }
            Ok(()) => {
                tracing::info!("this node validates no longer");
                self.desk.lock().role = None;
            }
        }
        None
    }

    fn failed(&self, error: &ValidatorError) {
        self.shared.lock().is_voting = false;
        let problem = causes(error);
        tracing::error!(problem, "the validator of this node does not run");
        self.desk.lock().role = Some(Role::Stopped(problem));
    }
}

/// The part of a node in consensus when the next block is of `epoch`. Until a certified block of that
/// epoch shows that its validators go on, they may need the end of the old one from those who leave.
fn part(sets: &BTreeMap<u64, ValidatorSet>, epoch: u64, is_handed_over: bool, own: NodeId) -> Part {
    let votes_in = |epoch: u64| sets.get(&epoch).is_some_and(|set| set.contains(own));
    if votes_in(epoch) {
        Part::Votes
    } else if !is_handed_over && epoch.checked_sub(1).is_some_and(votes_in) {
        Part::Leaves
    } else {
        Part::None
    }
}

/// Reads `host:port`.
pub(crate) fn address(text: &str) -> Option<Address> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(Address::Ip(socket));
    }
    let (host, port) = text.rsplit_once(':')?;
    let is_name = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    is_name.then_some(Address::Name { host: host.to_owned(), port: port.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(seed: u8) -> NodeId {
        Keypair::from_seed([seed; 32]).id()
    }

    fn set(seeds: impl IntoIterator<Item = u8>) -> ValidatorSet {
        ValidatorSet::new(seeds.into_iter().map(node)).expect("distinct keys")
    }

    #[test]
    fn f8_a_validator_that_leaves_stays_until_the_next_epoch_has_a_certified_block() {
        let sets = BTreeMap::from([(3, set([1, 2])), (4, set([2, 3]))]);
        let parts = |handed_over| [1, 2, 3, 4].map(|seed| part(&sets, 4, handed_over, node(seed)));
        assert_eq!(parts(false), [Part::Leaves, Part::Votes, Part::Votes, Part::None]);
        assert_eq!(parts(true), [Part::None, Part::Votes, Part::Votes, Part::None]);
        assert_eq!(part(&sets, 0, false, node(1)), Part::None, "nobody voted before the first epoch");
    }

    #[test]
    fn f8_a_validator_too_far_behind_stays_out_while_its_node_catches_up() {
        let start = Instant::now();
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        let mut absence = Absence { epoch: 7, height: 10, since: start };
        assert!(!absence.is_over(10, 1, after(59)));
        assert!(!absence.is_over(40, 4, after(60)), "something newer came");
        assert!(!absence.is_over(40, 4, after(119)));
        assert!(absence.is_over(70, 7, after(119)), "the node is there");
        assert!(absence.is_over(70, 6, after(179)), "nothing newer came");
    }
}
