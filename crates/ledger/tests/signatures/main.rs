//! Signatures that others made to find faults, through the ledger's own check ([`Approval::verify`]).
//!
//! Each vector becomes the bytes of an approval, so what can't be written as one is refused where a
//! transaction would be. Where the ledger's rule differs from a vector's verdict, the test names the
//! rule and the exact vectors; none is left out.
//!
//! [`Approval::verify`]: opensky_ledger::approval::Approval::verify

mod common;
mod ed25519;
mod secp256k1;
mod sr25519;
