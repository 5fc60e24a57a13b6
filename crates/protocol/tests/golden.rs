//! The wire format does not change by accident: every message's bytes stand in `tests/golden/`.
//!
//! A difference means that nodes of the last release would not understand this one: make a new
//! protocol version, or, before a release, write the files anew with `UPDATE_GOLDEN=1`.

#![expect(clippy::disallowed_methods, reason = "golden files are files")]

use opensky_protocol::{Message, frame::HEADER_BYTES, samples};
use std::{collections::BTreeMap, fmt::Debug, fs, path::Path};

fn assert_golden<M: Message + PartialEq + Debug>(file: &str, variants: u8, messages: samples::Named<M>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let lines: String = messages
        .iter()
        .map(|(name, message)| format!("{name} {}\n", hex::encode(message.to_frame())))
        .collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, lines).expect("the golden folder is writable");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden: BTreeMap<&str, &str> = golden.lines().filter_map(|line| line.split_once(' ')).collect();
    assert_eq!(golden.len(), messages.len(), "{file} has a line per sample");
    for (name, message) in &messages {
        let frame = hex::encode(message.to_frame());
        assert_eq!(golden.get(name).copied(), Some(frame.as_str()), "{file}: {name}");
        let body = hex::decode(golden[name]).expect("golden files are hex")[HEADER_BYTES..].to_vec();
        assert_eq!(M::from_body(&body).as_ref(), Ok(message), "{file}: {name} is read back");
    }
    for tag in 0..variants {
        let seen = messages.iter().any(|(_, message)| message.to_frame()[HEADER_BYTES] == tag);
        assert!(seen, "{file}: variant {tag} has no sample");
    }
    if variants > 0 {
        assert!(M::from_body(&[variants]).is_err(), "{file}: a new variant needs a sample and a count here");
    }
}

#[test]
fn knock() {
    assert_golden("knock.hex", 3, samples::knocks());
    assert_golden("knock_reply.hex", 3, samples::knock_replies());
}

#[test]
fn query() {
    assert_golden("query.hex", 2, samples::queries());
    assert_golden("query_reply.hex", 1, samples::query_replies());
}

#[test]
fn transfer() {
    assert_golden("fetch.hex", 0, samples::fetches());
    assert_golden("fetch_reply.hex", 2, samples::fetch_replies());
}

#[test]
fn work() {
    assert_golden("to_provider.hex", 9, samples::to_provider());
    assert_golden("to_consumer.hex", 8, samples::to_consumer());
}

#[test]
fn ledger() {
    assert_golden("ledger_ask.hex", 8, samples::asks());
    assert_golden("ledger_reply.hex", 7, samples::replies());
    assert_golden("ledger_checkpoint_word.hex", 0, samples::checkpoint_words());
    assert_golden("ledger_block_news.hex", 0, samples::block_news());
}

#[test]
fn service() {
    assert_golden("service_ask.hex", 8, samples::service_asks());
    assert_golden("service_reply.hex", 6, samples::service_replies());
    assert_golden("service_log_piece.hex", 0, samples::log_pieces());
}

#[test]
fn protocol_names() {
    let names: String = opensky_protocol::PROTOCOLS
        .iter()
        .chain(&[opensky_protocol::knock::PROTOCOL])
        .chain(&opensky_protocol::TOPICS)
        .map(|name| format!("{name}\n"))
        .collect();
    let expected = "/opensky/work/1\n/opensky/blob/1\n/opensky/query/1\n/opensky/ledger/1\n\
        /opensky/service/3\n/opensky/knock/1\n\
        offers/1\nblocks/1\ntransactions/1\ncheckpoints/1\nservices/1\n";
    assert_eq!(names, expected);
}
