//! One service and what is known of its replicas.

use super::{KeeperConfig, KeptView, Note, NoteText, PlacedView, data::Data, scaling::Scaling};
use opensky_types::{
    NodeId, Timestamp,
    job::Blob,
    service::{Declaration, Declared, ReplicaId, ReplicaReport, ReplicaState, ServiceSpec},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Notes kept of a service.
const NOTES_MAX: usize = 64;
/// Revisions that are remembered to run alike.
const ALIKE_MAX: usize = 64;
/// How long it is remembered that a service was removed: whoever kept it and was away hears of it.
const TOMBSTONE_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// A revision that did not get healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Which.
    pub revision: u64,
    /// The one that goes on in its place; none: nothing more is replaced.
    pub goes_on: Option<u64>,
    /// What went wrong.
    pub problem: String,
}

/// A revision of which no replica has been well yet, though some were tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// How often its program ended, did not start or did not get healthy.
    pub times: u32,
    /// What went wrong the last time, with what the program wrote.
    pub problem: String,
}

/// A service that is kept here.
#[derive(Debug)]
pub(super) struct Kept {
    pub declaration: Declaration,
    pub declared: Declared,
    /// Since when this node keeps it.
    pub since: Timestamp,
    /// Nothing is placed before.
    pub settled_at: Timestamp,
    pub is_acting: bool,
    /// When each keeper before this one last said that it acts.
    pub heard: BTreeMap<NodeId, Timestamp>,
    /// The highest revision that was seen to run.
    pub newest_seen: u64,
    /// Whether a keeper that is named knows this revision.
    pub is_known_elsewhere: bool,
    pub asked_keepers_at: Option<Timestamp>,
    pub asked_others_at: Option<Timestamp>,
    pub asked_hosts_at: Option<Timestamp>,
    pub replicas: BTreeMap<ReplicaId, Placed>,
    /// The highest generation seen of each slot.
    pub generations: BTreeMap<u16, u64>,
    pub slots: BTreeMap<u16, Slot>,
    pub given_up: Option<GivenUp>,
    pub failing: Option<Failing>,
    pub scaling: Scaling,
    /// Whether the fallback ran here or was seen to run: only then is there something to go back to. After a
    /// blackout nothing runs, and failures say nothing of the revision.
    pub is_update: bool,
    /// Earlier revisions whose replicas are as good as those of the declared one: only their number has changed.
    pub alike: BTreeSet<u64>,
    /// When what was declared was last handed to a node that did not have it.
    pub handed: BTreeMap<NodeId, Timestamp>,
    /// The revision of which all replicas were healthy last.
    pub good: Option<u64>,
    /// Whether it was read back after a restart: others may know what became of it since.
    pub is_restored: bool,
    /// Its volumes, by slot.
    pub data: BTreeMap<u16, Data>,
    pub saved_bytes_max: u64,
    pub notes: VecDeque<Note>,
}

/// A replica.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub node: NodeId,
    pub revision: u64,
    pub expires_at: Timestamp,
    /// When its host last said that it is there.
    pub seen_at: Timestamp,
    /// When its host said that it takes it.
    pub answered_at: Option<Timestamp>,
    /// Since when it has not been well, after it was.
    pub ill_since: Option<Timestamp>,
    /// When its program was there.
    pub began_at: Option<Timestamp>,
    /// Whether it answered for a while, or has ended well.
    pub was_healthy: bool,
    pub report: Option<ReplicaReport>,
    pub is_withdrawn: bool,
    pub is_loss_told: bool,
}

/// Which nodes will do for a slot. A search goes further only where it found nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Reach {
    /// Those that run no other replica and did not fail this slot lately.
    #[default]
    Fresh,
    /// Those that run other replicas, too.
    Used,
    /// Those that failed it, too: there may be no other.
    All,
}

impl Reach {
    pub const fn further(self) -> Option<Self> {
        match self {
            Self::Fresh => Some(Self::Used),
            Self::Used => Some(Self::All),
            Self::All => None,
        }
    }
}

/// The search for a node for one slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    /// When nodes were last looked for.
    pub asked_at: Option<Timestamp>,
    /// Which nodes will do.
    pub reach: Reach,
    /// Nodes that are left alone, and until when.
    pub avoid: Vec<(NodeId, Timestamp)>,
    /// Failures in a row, and until when nothing is tried again.
    pub failures: u32,
    pub wait_until: Timestamp,
    /// Whether the last search found nobody.
    pub is_stuck: bool,
}

impl Placed {
    pub fn new(now: Timestamp, node: NodeId, revision: u64, expires_at: Timestamp) -> Self {
        Self {
            node,
            revision,
            expires_at,
            seen_at: now,
            answered_at: None,
            ill_since: None,
            began_at: None,
            was_healthy: false,
            report: None,
            is_withdrawn: false,
            is_loss_told: false,
        }
    }

    pub fn state(&self) -> ReplicaState {
        self.report.as_ref().map_or(ReplicaState::Preparing, |report| report.state)
    }

    pub fn is_lost(&self, now: Timestamp, config: &KeeperConfig) -> bool {
        now.ms_since(self.seen_at) >= config.lost_ms
    }

    /// Whether it counts as filling its slot.
    pub fn is_live(&self, now: Timestamp, config: &KeeperConfig) -> bool {
        let is_over = matches!(self.state(), ReplicaState::Failed | ReplicaState::Leaving);
        !self.is_withdrawn && !is_over && !self.is_lost(now, config)
    }

    /// Whether it does what it is there for.
    pub fn is_good(&self) -> bool {
        self.was_healthy && matches!(self.state(), ReplicaState::Healthy | ReplicaState::Ended)
    }
}

impl Kept {
    pub fn new(now: Timestamp, settled_at: Timestamp, declaration: Declaration, declared: Declared) -> Self {
        let mut kept = Self {
            good: declaration.fallback.map(|earlier| earlier.revision),
            declaration,
            declared,
            since: now,
            settled_at,
            is_acting: false,
            heard: BTreeMap::new(),
            newest_seen: 0,
            is_known_elsewhere: false,
            asked_keepers_at: None,
            asked_others_at: None,
            asked_hosts_at: None,
            replicas: BTreeMap::new(),
            generations: BTreeMap::new(),
            slots: BTreeMap::new(),
            given_up: None,
            failing: None,
            scaling: Scaling::default(),
            is_update: false,
            is_restored: false,
            alike: BTreeSet::new(),
            handed: BTreeMap::new(),
            data: BTreeMap::new(),
            saved_bytes_max: 0,
            notes: VecDeque::new(),
        };
        kept.look_at_sizes();
        kept
    }

    /// A newer revision was declared.
    pub fn renew(&mut self, now: Timestamp, declaration: Declaration, declared: Declared) {
        self.is_update = true;
        let runs_alike = match (&self.declared.spec, &declared.spec) {
            (Some(before), Some(after)) => before.runs_like(after),
            _ => false,
        };
        if runs_alike && self.given_up.is_none() && self.alike.len() < ALIKE_MAX {
            self.alike.insert(self.declaration.revision);
        } else {
            self.alike.clear();
        }
        self.is_restored = false;
        self.handed.clear();
        self.declaration = declaration;
        self.declared = declared;
        self.look_at_sizes();
        self.given_up = None;
        self.failing = None;
        self.scaling.look_again();
        self.slots.clear();
        self.heard.clear();
        self.is_known_elsewhere = false;
        self.since = now;
        self.asked_keepers_at = None;
    }

    /// What was heard before is of another time: all are given the time to be heard again.
    pub fn look_again(&mut self, now: Timestamp, settled_at: Timestamp) {
        (self.since, self.settled_at) = (now, settled_at);
        (self.asked_keepers_at, self.asked_others_at, self.asked_hosts_at) = (None, None, None);
        self.heard.clear();
        self.slots.clear();
        self.scaling.look_again();
        for placed in self.replicas.values_mut() {
            (placed.seen_at, placed.is_loss_told) = (now, false);
            // Renewed soon, whatever the clock said.
            placed.expires_at = now;
        }
    }

    /// A replica of a revision is there.
    pub fn saw(&mut self, revision: u64) {
        self.newest_seen = self.newest_seen.max(revision);
        self.is_update |= self.declaration.fallback.is_some_and(|earlier| earlier.revision == revision);
    }

    /// The revision that is to run.
    pub fn wanted(&self) -> u64 {
        let goes_on = self.given_up.as_ref().and_then(|given_up| given_up.goes_on);
        goes_on.unwrap_or(self.declaration.revision)
    }

    /// Whether a replica of a revision is what is to run.
    pub fn is_wanted(&self, revision: u64) -> bool {
        revision == self.wanted() || (self.given_up.is_none() && self.alike.contains(&revision))
    }

    /// The spec of the revision that is to run; none for a service that is removed.
    pub fn spec(&self) -> Option<&ServiceSpec> {
        self.declared.spec_of(&self.declaration, self.wanted())
    }

    pub fn given_up_revision(&self) -> u64 {
        self.given_up.as_ref().map_or(0, |given_up| given_up.revision)
    }

    /// All programs of it, each once.
    pub fn blobs(&self) -> Vec<Blob> {
        let specs = self.declared.spec.iter().chain(&self.declared.fallback);
        let mut blobs: Vec<Blob> = specs.filter_map(|spec| spec.program.blob()).collect();
        blobs.sort_unstable();
        blobs.dedup();
        blobs
    }

    /// Whether nothing of it is left to look after.
    pub fn is_over(&self, now: Timestamp, config: &KeeperConfig) -> bool {
        if !self.declaration.keepers.contains(&config.own) {
            return self.is_known_elsewhere;
        }
        let is_gone = |placed: &Placed| placed.is_lost(now, config);
        self.declaration.spec.is_none()
            && now.ms_since(self.declaration.made_at) >= TOMBSTONE_MS
            && self.replicas.values().all(is_gone)
    }

    pub fn note(&mut self, at: Timestamp, slot: Option<u16>, text: NoteText) {
        // What is said again and again is said once.
        let same = |note: &&mut Note| note.slot == slot;
        if let Some(last) = self.notes.iter_mut().rev().find(same)
            && last.text == text
        {
            last.at = at;
            return;
        }
        self.notes.push_back(Note { at, slot, text });
        if self.notes.len() > NOTES_MAX {
            self.notes.pop_front();
        }
    }

    pub fn view(&self, now: Timestamp, config: &KeeperConfig) -> KeptView {
        let replicas = self.replicas.iter().map(|(replica, placed)| PlacedView {
            replica: *replica,
            node: placed.node,
            revision: placed.revision,
            report: placed.report.clone(),
            is_lost: placed.is_lost(now, config),
            is_withdrawn: placed.is_withdrawn,
            is_wanted: self.is_wanted(placed.revision),
            held: self.data.get(&replica.slot).and_then(|data| data.held),
        });
        KeptView {
            declaration: self.declaration.clone(),
            declared: self.declared.clone(),
            is_acting: self.is_acting,
            wanted: self.wanted(),
            replicas_wanted: self.replicas(),
            given_up: self.given_up.clone(),
            failing: self.failing.clone(),
            replicas: replicas.collect(),
            notes: self.notes.iter().cloned().collect(),
        }
    }
}
