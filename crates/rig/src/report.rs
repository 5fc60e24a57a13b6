//! What is said about rounds: a line each, a table at the end, or JSON.

use crate::{
    faults::{KINDS, Kind},
    stats::Spread,
};
use serde::Serialize;
use std::fmt::Write as _;

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All held.
    Ok,
    /// All held, and it took longer than it should.
    Late,
    /// Something did not hold.
    Violation,
    /// It could not be played here.
    Skipped,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Violation => "VIOLATION",
            Self::Skipped => "skipped",
        }
    }
}

/// A round.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The fault.
    pub fault: &'static str,
    /// All choices of the round come from it.
    pub seed: u64,
    /// Which nodes it was about, and what was seen of them.
    pub about: String,
    /// How long the fault lasted.
    pub fault_ms: u64,
    /// Writes that clients asked for.
    pub asked: usize,
    /// Writes that were acknowledged, asked for in this round or before.
    pub acknowledged: usize,
    /// Longest time in which no write was acknowledged, from the fault's begin to the recovery.
    pub unavailable_ms: u64,
    /// From the end of the fault until every node had a block that was made after it.
    pub heal_s: Option<f64>,
    /// How long writes took that were asked for while the fault lasted, as far as they became final.
    pub write_s: Option<Spread>,
    /// The same, each.
    #[serde(skip)]
    pub writes_s: Vec<f64>,
    /// What did not hold.
    pub violations: Vec<String>,
    /// All in one word.
    pub verdict: Verdict,
}

impl Report {
    /// Of a round that begins.
    pub fn new(kind: &Kind, seed: u64) -> Self {
        Self {
            fault: kind.name,
            seed,
            about: String::new(),
            fault_ms: 0,
            asked: 0,
            acknowledged: 0,
            unavailable_ms: 0,
            heal_s: None,
            write_s: None,
            writes_s: Vec::new(),
            violations: Vec::new(),
            verdict: Verdict::Ok,
        }
    }

    /// Of a fault that this machine can't make.
    pub fn skipped(kind: &Kind, seed: u64, why: String) -> Self {
        Self { about: why, verdict: Verdict::Skipped, ..Self::new(kind, seed) }
    }

    /// Finds the verdict.
    pub fn decide(&mut self, kind: &Kind) {
        self.verdict = match self.heal_s {
            _ if !self.violations.is_empty() => Verdict::Violation,
            Some(heal_s) if heal_s > kind.heal_s_max => Verdict::Late,
            _ => Verdict::Ok,
        };
    }

    /// In one line, with one more for each thing that did not hold.
    pub fn line(&self, number: u32) -> String {
        let mut line = format!("{:<13} #{number:<3} {:<9}", self.fault, self.verdict.word());
        if self.verdict != Verdict::Skipped {
            let heal = self.heal_s.map_or("-".to_owned(), |heal| format!("{heal:.2} s"));
            let _ = write!(
                line,
                " {:>6.1} s  {:>4} of {:>4} acknowledged  unavailable {:>6} ms  healed in {heal:>7}",
                self.fault_ms as f64 / 1_000.0,
                self.acknowledged,
                self.asked,
                self.unavailable_ms
            );
            if let Some(write) = self.write_s {
                let _ = write!(line, "  writes p50 {:.2} p99 {:.2} s", write.p50, write.p99);
            }
            let _ = write!(line, "  seed {}", self.seed);
        }
        let _ = write!(line, "  {}", self.about);
        for violation in &self.violations {
            let _ = write!(line, "\n    {violation}");
        }
        line
    }
}

/// All rounds of a fault.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The fault.
    pub fault: &'static str,
    /// Rounds that were played.
    pub rounds: usize,
    /// Rounds in which something did not hold.
    pub violations: usize,
    /// Rounds that took longer than they should.
    pub late: usize,
    /// Why it could not be played here.
    pub skipped: Option<String>,
    /// Writes that were acknowledged.
    pub acknowledged: usize,
    /// Longest time in which no write was acknowledged.
    pub unavailable_ms_max: u64,
    /// From a fault's end to a new block on every node.
    pub heal_s: Option<Spread>,
    /// Writes under the fault.
    pub write_s: Option<Spread>,
}

/// Sums up, in the order of the list of faults.
pub fn summaries(reports: &[Report]) -> Vec<Summary> {
    let of = |kind: &Kind| {
        let all: Vec<&Report> = reports.iter().filter(|report| report.fault == kind.name).collect();
        let skipped = all.iter().find(|report| report.verdict == Verdict::Skipped);
        let count = |verdict| all.iter().filter(|report| report.verdict == verdict).count();
        let summary = Summary {
            fault: kind.name,
            rounds: all.len() - count(Verdict::Skipped),
            violations: count(Verdict::Violation),
            late: count(Verdict::Late),
            skipped: skipped.map(|report| report.about.clone()),
            acknowledged: all.iter().map(|report| report.acknowledged).sum(),
            unavailable_ms_max: all.iter().map(|report| report.unavailable_ms).max().unwrap_or_default(),
            heal_s: Spread::of(all.iter().filter_map(|report| report.heal_s).collect()),
            write_s: Spread::of(all.iter().flat_map(|report| report.writes_s.iter().copied()).collect()),
        };
        (!all.is_empty()).then_some(summary)
    };
    KINDS.iter().filter_map(of).collect()
}

/// The summary for people.
pub fn table(summaries: &[Summary]) -> String {
    let mut text = format!(
        "{:<13} {:>6} {:>5} {:>4}  {:>12}  {:>11}  {:<22}  {}\n",
        "FAULT",
        "ROUNDS",
        "WRONG",
        "LATE",
        "ACKNOWLEDGED",
        "UNAVAILABLE",
        "HEALED p50/p99/max s",
        "WRITES p50/p99/max s"
    );
    let spread = |spread: Option<Spread>| match spread {
        Some(Spread { p50, p99, max, .. }) => format!("{p50:.2} / {p99:.2} / {max:.2}"),
        None => "-".to_owned(),
    };
    for one in summaries {
        if let (0, Some(why)) = (one.rounds, &one.skipped) {
            let _ = writeln!(text, "{:<13} skipped: {why}", one.fault);
            continue;
        }
        let _ = writeln!(
            text,
            "{:<13} {:>6} {:>5} {:>4}  {:>12}  {:>8} ms  {:<22}  {}",
            one.fault,
            one.rounds,
            one.violations,
            one.late,
            one.acknowledged,
            one.unavailable_ms_max,
            spread(one.heal_s),
            spread(one.write_s)
        );
    }
    text
}

/// The faults for people.
pub fn list() -> String {
    let mut text = format!("{:<14} {:<4} {:<55} NEEDS\n", "FAULT", "ID", "WHAT");
    for kind in KINDS {
        let needs: Vec<&str> = kind.needs.iter().map(|need| need.name()).collect();
        let _ = writeln!(text, "{:<14} {:<4} {:<55} {}", kind.name, kind.id, kind.about, needs.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_outweighs_what_is_late() {
        let kind = &KINDS[0];
        let mut report = Report::new(kind, 7);
        report.heal_s = Some(kind.heal_s_max + 1.0);
        report.decide(kind);
        assert_eq!(report.verdict, Verdict::Late);
        report.violations.push("lost".into());
        report.decide(kind);
        assert_eq!(report.verdict, Verdict::Violation);
        assert!(report.line(1).contains("VIOLATION") && report.line(1).ends_with("\n    lost"));
    }

    #[test]
    fn a_skipped_fault_is_named_and_no_round() {
        let skipped = Report::skipped(&KINDS[0], 1, "no kernel".into());
        let all = summaries(&[skipped]);
        assert_eq!((all.len(), all[0].rounds), (1, 0));
        assert!(table(&all).contains("skipped: no kernel"));
        assert!(list().contains(KINDS[0].about));
    }
}
