//! Where the passphrase of a key comes from: a flag, the environment, a file, or a person.

use crate::fail::{Exit, Fail};
use anyhow::{Context, Result};
use clap::Args;
use opensky_identity::{Passphrase, Protection};
use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

/// The variable that may hold the passphrase.
pub const VARIABLE: &str = "OPENSKY_PASSPHRASE";

/// How the key is locked.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyArgs {
    /// Keep the key unencrypted (mode 0600): whoever reads the file is this node
    #[arg(long, conflicts_with = "passphrase_file")]
    pub unencrypted_key: bool,
    /// Read the passphrase from the first line of this file (mode 0600)
    #[arg(long, value_name = "FILE", env = "OPENSKY_PASSPHRASE_FILE")]
    pub passphrase_file: Option<PathBuf>,
}

impl KeyArgs {
    /// The passphrase of a key that exists. Called only when the key is encrypted.
    pub fn existing(&self) -> Result<Passphrase> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => ask("Passphrase of this node's key: "),
        }
    }

    /// How a new key is to be locked; `None`: not at all, as its owner said.
    pub fn new_key(&self) -> Result<Option<Passphrase>> {
        if self.unencrypted_key {
            return Ok(None);
        }
        if let Some(passphrase) = self.given()? {
            return Ok(Some(passphrase));
        }
        ask_twice().map(Some)
    }

    fn given(&self) -> Result<Option<Passphrase>> {
        match &self.passphrase_file {
            Some(path) => Ok(Some(Passphrase::from_file(path)?)),
            None => Ok(Passphrase::from_env(VARIABLE)?),
        }
    }
}

/// The protection that a passphrase gives.
pub fn protection(passphrase: &Option<Passphrase>) -> Protection<'_> {
    passphrase.as_ref().map_or(Protection::None, Protection::Passphrase)
}

/// Asks for a new passphrase and for its repetition.
pub fn ask_twice() -> Result<Passphrase> {
    eprintln!("A new key is locked with a passphrase (or start again with --unencrypted-key).");
    let first = ask_text("New passphrase: ")?;
    if *ask_text("Once more: ")? != *first {
        return Err(Fail::new(Exit::Invalid, "the two passphrases differ").into());
    }
    Ok(Passphrase::from_prompt(first.as_str().to_owned())?)
}

/// Asks for one passphrase.
pub fn ask(prompt: &str) -> Result<Passphrase> {
    Ok(Passphrase::from_prompt(ask_text(prompt)?.as_str().to_owned())?)
}

fn ask_text(prompt: &str) -> Result<zeroize::Zeroizing<String>> {
    if !io::stdin().is_terminal() {
        let what = "a passphrase is needed, and nobody is at a terminal to type it";
        return Err(Fail::new(Exit::Invalid, what)
            .next(format!("set {VARIABLE}, use --passphrase-file FILE, or --unencrypted-key for a new key"))
            .into());
    }
    eprint!("{prompt}");
    io::stderr().flush()?;
    let quiet = Quiet::start();
    let mut line = zeroize::Zeroizing::new(String::new());
    let read = io::stdin().lock().read_line(&mut line);
    drop(quiet);
    eprintln!();
    read.context("cannot read the passphrase")?;
    Ok(zeroize::Zeroizing::new(line.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Typing is not shown while this lives.
struct Quiet(Option<libc::termios>);

impl Quiet {
    fn start() -> Self {
        // SAFETY: `termios` is plain data that tcgetattr fills in; descriptor 0 is a terminal here.
        let before = unsafe {
            let mut settings = std::mem::zeroed::<libc::termios>();
            (libc::tcgetattr(0, &mut settings) == 0).then_some(settings)
        };
        if let Some(mut settings) = before {
            settings.c_lflag &= !libc::ECHO;
            // SAFETY: the settings are those just read, with one flag cleared.
            unsafe { libc::tcsetattr(0, libc::TCSANOW, &settings) };
        }
        Self(before)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            // SAFETY: the settings are those that were found.
            unsafe { libc::tcsetattr(0, libc::TCSANOW, settings) };
        }
    }
}
