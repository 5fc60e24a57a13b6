//! What is said of a job that has ended.

use crate::output::{duration, fuel, size};
use opensky_api::{
    job::VerifyView,
    progress::{JobDetail, StateView},
};
use opensky_client::Saved;
use opensky_types::Micros;
use std::fmt::Write;

/// How it went, who did what, what it cost, where everything is, what to do next.
pub fn summary(detail: &JobDetail, saved: &Saved) -> String {
    let summary = &detail.summary;
    let job = summary.job;
    let took = duration(summary.changed_at.ms_since(summary.submitted_at));
    let mut text = format!("\njob {job} ({}) {} after {took}", summary.name, summary.state.as_str());
    if !summary.reason.is_empty() {
        let _ = write!(text, ": {}", summary.reason);
    }
    for stage in &detail.stages {
        let verified = match stage.verify {
            VerifyView::None => "not verified".to_owned(),
            VerifyView::Sample { per_mille } => format!("{}.{} % run twice", per_mille / 10, per_mille % 10),
            VerifyView::Quorum { agree, replicas, .. } => format!("{agree} of {replicas} nodes had to agree"),
            VerifyView::Checked { agree: 1, .. } => "each result checked".to_owned(),
            VerifyView::Checked { agree, replicas, .. } => {
                format!("results of {agree} of {replicas} nodes had to be alike")
            }
            VerifyView::Reputation => "checked as often as each node's reputation asks".to_owned(),
        };
        let counts = stage.tasks;
        let mut extra = String::new();
        for (count, what) in [(counts.failed, "failed"), (counts.skipped, "skipped")] {
            if count > 0 {
                let _ = write!(extra, ", {count} {what}");
            }
        }
        let (done, total) = (counts.done, counts.total());
        let _ = write!(text, "\n  stage {}: {done} of {total} tasks{extra}, {verified}", stage.name);
    }
    for node in &detail.nodes {
        let _ = write!(
            text,
            "\n  node …{}: {} results taken, {} confirmed, {} failed, {} rejected, {} fuel",
            node.node.short(),
            node.accepted,
            node.agreed,
            node.failed,
            node.rejected,
            fuel(node.usage.fuel)
        );
    }
    let usage = &detail.usage;
    let _ = write!(
        text,
        "\n  used {} fuel, {} of compute, {} of memory at most",
        fuel(usage.fuel),
        duration(usage.wall_us / 1000),
        size(usage.memory_peak_bytes)
    );
    let costs = costs(detail).unwrap_or_else(|| "it cost nothing".to_owned());
    let _ = write!(text, "\n  {costs}");
    for path in &saved.refused {
        let _ = write!(text, "\n  not written, since its path leads elsewhere: {path}");
    }
    let _ = write!(text, "\n  everything it left: {}", saved.folder.display());
    text += match summary.state {
        StateView::Succeeded => "\nNext: opensky why ",
        _ => "\nNext: opensky jobs retry ",
    };
    text + &job.to_string()
}

/// What a job has cost, in all and by node; nothing for one that was free.
pub fn costs(detail: &JobDetail) -> Option<String> {
    let budget = detail.budget_micros.map_or(String::new(), |budget| format!(" of a budget of {budget}"));
    if detail.cost_micros == 0 && budget.is_empty() {
        return None;
    }
    let paid = detail.nodes.iter().filter(|node| node.cost_micros > 0);
    let by_node = paid.map(|node| format!("…{} {}", node.node.short(), Micros::new(node.cost_micros)));
    let by_node = by_node.collect::<Vec<_>>().join(", ");
    let by_node = if by_node.is_empty() { by_node } else { format!(": {by_node}") };
    Some(format!("cost {}{budget}{by_node}", Micros::new(detail.cost_micros)))
}
