//! `opensky ledger export`

use crate::{
    commands::Context,
    fail::{Exit, Fail},
};
use anyhow::{Context as _, Result};
use clap::Args;
use indicatif::ProgressBar;
use opensky_api::ledger::BlocksQuery;
use opensky_ledger::block::Block;
use opensky_types::codec;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

/// Write final blocks into a file
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky ledger export --out blocks.jsonl                       all blocks that this node keeps, a line each
  opensky ledger export --from 100 --to 200 --out blocks.jsonl
  opensky ledger export --raw --out blocks.bin                   as nodes send them to each other
A raw file is, for each block, its length as four bytes (little-endian) and then its bytes.")]
pub struct ExportArgs {
    /// The first height
    #[arg(long, value_name = "HEIGHT", default_value_t = 1)]
    from: u64,
    /// The last height [default: the newest final block]
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The bytes with their certificates instead of JSON lines
    #[arg(long)]
    raw: bool,
}

pub async fn run(context: &Context, args: &ExportArgs) -> Result<()> {
    let client = context.client()?;
    let head = client.ledger().await?.head.height;
    let to = args.to.unwrap_or(head);
    if args.from == 0 || args.from > to || to > head {
        let what = format!("there are no blocks {} to {to}; the newest has height {head}", args.from);
        return Err(Fail::new(Exit::Invalid, what).next("heights begin with 1, after the genesis").into());
    }
    let cannot = || format!("cannot write {}", args.out.display());
    let mut file = BufWriter::new(File::create(&args.out).with_context(cannot)?);
    let bar = bar(context, to - args.from + 1);
    let mut next = args.from;
    while next <= to {
        let query = BlocksQuery { from: Some(next) };
        let answer = tokio::select! {
            answer = client.ledger_blocks(&query) => answer?,
            _ = tokio::signal::ctrl_c() => return Err(interrupted(&args.out, next).into()),
        };
        if answer.blocks.is_empty() {
            let what = format!("this node does not keep block {next}: it began to follow the ledger later");
            return Err(Fail::new(Exit::NotFound, what)
                .next("name a later --from, or ask another node")
                .into());
        }
        for digits in answer.blocks.iter().take((to - next + 1) as usize) {
            let bytes = hex::decode(digits).context("the node sent a block that is not hex")?;
            write(&mut file, &bytes, args.raw).with_context(cannot)?;
            next += 1;
            bar.inc(1);
        }
    }
    file.flush().with_context(cannot)?;
    bar.finish_and_clear();
    let count = to - args.from + 1;
    let written = json!({ "file": args.out, "from": args.from, "to": to, "blocks": count });
    context.format.print(&written, |_| format!("{count} blocks in {}", args.out.display()))
}

fn bar(context: &Context, count: u64) -> ProgressBar {
    match !context.quiet && std::io::stderr().is_terminal() {
        true => ProgressBar::new(count),
        false => ProgressBar::hidden(),
    }
}

fn interrupted(path: &Path, next: u64) -> Fail {
    Fail::new(Exit::Interrupted, format!("interrupted; {} has the blocks before {next}", path.display()))
        .next(format!("go on into another file with --from {next}"))
}

fn write(file: &mut impl Write, bytes: &[u8], raw: bool) -> Result<()> {
    if raw {
        file.write_all(&u32::try_from(bytes.len())?.to_le_bytes())?;
        file.write_all(bytes)?;
        return Ok(());
    }
    let (block, is_certified) = opensky_chain::read_block(bytes)?;
    serde_json::to_writer(&mut *file, &line(&block, is_certified))?;
    file.write_all(b"\n")?;
    Ok(())
}

/// A block as one line of JSON.
fn line(block: &Block, is_certified: bool) -> Value {
    let header = &block.header;
    let transactions: Vec<Value> = block
        .transactions
        .iter()
        .map(|signed| match signed.clone().unchecked() {
            Ok(checked) => json!({
                "id": checked.id,
                "account": checked.transaction.account,
                "number": checked.transaction.nonce,
                "sentence": checked.transaction.action.describe(),
                "bytes": hex::encode(signed.encode()),
            }),
            Err(_) => json!({ "bytes": hex::encode(signed.encode()) }),
        })
        .collect();
    json!({
        "height": header.height,
        "block": block.id(),
        "parent": header.parent,
        "at": header.time,
        "rules": header.rules,
        "state": header.state,
        "facts": header.facts.iter().map(|fact| hex::encode(codec::encode(fact))).collect::<Vec<_>>(),
        "is_certified": is_certified,
        "transactions": transactions,
    })
}
