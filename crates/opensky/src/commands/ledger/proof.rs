//! `opensky ledger prove` and `opensky ledger verify`
