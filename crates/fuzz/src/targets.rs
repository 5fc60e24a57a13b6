//! The table of targets. Each is a file below: what it asserts of any bytes, and its first inputs.

mod api;
mod ask;
mod chain;
mod consensus;
mod genesis;
mod invite;
mod jobfile;
mod journal;
mod keys;
mod knock;
mod ledger;
mod mix;
mod mix_signed;
mod plan;
mod proof;
mod query;
mod receipt;
mod restore;
mod secrets;
mod service;
mod servicefile;
mod signed;
mod transaction;
mod transfer;
mod volumes;
mod work;

use crate::Seeds;

/// Something that reads bytes from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its file too.
    pub name: &'static str,
    /// What it reads.
    pub reads: &'static str,
    /// Where that comes from.
    pub family: Family,
    /// Panics if something does not hold that must hold of any bytes.
    pub check: fn(&[u8]),
    /// First inputs.
    pub seeds: fn() -> Seeds,
    /// How many times as long it takes as a plain decoder, about: it is tried so many times less often in tests.
    pub slowness: usize,
}

/// Where bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Other nodes.
    Wire,
    /// Other nodes, about the ledger.
    Ledger,
    /// People.
    People,
    /// Disks.
    Disk,
}

/// All of them, by family.
pub const TARGETS: &[Target] = &[
    Target {
        name: "knock",
        reads: "knocks and their answers, with the chains and invites in them",
        family: Family::Wire,
        check: knock::check,
        seeds: knock::seeds,
        slowness: 1,
    },
    Target {
        name: "query",
        reads: "queries and offers",
        family: Family::Wire,
        check: query::check,
        seeds: query::seeds,
        slowness: 1,
    },
    Target {
        name: "work",
        reads: "both directions of a work stream",
        family: Family::Wire,
        check: work::check,
        seeds: work::seeds,
        slowness: 1,
    },
    Target {
        name: "transfer",
        reads: "fetches, and plans made of what a sender announces",
        family: Family::Wire,
        check: transfer::check,
        seeds: transfer::seeds,
        slowness: 1,
    },
    Target {
        name: "plan",
        reads: "content through sender and receiver, whole and with a byte changed",
        family: Family::Wire,
        check: plan::check,
        seeds: plan::seeds,
        slowness: 40,
    },
    Target {
        name: "service",
        reads: "questions and answers about services, adverts, placements",
        family: Family::Wire,
        check: service::check,
        seeds: service::seeds,
        slowness: 2,
    },
    Target {
        name: "signed",
        reads: "whatever nodes sign, inside its signature",
        family: Family::Wire,
        check: signed::check,
        seeds: signed::seeds,
        slowness: 2,
    },
    Target {
        name: "secrets",
        reads: "secrets of services, sealed for this node",
        family: Family::Wire,
        check: secrets::check,
        seeds: secrets::seeds,
        slowness: 10,
    },
    Target {
        name: "volumes",
        reads: "archives of volumes, unpacked and packed again",
        family: Family::Wire,
        check: volumes::check,
        seeds: volumes::seeds,
        slowness: 20,
    },
    Target {
        name: "ask",
        reads: "what nodes ask each other about the ledger",
        family: Family::Ledger,
        check: ask::check,
        seeds: ask::seeds,
        slowness: 4,
    },
    Target {
        name: "consensus",
        reads: "blocks, certificates and evidence as the engine has them",
        family: Family::Ledger,
        check: consensus::check,
        seeds: consensus::seeds,
        slowness: 4,
    },
    Target {
        name: "chain",
        reads: "sealed blocks, and proofs for whoever trusts the genesis alone",
        family: Family::Ledger,
        check: chain::check,
        seeds: chain::seeds,
        slowness: 4,
    },
    Target {
        name: "transaction",
        reads: "transactions with their signatures",
        family: Family::Ledger,
        check: transaction::check,
        seeds: transaction::seeds,
        slowness: 20,
    },
    Target {
        name: "ledger",
        reads: "transactions without, blocks, and entries of snapshots",
        family: Family::Ledger,
        check: ledger::check,
        seeds: ledger::seeds,
        slowness: 4,
    },
    Target {
        name: "genesis",
        reads: "what a sky begins with",
        family: Family::Ledger,
        check: genesis::check,
        seeds: genesis::seeds,
        slowness: 10,
    },
    Target {
        name: "restore",
        reads: "manifests and chunks of snapshots",
        family: Family::Ledger,
        check: restore::check,
        seeds: restore::seeds,
        slowness: 4,
    },
    Target {
        name: "proof",
        reads: "proofs of entries, withdrawal claims, addresses, signatures",
        family: Family::Ledger,
        check: proof::check,
        seeds: proof::seeds,
        slowness: 2,
    },
    Target {
        name: "mix",
        reads: "the ledger's rules: any transactions as if their signatures were right",
        family: Family::Ledger,
        check: mix::check,
        seeds: mix::seeds,
        slowness: 40,
    },
    Target {
        name: "mix_signed",
        reads: "the same with signatures made and checked",
        family: Family::Ledger,
        check: mix_signed::check,
        seeds: mix_signed::seeds,
        slowness: 100,
    },
    Target {
        name: "invite",
        reads: "invite tokens, ids, hashes, sizes",
        family: Family::People,
        check: invite::check,
        seeds: invite::seeds,
        slowness: 2,
    },
    Target {
        name: "receipt",
        reads: "receipts that a stranger shows, jobs as clients submit them",
        family: Family::People,
        check: receipt::check,
        seeds: receipt::seeds,
        slowness: 2,
    },
    Target {
        name: "api",
        reads: "bodies of the API: jobs, services, receipts",
        family: Family::People,
        check: api::check,
        seeds: api::seeds,
        slowness: 4,
    },
    Target {
        name: "jobfile",
        reads: "job files in TOML, YAML and JSON",
        family: Family::People,
        check: jobfile::check,
        seeds: jobfile::seeds,
        slowness: 10,
    },
    Target {
        name: "servicefile",
        reads: "service files, Compose files, SDL, Bacalhau jobs",
        family: Family::People,
        check: servicefile::check,
        seeds: servicefile::seeds,
        slowness: 40,
    },
    Target {
        name: "keys",
        reads: "key files and backups of keys",
        family: Family::Disk,
        check: keys::check,
        seeds: keys::seeds,
        slowness: 4,
    },
    Target {
        name: "journal",
        reads: "every kind of row, of this format and of older ones",
        family: Family::Disk,
        check: journal::check,
        seeds: journal::seeds,
        slowness: 2,
    },
];

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
