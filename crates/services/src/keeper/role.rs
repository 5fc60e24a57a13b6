//! Who acts: the first keeper that says so; the next one stands in where none before it does.

use super::{KeeperConfig, KeeperEffect, NoteText, kept::Kept};
use opensky_types::{NodeId, Timestamp};

/// A keeper waits for so many questions longer than the one before it: that one is heard first.
const PATIENCE: u64 = 2;
/// Keepers after this one are asked so many times more rarely.
const RARELY: u64 = 10;

impl Kept {
    pub fn tick(&mut self, now: Timestamp, config: &KeeperConfig, effects: &mut Vec<KeeperEffect>) {
        self.ask_keepers(now, config, effects);
        self.look_at_role(now, config);
        self.tell_losses(now, config);
        self.scale(now, config);
        if self.is_acting {
            self.reconcile(now, config, effects);
        }
        self.look_at_revision(now, config);
        self.look_at_data(now, config, effects);
        self.ask_hosts(now, config, effects);
    }

    pub fn on_keeper_said(
        &mut self,
        now: Timestamp,
        config: &KeeperConfig,
        node: NodeId,
        (revision, is_acting, given_up): (u64, bool, u64),
        effects: &mut Vec<KeeperEffect>,
    ) {
        if !self.declaration.keepers.contains(&node) {
            return;
        }
        if revision < self.declaration.revision {
            self.hand(now, node, effects);
        }
        self.is_known_elsewhere |= revision >= self.declaration.revision;
        // What one tried need not be tried again by another, nor by the same one after a restart; but what was
        // seen to be good stays so.
        let newest = self.declaration.revision;
        let is_before = self.earlier(config).contains(&node);
        let may_tell = is_acting && is_before;
        if (may_tell || self.is_restored)
            && given_up == newest
            && self.given_up.is_none()
            && self.good != Some(newest)
        {
            self.give_up(now, "it did not get healthy when another keeper tried".to_owned());
        }
        if !may_tell {
            return;
        }
        self.heard.insert(node, now);
        self.look_at_role(now, config);
    }

    /// Keepers that come before this one.
    fn earlier(&self, config: &KeeperConfig) -> &[NodeId] {
        let keepers = &self.declaration.keepers;
        let own = keepers.iter().position(|keeper| *keeper == config.own).unwrap_or(keepers.len());
        &keepers[..own]
    }

    fn ask_keepers(&mut self, now: Timestamp, config: &KeeperConfig, effects: &mut Vec<KeeperEffect>) {
        let service = self.declaration.service();
        let is_due = |asked: Option<Timestamp>, every_ms| asked.is_none_or(|at| now.ms_since(at) >= every_ms);
        if is_due(self.asked_keepers_at, config.report_ms) {
            self.asked_keepers_at = Some(now);
            let earlier = self.earlier(config).iter();
            effects.extend(earlier.map(|to| KeeperEffect::AskKeeper { to: *to, service }));
        }
        if is_due(self.asked_others_at, config.report_ms * RARELY) {
            self.asked_others_at = Some(now);
            let later = self.declaration.keepers.iter().skip(self.earlier(config).len());
            let others = later.filter(|keeper| **keeper != config.own);
            effects.extend(others.map(|to| KeeperEffect::AskKeeper { to: *to, service }));
        }
    }

    fn look_at_role(&mut self, now: Timestamp, config: &KeeperConfig) {
        let is_named = self.declaration.keepers.contains(&config.own);
        // Keepers that start together listen together; they still take their turns after that.
        let turn_ms = PATIENCE * config.report_ms;
        let listened = self.settled_at.plus_ms(turn_ms).as_millis().saturating_sub(config.takeover_ms);
        let begin = self.since.max(Timestamp::from_millis(listened));
        let before = self.earlier(config);
        let longer_ms = turn_ms * (before.len() as u64).saturating_sub(1);
        let someone_acts = before.iter().any(|keeper| {
            let heard = self.heard.get(keeper).copied().unwrap_or(begin);
            now.ms_since(heard) < config.takeover_ms.saturating_add(longer_ms)
        });
        // Who still knows an earlier revision only, and perhaps is no keeper any more, leaves it to others.
        let is_outdated = self.newest_seen > self.declaration.revision;
        let acts = is_named && !is_outdated && !someone_acts && now >= self.settled_at;
        if acts != self.is_acting {
            self.is_acting = acts;
            if !acts {
                // What was to end is for the one that acts to say.
                self.replicas.values_mut().for_each(|placed| placed.is_withdrawn = false);
            }
            // That the first one acts from the beginning is no news.
            if !acts || !self.notes.is_empty() {
                self.note(now, None, NoteText::Acts(acts));
            }
        }
    }
}
