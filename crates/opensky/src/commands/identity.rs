//! `opensky identity`

use crate::{
    commands::Context,
    fail::{Exit, Fail},
    founding,
    output::{fields, now},
    passphrase::{KeyArgs, ask, ask_twice, protection},
};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use opensky_identity::{DataFolder, KeyFile, Layout, Passphrase, backup, rotation};
use opensky_storage::RedbJournal;
use opensky_types::Keypair;
use serde::Serialize;
use std::{io::Read, os::unix::fs::OpenOptionsExt, path::PathBuf};

/// Show, back up, restore or replace the node's key
#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    /// Show the node's id and how its key is kept
    Show,
    /// Write an encrypted backup of the key
    #[command(after_help = "Example:\n  opensky identity export --to node-key.txt")]
    Export(ExportArgs),
    /// Restore the key from a backup into a data folder that has none
    Import(ImportArgs),
    /// Replace the key; the old one signs the new one
    #[command(
        name = "rotate-keys",
        after_help = "The node must be stopped. The old key stays under identity/retired."
    )]
    RotateKeys(RotateArgs),
}

/// Write an encrypted backup of the key
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write; standard output if absent
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// The backup's own passphrase, in the first line of this file; asked for if absent
    #[arg(long, value_name = "FILE")]
    backup_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

/// Restore the key from a backup
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The backup's file, or - for standard input
    file: PathBuf,
    /// The backup's passphrase, in the first line of this file; asked for if absent
    #[arg(long, value_name = "FILE")]
    backup_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

/// Replace the key
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// This folder is a copy whose original lives on: take a key that nothing ties to the old one
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Serialize)]
struct Identity {
    node: String,
    key_file: PathBuf,
    encrypted: bool,
    rotations: usize,
}

pub fn run(context: &Context, command: IdentityCommand) -> Result<()> {
    let layout = Layout::new(context.own_data_dir()?);
    match command {
        IdentityCommand::Show => show(context, &layout),
        IdentityCommand::Export(args) => export(context, &layout, &args),
        IdentityCommand::Import(args) => import(context, &layout, &args),
        IdentityCommand::RotateKeys(args) => rotate(context, &layout, &args),
    }
}

fn show(context: &Context, layout: &Layout) -> Result<()> {
    let file = load(layout)?;
    let identity = Identity {
        node: file.id().to_string(),
        key_file: layout.key(),
        encrypted: file.is_encrypted(),
        rotations: rotation::rotations(layout)?.len(),
    };
    context.format.print(&identity, |identity| {
        let locked = if identity.encrypted { "encrypted" } else { "NOT encrypted" };
        fields(&[
            ("node", identity.node.clone()),
            ("key file", format!("{} ({locked})", identity.key_file.display())),
            ("rotations", identity.rotations.to_string()),
        ])
    })
}

fn export(context: &Context, layout: &Layout, args: &ExportArgs) -> Result<()> {
    let key = unlock(layout, &args.key)?;
    let passphrase = match &args.backup_passphrase_file {
        Some(path) => Passphrase::from_file(path)?,
        None => {
            context.say("The backup gets a passphrase of its own.");
            ask_twice()?
        }
    };
    let text = backup::export(&key, &passphrase)?;
    let Some(path) = &args.to else { return crate::output::print_line(&text) };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    context.say(format!("the key of {} is backed up in {}", key.id(), path.display()));
    Ok(())
}

fn import(context: &Context, layout: &Layout, args: &ImportArgs) -> Result<()> {
    let mut text = String::new();
    if args.file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(&args.file)
            .with_context(|| format!("cannot read {}", args.file.display()))?;
    }
    let passphrase = match &args.backup_passphrase_file {
        Some(path) => Passphrase::from_file(path)?,
        None => ask("Passphrase of the backup: ")?,
    };
    let key = backup::import(&text, &passphrase)?;
    let folder = DataFolder::open(layout.root())?;
    KeyFile::create(&folder.layout().key(), &key, protection(&args.key.new_key()?))?;
    context.say(format!("{} now holds the key of {}", layout.root().display(), key.id()));
    Ok(())
}

fn rotate(context: &Context, layout: &Layout, args: &RotateArgs) -> Result<()> {
    if args.fresh {
        // The folder knows that it is a copy; here its owner says what to do about it.
        let folder = DataFolder::open_moved(layout.root())?;
        let key = rotation::start_afresh(&folder, protection(&args.key.new_key()?))?;
        context.say(format!("this folder's node is now {}; join its sky again by invite", key.id()));
        return Ok(());
    }
    load(layout)?;
    let folder = DataFolder::open(layout.root())?;
    let old = unlock(layout, &args.key)?;
    let (new, _) = rotation::rotate(&folder, &old, protection(&args.key.new_key()?), now())?;
    context.say(format!("{} is now {}", old.id(), new.id()));
    let journal = RedbJournal::open(folder.layout().journal_folder())?;
    if founding::hand_over(&journal, &old, new.id(), now())? {
        context.say("The old key signed the new one's membership: the node stays in its sky.");
    } else {
        context.say("The new key belongs to no sky yet: `opensky up` founds one, `opensky up --join TOKEN` joins one.");
    }
    Ok(())
}

/// The node's key, with its passphrase if it has one.
pub fn unlock(layout: &Layout, args: &KeyArgs) -> Result<Keypair> {
    let file = load(layout)?;
    let passphrase = if file.is_encrypted() { Some(args.existing()?) } else { None };
    Ok(file.unlock(passphrase.as_ref())?)
}

fn load(layout: &Layout) -> Result<KeyFile> {
    let path = layout.key();
    if !path.exists() {
        let what = format!("there is no key in {} yet", layout.root().display());
        return Err(Fail::new(Exit::NotFound, what)
            .next("`opensky up` makes one, `opensky identity import` restores one")
            .into());
    }
    Ok(KeyFile::load(&path)?)
}
