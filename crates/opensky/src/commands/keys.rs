//! `opensky keys`

use crate::{
    amount::amount,
    commands::{Context, invite::millis},
    config::Config,
    output::{ago, now, table, until},
    remote,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_api::key::{
    KeyQuery, KeyRequest, Keys, Role, SpendLimit, SpendPer, WalletLoginQuery, WalletLoginRequest,
    WalletLogins,
};
use opensky_client::Client;
use opensky_identity::Layout;
use opensky_types::Micros;
use std::collections::BTreeMap;

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
    /// Show the fingerprint of the certificate for other machines
    #[command(after_help = "\
Example:
  opensky up --remote 0.0.0.0:4720 --remote-certificate self-signed    here
  opensky keys fingerprint                                             here
  opensky status --url https://HOST:4720 --token-file F --fingerprint HEX    there")]
    Fingerprint,
    /// Let wallets log in to the dashboard
    #[command(subcommand)]
    Wallet(WalletLoginCommand),
    /// Make a key work no longer
    #[command(after_help = "Example:\n  opensky keys revoke ci")]
    Revoke {
        /// Its name
        name: String,
    },
}

/// Let wallets log in to the dashboard
#[derive(Debug, Subcommand)]
pub enum WalletLoginCommand {
    /// Name a wallet that may log in, or give it another role
    #[command(after_help = "\
Example:
  opensky keys wallet add 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --role operator
The dashboard's login page then has a button for each wallet of the browser. Signing costs nothing.")]
    Add {
        /// Its address
        address: String,
        /// What it may do: viewer, operator or owner
        #[arg(long, default_value_t = Role::Viewer)]
        role: Role,
    },
    /// List the wallets that may log in
    List,
    /// Let a wallet log in no longer, and end its sessions
    Remove {
        /// Its address
        address: String,
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
    /// What it may spend in all, in credits such as 2.5: transfers, stake, budgets of jobs
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    spend_limit: Option<Micros>,
    /// For how long that is: ever, or day
    #[arg(long, value_name = "TIME", default_value = "ever", value_parser = spend_per, requires = "spend_limit")]
    spend_per: SpendPer,
}

fn spend_per(text: &str) -> Result<SpendPer, String> {
    match text {
        "ever" => Ok(SpendPer::Ever),
        "day" => Ok(SpendPer::Day),
        other => Err(format!("'{other}' is not a time for a limit: ever or day")),
    }
}

pub async fn run(context: &Context, command: KeysCommand) -> Result<()> {
    if matches!(command, KeysCommand::Fingerprint) {
        return fingerprint(context);
    }
    let client = context.client()?;
    match command {
        KeysCommand::Fingerprint => Ok(()),
        KeysCommand::Create(CreateArgs { name, role, expires, spend_limit, spend_per }) => {
            let spend = spend_limit.map(|limit_micros| SpendLimit { limit_micros, per: spend_per });
            let new = client.create_key(&KeyRequest { name, role, valid_ms: expires, spend }).await?;
            context.say(format!(
                "key '{}' ({role}); its secret is shown this once, the node keeps only its hash:",
                new.key.name
            ));
            context.format.print(&new, |new| new.secret.clone())
        }
        KeysCommand::Wallet(command) => wallet(context, &client, command).await,
        KeysCommand::List => context.format.print(&client.keys().await?, show),
        KeysCommand::Revoke { name } => {
            let left = client.revoke_key(&KeyQuery { name: name.clone() }).await?;
            context.say(format!("key '{name}' works no longer"));
            context.format.print(&left, show)
        }
    }
}

/// Of the certificate that this machine's node shows, or would show.
fn fingerprint(context: &Context) -> Result<()> {
    let data_dir = context.own_data_dir()?;
    let settings = Config::load(&data_dir, &BTreeMap::new())?.settings()?;
    let fingerprint = remote::fingerprint(&settings, &Layout::new(data_dir))?;
    context.format.print(&fingerprint, String::clone)
}

async fn wallet(context: &Context, client: &Client, command: WalletLoginCommand) -> Result<()> {
    let wallets = match command {
        WalletLoginCommand::Add { address, role } => {
            let wallets =
                client.add_wallet_login(&WalletLoginRequest { address: address.clone(), role }).await?;
            context.say(format!("wallet {address} may log in as {role}"));
            wallets
        }
        WalletLoginCommand::List => client.wallet_logins().await?,
        WalletLoginCommand::Remove { address } => {
            let left = client.remove_wallet_login(&WalletLoginQuery { address: address.clone() }).await?;
            context.say(format!("wallet {address} may log in no longer"));
            left
        }
    };
    context.format.print(&wallets, show_wallets)
}

fn show_wallets(wallets: &WalletLogins) -> String {
    if wallets.wallets.is_empty() {
        return "no wallet may log in; name one with: opensky keys wallet add ADDRESS".to_owned();
    }
    let now = now();
    let rows = wallets.wallets.iter();
    let rows = rows.map(|one| vec![one.address.clone(), one.role.to_string(), ago(now, one.created_at)]);
    table(&["WALLET", "ROLE", "NAMED"], rows)
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
        let spend = key.spend.map_or_else(String::new, |spend| {
            let per = if spend.per == SpendPer::Day { " a day" } else { "" };
            format!("{} of {}{per}", spend.spent_micros, spend.limit_micros)
        });
        vec![key.name.clone(), key.role.to_string(), ago(now, key.created_at), ends, spend]
    });
    table(&["NAME", "ROLE", "MADE", "EXPIRES", "SPENT"], rows)
}
