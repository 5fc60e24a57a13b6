//! `opensky invite`

use crate::{
    commands::Context,
    output::{self, duration},
};
use anyhow::Result;
use clap::Args;
use opensky_api::membership::InviteRequest;
use opensky_jobfile::values::parse_millis;

/// Make an invite to this sky
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky invite                          for one node, within an hour
  opensky invite --uses 10 --expires 2d   for ten nodes, within two days
  opensky invite --lan                    also lets in whoever runs `opensky up --lan` on this network")]
pub struct InviteArgs {
    /// How many nodes may join with it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    uses: u32,
    /// How long it works, such as 30m, 1h or 2d
    #[arg(long, default_value = "1h", value_parser = millis)]
    expires: u64,
    /// Also open the door to the local network for that time
    #[arg(long)]
    lan: bool,
}

pub async fn run(context: &Context, args: InviteArgs) -> Result<()> {
    let request = InviteRequest { uses_max: args.uses, valid_ms: args.expires, lan: args.lan };
    let invite = context.client()?.invite(&request).await?;
    context.say(format!(
        "For {} node(s), within {}. On the other machine:",
        args.uses,
        duration(args.expires)
    ));
    context.say(format!("  opensky up --join {}", invite.token));
    if invite.lan {
        context.say("or, on this local network, just:\n  opensky up --lan");
    }
    context.format.print(&invite, |invite| {
        output::fields(&[("token", invite.token.clone())])["token  ".len()..].to_owned()
    })
}

/// A duration on the command line.
pub fn millis(text: &str) -> Result<u64, String> {
    parse_millis(text).ok_or_else(|| format!("'{text}' is not a duration such as 30s, 10m, 1h30m or 2d"))
}
