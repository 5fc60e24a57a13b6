//! `opensky ledger export`
