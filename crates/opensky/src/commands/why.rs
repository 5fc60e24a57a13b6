//! `opensky why`

use crate::{
    commands::Context,
    output::{duration, table},
};
use anyhow::Result;
use clap::Args;
use opensky_types::{JobId, TaskId};

/// Explain placements, retries, rejections and waits
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky why JOB          the whole job
  opensky why JOB 0.17     task 17 of its first stage")]
pub struct WhyArgs {
    /// The job
    job: JobId,
    /// One task, as stage.index
    task: Option<TaskId>,
}

pub async fn run(context: &Context, args: WhyArgs) -> Result<()> {
    let client = context.client()?;
    let detail = client.job(args.job).await?;
    let notes = client.notes(args.job, args.task).await?;
    context.format.print(&notes, |notes| {
        let summary = &detail.summary;
        let mut text = format!("{} ({}): {}", summary.job, summary.name, summary.state.as_str());
        if !summary.reason.is_empty() {
            text += &format!(" - {}", summary.reason);
        }
        text = crate::terminal::clean(&text) + "\n";
        for stage in &detail.stages {
            if let Some(waiting) = &stage.waiting_for {
                text += &crate::terminal::clean(&format!(
                    "stage '{}' waits now: {}",
                    stage.name, waiting.sentence
                ));
                text += "\n";
            }
        }
        if notes.notes.is_empty() {
            return text + "nothing was noted";
        }
        let rows = notes.notes.iter().map(|note| {
            let at = format!("+{}", duration(note.at.ms_since(summary.submitted_at)));
            let task = note.task.map_or("-".into(), |task| task.to_string());
            vec![at, task, note.kind.clone(), note.sentence.clone()]
        });
        text + "\n" + &table(&["AT", "TASK", "WHAT", "WHY"], rows)
    })
}
