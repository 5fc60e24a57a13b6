//! `opensky logs`

use crate::{commands::Context, terminal::RemoteWriter};
use anyhow::Result;
use clap::Args;
use opensky_api::event::FollowQuery;

/// Show the node's own log
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Stay and show what is added
    #[arg(short, long)]
    follow: bool,
    /// Lines of the past
    #[arg(short = 'n', long, default_value_t = 100)]
    lines: u32,
}

pub async fn run(context: &Context, args: LogsArgs) -> Result<()> {
    let query = FollowQuery { follow: args.follow, lines: Some(args.lines), after: None };
    let mut answer = context.client()?.logs(&query).await?;
    let mut out = RemoteWriter::stdout();
    loop {
        let piece = tokio::select! {
            piece = answer.chunk() => piece?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        match piece {
            Some(piece) => out.write(&piece)?,
            None => return Ok(()),
        }
    }
}
