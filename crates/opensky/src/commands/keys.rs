//! `opensky keys`

use crate::{
    commands::{Context, invite::millis},
    output::{ago, now, table, until},
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_api::key::{KeyQuery, KeyRequest, Keys, Role};

/// Make, list and revoke keys of the API
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and show its secret, this once
    #[command(after_help = "\
Examples:
  opensky keys create grafana                          reads
  opensky keys create ci --role operator --expires 90d also works with jobs and content
Programs send it as `Authorization: Bearer SECRET`; the client and this command take it from
OPENSKY_API_TOKEN, with OPENSKY_API_ADDRESS.")]
    Create(CreateArgs),
    /// List the keys
    List,
    /// Make a key work no longer
    #[command(after_help = "Example:\n  opensky keys revoke ci")]
    Revoke {
        /// Its name
        name: String,
    },
}

/// Which key
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// What to call it
    name: String,
    /// What it may do: viewer, operator or owner
    #[arg(long, default_value_t = Role::Viewer)]
    role: Role,
    /// How long it works, such as 12h or 90d [default: until it is revoked]
    #[arg(long, value_parser = millis)]
    expires: Option<u64>,
}

pub async fn run(context: &Context, command: KeysCommand) -> Result<()> {
    let client = context.client()?;
    match command {
        KeysCommand::Create(CreateArgs { name, role, expires }) => {
            let new = client.create_key(&KeyRequest { name, role, valid_ms: expires, spend: None }).await?;
            context.say(format!(
                "key '{}' ({role}); its secret is shown this once, the node keeps only its hash:",
                new.key.name
            ));
            context.format.print(&new, |new| new.secret.clone())
        }
        KeysCommand::List => context.format.print(&client.keys().await?, show),
        KeysCommand::Revoke { name } => {
            let left = client.revoke_key(&KeyQuery { name: name.clone() }).await?;
            context.say(format!("key '{name}' works no longer"));
            context.format.print(&left, show)
        }
    }
}

fn show(keys: &Keys) -> String {
    if keys.keys.is_empty() {
        return "there are no keys; make one with: opensky keys create NAME".to_owned();
    }
    let now = now();
    let rows = keys.keys.iter().map(|key| {
        let ends = match key.expires_at {
            None => "never".to_owned(),
            Some(at) if at <= now => "has expired".to_owned(),
            Some(at) => until(now, at),
        };
        vec![key.name.clone(), key.role.to_string(), ago(now, key.created_at), ends]
    });
    table(&["NAME", "ROLE", "MADE", "EXPIRES"], rows)
}
