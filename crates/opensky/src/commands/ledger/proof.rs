//! `opensky ledger prove` and `opensky ledger verify`

use crate::{
    commands::Context,
    fail::{Exit, Fail},
    founding,
    output::{ago, fields, now, size},
};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use opensky_api::{ledger::ProofQuery, wallet::Payee};
use opensky_chain::Proven;
use opensky_identity::Layout;
use opensky_ledger::{entry::Entry, key::Key};
use opensky_storage::RedbJournal;
use opensky_types::{AgreementId, codec, membership::Genesis};
use std::path::PathBuf;

/// Prove an entry of the ledger
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky ledger prove balance --out balance.proof           of this node's account
  opensky ledger prove balance osk1… --out balance.proof
  opensky ledger prove escrow 5e0c… --out escrow.proof
The file holds all that is needed: `opensky ledger verify FILE` checks it with the sky's genesis alone.")]
pub struct ProveArgs {
    #[command(subcommand)]
    what: What,
    /// The file to write; hex on standard output if absent
    #[arg(long, value_name = "FILE", global = true)]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// The money of an account
    Balance {
        /// An account (osk1…) or a node (12D3KooW…) [default: this node]
        account: Option<Payee>,
    },
    /// The escrow of an agreement
    Escrow {
        /// The agreement
        agreement: AgreementId,
    },
    /// Any entry
    Key {
        /// Its encoded key, in hex
        key: String,
    },
}

/// Check a proof, offline
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky ledger verify balance.proof                      in the sky of the data folder
  opensky ledger verify balance.proof --genesis 0a00…      needs no data folder
`opensky ledger info --json` shows the genesis of a sky.")]
pub struct VerifyArgs {
    /// The file that `opensky ledger prove` wrote
    file: PathBuf,
    /// The sky's genesis, in hex [default: that of this node's sky]
    #[arg(long, value_name = "HEX")]
    genesis: Option<String>,
}

pub async fn prove(context: &Context, args: ProveArgs) -> Result<()> {
    let client = context.client()?;
    let query = match args.what {
        What::Balance { account: Some(account) } => {
            ProofQuery { account: Some(account), ..ProofQuery::default() }
        }
        What::Balance { account: None } => {
            let node = client.status().await?.node;
            ProofQuery { account: Some(Payee::of_node(node)), ..ProofQuery::default() }
        }
        What::Escrow { agreement } => ProofQuery { agreement: Some(agreement), ..ProofQuery::default() },
        What::Key { key } => ProofQuery { key: Some(key), ..ProofQuery::default() },
    };
    let proof = client.ledger_proof(&query).await?;
    let Some(path) = args.out else {
        let shown = serde_json::json!({ "proof": hex::encode(&proof), "size_bytes": proof.len() });
        return context.format.print(&shown, |_| hex::encode(&proof));
    };
    std::fs::write(&path, &proof).with_context(|| format!("cannot write {}", path.display()))?;
    let written = serde_json::json!({ "file": path, "size_bytes": proof.len() });
    context.format.print(&written, |_| format!("{} ({})", path.display(), size(proof.len() as u64)))
}

pub async fn verify(context: &Context, args: &VerifyArgs) -> Result<()> {
    let bytes = std::fs::read(&args.file).map_err(|error| {
        Fail::new(Exit::NotFound, format!("cannot read the proof {}: {error}", args.file.display()))
            .next("`opensky ledger prove balance --out FILE` writes one")
    })?;
    let genesis = match &args.genesis {
        Some(digits) => decode_genesis(digits)?,
        None => own_genesis(context).await?,
    };
    // A proof that was printed and kept as text is as good.
    let bytes = hex::decode(bytes.trim_ascii()).unwrap_or(bytes);
    let proven = opensky_chain::verify_proof(&genesis, &bytes).map_err(|error| {
        Fail::new(Exit::Invalid, format!("the proof does not hold in '{}': {error}", genesis.name))
            .next("is it of another sky? --genesis names the sky that it is of")
    })?;
    let (kind, entry) = words(&proven);
    let view = serde_json::json!({
        "sky": genesis.sky(),
        "height": proven.height,
        "at": proven.time,
        "state": proven.state,
        "key": hex::encode(codec::encode(&proven.key)),
        "kind": kind,
        "entry": proven.entry.as_ref().map(|entry| hex::encode(codec::encode(entry))),
        "sentence": entry,
    });
    context.format.print(&view, |_| {
        fields(&[
            ("proof", format!("holds in '{}'", genesis.name)),
            ("of", kind),
            ("entry", entry),
            ("height", format!("{}, {}", proven.height, ago(now(), proven.time))),
            ("state root", proven.state.to_string()),
        ])
    })
}

fn decode_genesis(digits: &str) -> Result<Genesis> {
    let bytes = hex::decode(digits).ok();
    let genesis = bytes.and_then(|bytes| codec::decode(&bytes, founding::SETTING_BYTES_MAX).ok());
    genesis.ok_or_else(|| {
        Fail::new(Exit::Invalid, "--genesis is not the genesis of a sky")
            .next("`opensky ledger info --json` shows it in the field 'genesis'")
            .into()
    })
}

/// That of the sky of the data folder: from its journal, or from the node that has the journal open.
async fn own_genesis(context: &Context) -> Result<Genesis> {
    if let Ok(client) = context.client()
        && let Ok(ledger) = client.ledger().await
    {
        return decode_genesis(&ledger.genesis);
    }
    let layout = Layout::new(context.data_dir()?);
    let nothing = || {
        Fail::new(Exit::NotFound, format!("{} belongs to no sky", layout.root().display()))
            .next("name the sky with --genesis HEX, or its node's folder with --data-dir DIR")
    };
    if !layout.journal_folder().exists() {
        return Err(nothing().into());
    }
    let journal = RedbJournal::open(layout.journal_folder())?;
    let (genesis, _) = founding::kept(&journal)?.ok_or_else(nothing)?;
    Ok(genesis)
}

/// What the entry is of, and what it says.
fn words(proven: &Proven) -> (String, String) {
    let kind = match &proven.key {
        Key::Account(account) => format!("account {account}"),
        Key::Escrow(agreement) => format!("escrow {agreement}"),
        Key::Stake(account) => format!("stake of {account}"),
        other => format!("{other:?}"),
    };
    let entry = match &proven.entry {
        None => "there is none".to_owned(),
        Some(Entry::Account(account)) => format!(
            "{} available, {} owed, next number {}",
            account.available.total(),
            account.owes(),
            account.nonce
        ),
        Some(Entry::Escrow(escrow)) => format!(
            "{} put aside by {} for {}, {} paid",
            escrow.held.total(),
            escrow.consumer,
            escrow.provider,
            escrow.paid
        ),
        Some(Entry::Stake(stake)) => format!("{} at stake", stake.bonded()),
        Some(other) => format!("{other:?}"),
    };
    (kind, entry)
}
