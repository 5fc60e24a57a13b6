//! Agreements with providers, and the runs handed out under each.

use crate::AUDIT_PARTS_ALL;
use opensky_types::{AgreementId, Hash, NodeId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Most runs that are handed out and not ended under one agreement.
pub(crate) const WINDOW_MAX: u32 = 1_024;

/// The attempt of a run that was handed out before a restart: its report will say.
pub(crate) const ATTEMPT_UNKNOWN: u32 = u32::MAX;

/// One run handed out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub attempt: u32,
    /// When it was handed out; for a revealed one, when it was asked to be shown.
    pub since: Timestamp,
    pub state: RunState,
    /// Whether a second copy was started because of it.
    pub hedged: bool,
    pub commitment: Option<Hash>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunState {
    /// Queued or running at the provider.
    Active,
    /// Ended and committed to.
    Committed,
    /// Asked to be shown.
    Revealed,
    /// Its provider was lost; a late result is still welcome.
    Abandoned,
    /// Not wanted any more; a late result is judged all the same.
    Cancelled,
}

impl RunState {
    /// Whether the provider's standing names such a run.
    pub fn is_at_provider(self) -> bool {
        matches!(self, Self::Active | Self::Abandoned | Self::Cancelled)
    }
}

/// Whether the provider can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Live,
    /// Lost a moment ago; its runs wait for it.
    Lost {
        since: Timestamp,
    },
    /// Lost for longer; its runs went elsewhere.
    Gone {
        since: Timestamp,
    },
    /// Connected again; its standing is on the way.
    Resuming {
        since: Timestamp,
    },
}

/// One agreement.
#[derive(Debug)]
pub(crate) struct Agreement {
    pub id: AgreementId,
    pub stage: u16,
    pub node: NodeId,
    pub slots: u16,
    /// How often work of its node is checked, of [`AUDIT_PARTS_ALL`].
    pub audit_parts: u32,
    pub reach: Reach,
    /// Nothing new until then.
    pub paused_until: Timestamp,
    /// Runs that are not judged, by task.
    pub runs: BTreeMap<u32, Run>,
    /// How many of them are `Active`.
    active: u32,
    /// How many of them are `Committed` or `Revealed`.
    held: u32,
    /// Most active runs at a time.
    window: u32,
    /// Mean run time, in microseconds; zero before the first.
    pace_us: u64,
    /// When it last got work or gave a result.
    pub busy_at: Timestamp,
    /// When its provider last said anything about it.
    pub heard_at: Timestamp,
    /// When its provider was last connected anew: results from before may still be on the way.
    pub back_at: Timestamp,
    /// For an agreement from before a restart: tasks of then whose reports were taken.
    pub taken: Option<BTreeSet<u32>>,
}

impl Agreement {
    /// An agreement with a node of whose standing nothing is known, so that all its work is checked.
    pub fn new(id: AgreementId, stage: u16, node: NodeId, slots: u16, now: Timestamp) -> Self {
        Self {
            id,
            stage,
            node,
            slots: slots.min(WINDOW_MAX as u16),
            audit_parts: AUDIT_PARTS_ALL,
            reach: Reach::Live,
            paused_until: now,
            runs: BTreeMap::new(),
            active: 0,
            held: 0,
            window: u32::from(slots),
            pace_us: 0,
            busy_at: now,
            heard_at: now,
            back_at: now,
            taken: None,
        }
    }

    pub fn active(&self) -> u32 {
        self.active
    }

    pub fn held(&self) -> u32 {
        self.held
    }

    /// Most active runs at a time; never below the slots, never above [`WINDOW_MAX`].
    pub fn window(&self) -> u32 {
        self.window.clamp(u32::from(self.slots), WINDOW_MAX)
    }

    /// Takes over how many slots the provider grants now.
    pub fn set_slots(&mut self, slots: u16) {
        self.slots = slots.min(WINDOW_MAX as u16);
    }

    /// Whether it may get more to do.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.reach == Reach::Live && self.paused_until <= now
    }

    /// Whether it may become usable by itself.
    pub fn may_return(&self, now: Timestamp) -> bool {
        match self.reach {
            Reach::Live => self.paused_until > now,
            Reach::Lost { .. } | Reach::Resuming { .. } => true,
            Reach::Gone { .. } => false,
        }
    }

    pub fn add(&mut self, index: u32, run: Run) {
        self.count(run.state, 1);
        self.busy_at = self.busy_at.max(run.since);
        let before = self.runs.insert(index, run);
        debug_assert!(before.is_none(), "one run of a task under an agreement at a time");
    }

    pub fn take(&mut self, index: u32) -> Option<Run> {
        let run = self.runs.remove(&index)?;
        self.count(run.state, -1);
        Some(run)
    }

    /// Moves a run on and returns how it stood before.
    pub fn shift(&mut self, index: u32, state: RunState) -> Option<RunState> {
        let run = self.runs.get_mut(&index)?;
        let before = std::mem::replace(&mut run.state, state);
        self.count(before, -1);
        self.count(state, 1);
        Some(before)
    }

    fn count(&mut self, state: RunState, change: i32) {
        match state {
            RunState::Active => self.active = self.active.wrapping_add_signed(change),
            RunState::Committed | RunState::Revealed => self.held = self.held.wrapping_add_signed(change),
            RunState::Abandoned | RunState::Cancelled => {}
        }
    }

    /// Learns how long a run took.
    pub fn measure(&mut self, wall_us: u64) {
        let wall_us = wall_us.clamp(1, 1 << 40);
        self.pace_us = if self.pace_us == 0 { wall_us } else { (self.pace_us * 7 + wall_us) / 8 }.max(1);
    }

    /// Sets the window so that `window_ms` of work is queued beside what runs. It at most doubles
    /// each time, so that neither a lucky first task nor a false report fills it at once.
    pub fn widen(&mut self, window_ms: u64) {
        if self.pace_us == 0 {
            return;
        }
        let slots = u64::from(self.slots);
        let queued = slots.saturating_mul(window_ms.saturating_mul(1_000) / self.pace_us);
        let aim = u32::try_from(slots.saturating_add(queued)).unwrap_or(WINDOW_MAX).min(WINDOW_MAX);
        self.window = aim.min(self.window().saturating_mul(2));
    }

    /// Forgets runs, and with them the counts.
    pub fn take_all(&mut self) -> BTreeMap<u32, Run> {
        self.active = 0;
        self.held = 0;
        std::mem::take(&mut self.runs)
    }
}

/// A job's agreements, each at a place that stays the same while it lasts.
#[derive(Debug, Default)]
pub(crate) struct Agreements {
    places: Vec<Option<Agreement>>,
}

impl Agreements {
    pub fn insert(&mut self, agreement: Agreement) -> u32 {
        let place = match self.places.iter().position(Option::is_none) {
            Some(place) => place,
            None => {
                self.places.push(None);
                self.places.len() - 1
            }
        };
        self.places[place] = Some(agreement);
        place as u32
    }

    pub fn remove(&mut self, slot: u32) -> Option<Agreement> {
        self.places.get_mut(slot as usize)?.take()
    }

    pub fn get(&self, slot: u32) -> Option<&Agreement> {
        self.places.get(slot as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Agreement> {
        self.places.get_mut(slot as usize)?.as_mut()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &Agreement)> {
        self.places.iter().enumerate().filter_map(|(slot, place)| Some((slot as u32, place.as_ref()?)))
    }

    /// Places in use, of those that `choose` picks.
    pub fn slots_where(&self, choose: impl Fn(&Agreement) -> bool) -> Vec<u32> {
        self.iter().filter(|(_, agreement)| choose(agreement)).map(|(slot, _)| slot).collect()
    }
}
