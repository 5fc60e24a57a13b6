//! `opensky dashboard`

use crate::commands::Context;
use anyhow::Result;
use clap::Args;
use serde::Serialize;
use std::process::{Command, Stdio};

/// Open the dashboard in a browser
#[derive(Debug, Args)]
#[command(after_help = "\
Prints a link that logs one browser in, once, within five minutes; the session lasts twelve hours.

Examples:
  opensky dashboard              prints the link, and opens it where there is a display
  opensky dashboard --no-open    prints the link
  ssh -L 4720:127.0.0.1:4720 HOST opensky dashboard    the dashboard of another machine")]
pub struct DashboardArgs {
    /// Only print the link
    #[arg(long)]
    no_open: bool,
}

#[derive(Serialize)]
struct Link {
    url: String,
    expires_at: opensky_types::Timestamp,
}

pub async fn run(context: &Context, args: DashboardArgs) -> Result<()> {
    let client = context.client()?;
    let link = client.login_link().await?;
    let link = Link { url: format!("{}{}", client.base_url(), link.path), expires_at: link.expires_at };
    context.format.print(&link, |link| link.url.clone())?;
    if !args.no_open && has_display() && !open(&link.url) {
        context.say("no browser could be started; open the link yourself");
    }
    Ok(())
}

fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Hands the link to the desktop. The browser uses the code up at once, so its moment in the list of
/// processes is of little use to others.
fn open(url: &str) -> bool {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(opener);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
