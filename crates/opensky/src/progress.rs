//! A job's progress on standard error: bars on a terminal, else a line every few seconds.

use crate::{
    output::duration,
    terminal::{clean, clean_lines},
};
use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use opensky_api::{
    event::JobEvent,
    progress::{JobDetail, StateView, TaskCounts},
};
use opensky_client::Client;
use opensky_types::JobId;
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(3);

/// Shows a job until its end, which it answers.
pub async fn watch(client: &Client, job: JobId, quiet: bool) -> Result<JobDetail> {
    let detail = client.job(job).await?;
    let mut view = View::new(&detail, quiet);
    let mut events = client.events(job);
    while let Some(event) = events.next().await? {
        match event {
            JobEvent::Progress { stages } => view.progress(&stages),
            JobEvent::Note(note) if matters(&note.kind) => {
                let task = note.task.map(|task| format!("{task}: ")).unwrap_or_default();
                view.say(&format!("{task}{}", note.sentence));
            }
            JobEvent::Job { state: StateView::Waiting, reason, .. } if !reason.is_empty() => {
                view.say(&reason)
            }
            _ => {}
        }
    }
    let detail = client.job(job).await?;
    view.progress(&detail.stages.iter().map(|stage| stage.tasks).collect::<Vec<_>>());
    view.finish();
    Ok(detail)
}

/// Placements and agreements are for `opensky why`; these a person wants to know at once.
fn matters(kind: &str) -> bool {
    matches!(
        kind,
        "waiting"
            | "retried"
            | "provider-lost"
            | "outvoted"
            | "disagreement"
            | "broken-commitment"
            | "poisoned"
            | "no-quorum"
            | "nobody-fits"
            | "deadline"
            | "resumed"
    )
}

enum View {
    Quiet,
    Bars { all: MultiProgress, bars: Vec<ProgressBar> },
    Lines { names: Vec<String>, started: Instant, last: Option<Instant>, shown: String },
}

impl View {
    fn new(detail: &JobDetail, quiet: bool) -> Self {
        let names: Vec<String> = detail.stages.iter().map(|stage| clean(&stage.name)).collect();
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { names, started: Instant::now(), last: None, shown: String::new() };
        }
        let all = MultiProgress::new();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len}  {msg}  {elapsed}")
            .expect("the template is right")
            .progress_chars("=> ");
        let bar = |(name, stage): (&String, &opensky_api::progress::StageView)| {
            let bar = all.add(ProgressBar::new(u64::from(stage.tasks.total())).with_style(style.clone()));
            bar.set_prefix(format!("{name:width$}"));
            bar
        };
        let bars = names.iter().zip(&detail.stages).map(bar).collect();
        Self::Bars { all, bars }
    }

    fn progress(&mut self, stages: &[TaskCounts]) {
        match self {
            Self::Quiet => {}
            Self::Bars { bars, .. } => {
                for (bar, counts) in bars.iter().zip(stages) {
                    bar.set_position(u64::from(counts.done));
                    bar.set_message(extra(counts));
                }
            }
            Self::Lines { names, started, last, shown } => {
                let line = line(names, stages);
                if *shown != line && last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
                    eprintln!("[{}] {line}", duration(started.elapsed().as_millis() as u64));
                    *last = Some(Instant::now());
                    *shown = line;
                }
            }
        }
    }

    fn say(&self, text: &str) {
        let text = clean_lines(text);
        match self {
            Self::Quiet => {}
            Self::Lines { .. } => eprintln!("{text}"),
            // A terminal that went away takes the bars with it, not the job.
            Self::Bars { all, .. } => drop(all.println(text)),
        }
    }

    fn finish(&self) {
        if let Self::Bars { bars, .. } = self {
            bars.iter().for_each(ProgressBar::abandon);
        }
    }
}

fn extra(counts: &TaskCounts) -> String {
    let mut parts = Vec::new();
    if counts.running > 0 {
        parts.push(format!("{} running", counts.running));
    }
    if counts.failed > 0 {
        parts.push(format!("{} failed", counts.failed));
    }
    if counts.skipped > 0 {
        parts.push(format!("{} skipped", counts.skipped));
    }
    parts.join(", ")
}

fn line(names: &[String], stages: &[TaskCounts]) -> String {
    let part = |(name, counts): (&String, &TaskCounts)| {
        let extra = extra(counts);
        let extra = if extra.is_empty() { extra } else { format!(" ({extra})") };
        format!("{name} {}/{}{extra}", counts.done, counts.total())
    };
    names.iter().zip(stages).map(part).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_each_stage_is() {
        let stages = [
            TaskCounts { waiting: 3, running: 2, done: 5, failed: 0, skipped: 0 },
            TaskCounts { waiting: 1, running: 0, done: 0, failed: 1, skipped: 1 },
        ];
        assert_eq!(
            line(&["map".into(), "sum".into()], &stages),
            "map 5/10 (2 running), sum 0/3 (1 failed, 1 skipped)"
        );
    }
}
