//! As many replicas as the load needs: more soon, fewer late, and nothing for a load that only wavers.

use super::{KeeperConfig, NoteText, kept::Kept};
use opensky_types::{
    Timestamp,
    service::{Load, ReplicaReport, Scale},
};

/// How far above the target the load has to be for more, and how far below what fewer would have, in percent.
const MARGIN: u64 = 10;

/// How many replicas are to run, and what speaks for more or fewer.
#[derive(Debug, Default)]
pub(super) struct Scaling {
    replicas: Option<u16>,
    /// Since when more are needed.
    over_since: Option<Timestamp>,
    /// Since when fewer would do, and the most that were needed since.
    under: Option<(Timestamp, u16)>,
}

impl Scaling {
    /// What was seen before says nothing of what comes now.
    pub fn look_again(&mut self) {
        (self.over_since, self.under) = (None, None);
    }
}

impl Kept {
    /// How many replicas are to run.
    pub fn replicas(&self) -> u16 {
        let Some(spec) = self.spec() else { return 0 };
        match spec.scale {
            None => spec.replicas,
            Some(Scale { min, max, .. }) => self.scaling.replicas.unwrap_or(spec.replicas).clamp(min, max),
        }
    }

    /// Looks at the load. Who stands by counts what runs: from there it goes on when it acts.
    pub fn scale(&mut self, now: Timestamp, config: &KeeperConfig) {
        let Some(scale) = self.spec().and_then(|spec| spec.scale) else {
            self.scaling = Scaling::default();
            return;
        };
        if !self.is_acting {
            let live = self.replicas.iter().filter(|(_, placed)| placed.is_live(now, config));
            let seen = live.map(|(replica, _)| replica.slot.saturating_add(1)).max();
            self.scaling = Scaling { replicas: seen.or(self.scaling.replicas), ..Scaling::default() };
            return;
        }
        let Some(total) = self.load(now, config, scale.target) else {
            // Nothing answers: that is no lack of load.
            return self.scaling.look_again();
        };
        let from = self.replicas();
        let to = self.scaling.decide(now, config, (from, total), scale);
        if to != from {
            self.scaling = Scaling { replicas: Some(to), ..Scaling::default() };
            self.note(now, None, NoteText::Scaled { from, to });
        }
    }

    /// The load of all that answers; none where nothing does.
    fn load(&self, now: Timestamp, config: &KeeperConfig, target: Load) -> Option<u64> {
        let answering = self.replicas.values().filter(|placed| !placed.is_lost(now, config));
        let reports = answering.filter_map(|placed| placed.report.as_ref());
        let loads = reports.filter(|report| report.state.answers()).map(|report| load_of(report, target));
        loads.fold(None, |sum: Option<u64>, load| Some(sum.unwrap_or_default().saturating_add(load)))
    }
}

impl Scaling {
    /// How many replicas a load needs where `from` are to run.
    fn decide(
        &mut self,
        now: Timestamp,
        config: &KeeperConfig,
        (from, total): (u16, u64),
        Scale { min, max, target }: Scale,
    ) -> u16 {
        let each = match target {
            Load::Connections { count } => u64::from(count),
            Load::Cpu { percent } => u64::from(percent),
        };
        // So many that each has at most this part of its target, in percent.
        let needed = |percent: u64| {
            let needed = total.saturating_mul(100).div_ceil(each.saturating_mul(percent).max(1));
            u16::try_from(needed).unwrap_or(u16::MAX).clamp(min, max)
        };
        if needed(100 + MARGIN) > from {
            self.under = None;
            let since = *self.over_since.get_or_insert(now);
            // Twice as many at most: what is new takes a part of the load first.
            let most = from.saturating_mul(2);
            return if now.ms_since(since) >= config.more_ms { needed(100).min(most) } else { from };
        }
        self.over_since = None;
        let fewer = needed(100 - MARGIN);
        if fewer >= from {
            self.under = None;
            return from;
        }
        let (since, most) = self.under.unwrap_or((now, fewer));
        let most = most.max(fewer);
        self.under = Some((since, most));
        if now.ms_since(since) >= config.fewer_ms { most } else { from }
    }
}

fn load_of(report: &ReplicaReport, target: Load) -> u64 {
    match target {
        Load::Connections { .. } => report.connections.into(),
        Load::Cpu { .. } => report.cpu_percent.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_types::{Hash, Keypair};

    const SCALE: Scale = Scale { min: 1, max: 8, target: Load::Connections { count: 10 } };

    /// Plays a load, second by second, and says how many replicas there were after each.
    fn play(scale: Scale, start: u16, loads: impl IntoIterator<Item = u64>) -> Vec<u16> {
        let config = KeeperConfig::new(Hash::of(b"sky"), Keypair::from_seed([1; 32]).id());
        let (mut scaling, mut now, mut replicas) = (Scaling::default(), Timestamp::from_millis(1_000), start);
        let step = |total| {
            now = now.plus_ms(1_000);
            let to = scaling.decide(now, &config, (replicas, total), scale);
            if to != replicas {
                scaling = Scaling::default();
            }
            replicas = to;
            to
        };
        loads.into_iter().map(step).collect()
    }

    fn changes(replicas: &[u16]) -> usize {
        replicas.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    #[test]
    fn c10_more_load_brings_more_replicas_soon_and_less_load_fewer_late() {
        let up = play(SCALE, 1, [45; 20]);
        assert_eq!(up[..3], [1, 1, 1], "a moment is no load");
        assert_eq!(*up.last().unwrap(), 5);
        assert_eq!(changes(&up), 3, "1, 2, 4, 5: {up:?}");
        let down = play(SCALE, 5, [11; 120]);
        assert!(down[..59].iter().all(|replicas| *replicas == 5), "{down:?}");
        assert_eq!(*down.last().unwrap(), 2);
        assert_eq!(*play(SCALE, 5, [0; 120]).last().unwrap(), 1, "no fewer than it may");
        assert_eq!(*play(SCALE, 1, [9_999; 60]).last().unwrap(), 8, "no more than it may");
    }

    #[test]
    fn c10_a_load_that_wavers_changes_nothing() {
        for start in 2..=6_u16 {
            // Around the target of each, up to the margin.
            let target = u64::from(start) * 10;
            let wavers = (0..600).map(|second| target + target / 20 * (second % 3) - target / 20);
            assert_eq!(changes(&play(SCALE, start, wavers)), 0, "{start}");
            // Peaks and gaps that are over before they count.
            let peaks = (0..600).map(|second| if second % 30 < 3 { target * 3 } else { target });
            assert_eq!(changes(&play(SCALE, start, peaks)), 0, "{start}");
            let gaps = (0..600).map(|second| if second % 70 < 50 { 0 } else { target });
            assert_eq!(changes(&play(SCALE, start, gaps)), 0, "{start}");
        }
    }

    #[test]
    fn c10_any_steady_load_settles_and_stays() {
        for total in 0..120 {
            for start in 1..=8 {
                let replicas = play(SCALE, start, std::iter::repeat_n(total, 600));
                let last = *replicas.last().unwrap();
                assert!(
                    replicas[300..].iter().all(|count| *count == last),
                    "{total} from {start}: {replicas:?}"
                );
                assert!(total <= u64::from(last) * 11 || last == SCALE.max, "{total} on {last}");
            }
        }
    }

    #[test]
    fn c10_processor_time_counts_as_connections_do() {
        let scale = Scale { target: Load::Cpu { percent: 50 }, ..SCALE };
        assert_eq!(*play(scale, 1, [100; 10]).last().unwrap(), 2);
        assert_eq!(*play(scale, 4, [20; 100]).last().unwrap(), 1);
    }
}
