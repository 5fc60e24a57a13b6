//! `opensky wallet owner`
//!
//! Two keys agree on an owner: that of the node, and that of the owner. Each signs on its own machine.

use crate::{
    acting::{ActArgs, act},
    commands::{Context, identity},
    fail::{Exit, Fail},
    output::now,
    passphrase::KeyArgs,
};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use opensky_api::{
    transaction::SubmitRequest,
    wallet::{OwnerRequest, Payee, WalletQuery},
};
use opensky_client::Client;
use opensky_identity::Layout;
use opensky_ledger::{
    action::Action,
    approval::Approval,
    transaction::{TRANSACTION_BYTES_MAX, Transaction},
};
use opensky_types::{AccountId, Keypair, codec};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How long the owner has to accept, in milliseconds.
const VALID_MS: u64 = 60 * 60_000;
/// Longest signature of a node.
const APPROVAL_BYTES_MAX: usize = 1_024;

/// Change who owns this node's account
#[derive(Debug, Subcommand)]
pub enum OwnerCommand {
    /// Ask an account to be the owner: write a file for it, signed by this node
    #[command(after_help = "\
Examples:
  opensky wallet owner ask osk1… --out owner.json      here, on the node
  opensky wallet owner accept owner.json               on the owner's machine, within an hour
From then on `opensky wallet balance OWNER` shows both as one wallet.")]
    Ask {
        /// The owner: an account (osk1…) or a node (12D3KooW…)
        owner: Payee,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Accept to be the owner of the node that wrote this file
    Accept {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        act: ActArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Have no owner any more
    Remove {
        #[command(flatten)]
        act: ActArgs,
    },
}

/// What the node signed, for the owner to sign too.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// In words, for people who look into the file.
    sentence: String,
    /// The encoded transaction, in hex.
    transaction: String,
    /// The node's encoded signature, in hex.
    approval: String,
}

pub async fn run(context: &Context, client: &Client, command: OwnerCommand) -> Result<()> {
    match command {
        OwnerCommand::Ask { owner, out, key } => ask(context, client, owner.0, &out, &key).await,
        OwnerCommand::Accept { file, act: args, key } => {
            let (transaction, approval) = read(&file)?;
            let own = unlock(context, &key)?;
            check(&transaction, AccountId::of_node(own.id()))?;
            let signed = transaction.signed(vec![approval, Approval::sign(&own, &transaction)]).encode();
            let send = async |dry_run| client.submit_transaction(&SubmitRequest::of(&signed, dry_run)).await;
            let question = format!("Be the owner of {}?", transaction.account);
            act(context, client, args, &question, send).await
        }
        OwnerCommand::Remove { act: args } => {
            let send = async |dry_run| client.set_owner(&OwnerRequest { owner: None, dry_run }).await;
            act(context, client, args, "Let this node's account have no owner?", send).await
        }
    }
}

async fn ask(context: &Context, client: &Client, owner: AccountId, out: &Path, key: &KeyArgs) -> Result<()> {
    let key = unlock(context, key)?;
    let account = AccountId::of_node(key.id());
    let (wallet, ledger) = (client.wallet(&WalletQuery::default()).await?, client.ledger().await?);
    let next = wallet.accounts.iter().find(|view| view.account == account);
    let nonce = next.context("the node that runs here has another key than the data folder")?.next_number;
    let transaction = Transaction {
        sky: ledger.sky,
        rules: ledger.rules,
        account,
        nonce,
        valid_until: now().max(ledger.head.at).plus_ms(VALID_MS),
        action: Action::LinkOwner { owner },
    };
    let asked = Asked {
        sentence: transaction.action.describe(),
        transaction: hex::encode(transaction.encode()),
        approval: hex::encode(codec::encode(&Approval::sign(&key, &transaction))),
    };
    std::fs::write(out, serde_json::to_string_pretty(&asked)?)
        .with_context(|| format!("cannot write {}", out.display()))?;
    context.say(format!(
        "on the owner's machine, within an hour: opensky wallet owner accept {}",
        out.display()
    ));
    context.format.print(&serde_json::json!({ "file": out }), |_| out.display().to_string())
}

fn read(path: &Path) -> Result<(Transaction, Approval)> {
    let bad = |what: String| Fail::new(Exit::Invalid, format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| {
        Fail::new(Exit::NotFound, format!("cannot read {}: {error}", path.display()))
            .next("the node writes it: opensky wallet owner ask OWNER --out FILE")
    })?;
    let asked: Asked = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let not_hex = |_| bad("a field is not hex".into());
    let transaction = hex::decode(&asked.transaction).map_err(not_hex)?;
    let approval = hex::decode(&asked.approval).map_err(not_hex)?;
    let transaction: Transaction =
        codec::decode(&transaction, TRANSACTION_BYTES_MAX).map_err(|error| bad(error.to_string()))?;
    let approval: Approval =
        codec::decode(&approval, APPROVAL_BYTES_MAX).map_err(|error| bad(error.to_string()))?;
    approval.verify(&transaction).map_err(|error| bad(error.to_string()))?;
    Ok((transaction, approval))
}

/// Whoever wrote the file must get this signature for nothing else.
fn check(transaction: &Transaction, own: AccountId) -> Result<(), Fail> {
    match &transaction.action {
        Action::LinkOwner { owner } if *owner == own => Ok(()),
        Action::LinkOwner { owner } => {
            let what = format!("the file asks {owner}, but the account of this data folder is {own}");
            Err(Fail::new(Exit::Invalid, what).next("name the owner's folder with --data-dir DIR"))
        }
        other => {
            Err(Fail::new(Exit::Invalid, format!("the file does not ask for an owner: {}", other.describe())))
        }
    }
}

fn unlock(context: &Context, key: &KeyArgs) -> Result<Keypair> {
    identity::unlock(&Layout::new(context.data_dir()?), key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_ledger::memo::Memo;
    use opensky_types::{Hash, Micros, Timestamp};

    fn transaction(action: Action) -> Transaction {
        Transaction {
            sky: Hash::of(b"sky"),
            rules: 1,
            account: AccountId::from_bytes([1; 32]),
            nonce: 0,
            valid_until: Timestamp::from_millis(1),
            action,
        }
    }

    #[test]
    fn an_owner_signs_for_itself_and_for_nothing_else() {
        let (own, other) = (AccountId::from_bytes([2; 32]), AccountId::from_bytes([3; 32]));
        assert!(check(&transaction(Action::LinkOwner { owner: own }), own).is_ok());
        assert!(check(&transaction(Action::LinkOwner { owner: other }), own).is_err());
        let transfer = Action::Transfer { to: other, amount: Micros::new(1), memo: Memo::default() };
        assert!(check(&transaction(transfer), own).is_err());
    }
}
