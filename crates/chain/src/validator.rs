//! This node's validator: started when the state says that it votes, stopped when it does no more.

use crate::{snapshots::Chain, voting::Shared};
use opensky_consensus::{Address, Block, LostJournal, Rules, Validator, ValidatorConfig, ValidatorError};
use opensky_ports::ledger::Role;
use opensky_types::{Keypair, NodeId};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
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
/// Pause before a validator that failed is tried again.
const RETRY: Duration = Duration::from_secs(30);

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

/// Runs the validator of this node, as the ledger wants it, until the desk says stop.
pub(crate) fn spawn(
    voting: Voting,
    shared: Shared,
    genesis: Block,
    rules: Rules,
    desk: Arc<Desk>,
) -> std::io::Result<JoinHandle<()>> {
    let keeper = Keeper { own: voting.key.id(), voting, shared, genesis, rules, desk };
    thread::Builder::new().name("validator".to_owned()).spawn(move || keeper.run())
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
    fn run(self) {
        let mut running: Option<Validator> = None;
        let mut not_before = Instant::now();
        let mut waits_since: Option<Instant> = None;
        loop {
            let wanted = self.is_wanted();
            if let Some(validator) = running.take_if(|validator| !wanted || !validator.is_running()) {
                self.end(validator, wanted);
                not_before = Instant::now() + if wanted { RETRY } else { Duration::ZERO };
            }
            if wanted && running.is_none() && Instant::now() >= not_before {
                let since = *waits_since.get_or_insert_with(Instant::now);
                if self.has_addresses() || since.elapsed() >= ADDRESSES_WAIT {
                    waits_since = None;
                    running = self.begin();
                    not_before = Instant::now() + RETRY;
                }
            }
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

    /// Whether this node votes on the next block.
    fn is_wanted(&self) -> bool {
        let state = self.shared.lock();
        let next = state.top.block.header().height + 1;
        let epoch = state.founding.rules.epoch_length.epoch_of(next);
        state.sets.get(&epoch).is_some_and(|set| set.contains(self.own))
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

    fn end(&self, validator: Validator, wanted: bool) {
        {
            let mut state = self.shared.lock();
            state.work = None;
        }
        let ended = validator.stop();
        self.shared.lock().is_voting = false;
        match ended {
            Err(error) => self.failed(&error),
            Ok(()) if wanted => {
                self.desk.lock().role = Some(Role::Stopped("it stopped by itself".to_owned()))
            }
            Ok(()) => {
                tracing::info!("this node validates no longer");
                self.desk.lock().role = None;
            }
        }
    }

    fn failed(&self, error: &ValidatorError) {
        self.shared.lock().is_voting = false;
        let problem = Chain(error).to_string();
        tracing::error!(problem, "the validator of this node does not run");
        self.desk.lock().role = Some(Role::Stopped(problem));
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
