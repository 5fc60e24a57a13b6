//! Too many connections. A node that looks something up in a large sky meets dozens of members; were all of them
//! to stay, it would soon have no room for those it works with.

use super::Driver;
use libp2p::PeerId;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

impl Driver {
    /// When more members are connected than is of use, those that were used least lately go. Relays and their
    /// guests stay, and so does whoever has a stream open or a place in gossip's mesh.
    pub(super) fn let_idle_go(&mut self, now: Instant) {
        let max = self.config.limits.members_idle_max;
        let before = now.checked_sub(Duration::from_millis(self.config.limits.members_idle_after_ms));
        let Some(before) = before else { return };
        if self.connections.up_count() <= max {
            return;
        }
        let inner = self.swarm.behaviour_mut().members.inner();
        let mesh: BTreeSet<PeerId> = inner.gossip.all_mesh_peers().copied().collect();
        let is_needed = |peer: &PeerId| {
            mesh.contains(peer)
                || inner.streams.is_used(peer)
                || self.relays.is_used(peer)
                || self.openings.are_for(peer)
        };
        let idle = idlest(self.connections.last_used(), max, before, is_needed);
        if !idle.is_empty() {
            tracing::debug!(count = idle.len(), "more members are connected than is of use");
        }
        for peer in idle {
            // One that is gone already is what is wanted.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }
}

/// Who goes, of peers and the times they were last used at: as many as are above three quarters of `max`, those
/// first whose use is longest ago and was `before`; nobody if there are `max` or fewer.
fn idlest(
    used: impl Iterator<Item = (PeerId, Instant)>,
    max: usize,
    before: Instant,
    is_needed: impl Fn(&PeerId) -> bool,
) -> Vec<PeerId> {
    let mut used: Vec<(Instant, PeerId)> = used.map(|(peer, at)| (at, peer)).collect();
    if used.len() <= max {
        return Vec::new();
    }
    let surplus = used.len() - max * 3 / 4;
    used.retain(|(at, peer)| *at <= before && !is_needed(peer));
    used.sort();
    used.into_iter().take(surplus).map(|(_, peer)| peer).collect()
}

#[cfg(test)]
mod tests {
    use super::idlest;
    use libp2p::PeerId;
    use std::time::{Duration, Instant};

    /// Peers of which each was used a second before the next, and when the last one was.
    fn peers(count: u32) -> (Vec<(PeerId, Instant)>, Instant) {
        let start = Instant::now();
        let used = |second| (PeerId::random(), start + Duration::from_secs(second));
        let peers: Vec<_> = (0..u64::from(count)).map(used).collect();
        let last = peers[peers.len() - 1].1;
        (peers, last)
    }

    fn names(peers: &[(PeerId, Instant)]) -> Vec<PeerId> {
        peers.iter().map(|(peer, _)| *peer).collect()
    }

    #[test]
    fn t2_those_used_least_lately_go_once_there_are_too_many() {
        let (peers, last) = peers(9);
        let mut shuffled = peers.clone();
        shuffled.rotate_left(4);
        assert!(
            idlest(shuffled[..8].iter().copied(), 8, last, |_| false).is_empty(),
            "8 of 8 are not too many"
        );
        assert_eq!(idlest(shuffled.iter().copied(), 8, last, |_| false), names(&peers[..3]), "down to 6");
    }

    #[test]
    fn t2_whoever_is_needed_or_was_used_just_now_stays() {
        let (peers, last) = peers(9);
        let needed = peers[0].0;
        let before = last - Duration::from_secs(5);
        let gone = idlest(peers.iter().copied(), 4, before, |peer| *peer == needed);
        assert_eq!(gone, names(&peers[1..4]), "the first is needed, the last five were used later");
        assert!(idlest(peers.iter().copied(), 4, last, |_| true).is_empty());
    }
}
