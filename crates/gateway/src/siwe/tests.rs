use super::*;
use opensky_ledger::evm::{EvmSignature, personal_digest};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../vectors/siwe.json")).expect("JSON")
}

/// One that has everything.
fn whole() -> String {
    vectors()[1]["message"].as_str().expect("text").to_owned()
}

#[test]
fn w3_messages_of_another_implementation_are_read_and_their_signatures_hold() {
    for vector in vectors() {
        let text = |key: &str| vector[key].as_str().map(str::to_owned);
        let at = |key: &str| vector[key].as_u64().map(Timestamp::from_millis);
        let message = text("message").expect("a message");
        let resources: Vec<String> = vector["resources"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|uri| Some(uri.as_str()?.to_owned()))
            .collect();
        let expected = Message {
            scheme: text("scheme"),
            domain: text("domain").expect("a domain"),
            address: text("address").expect("an address").parse().expect("one"),
            statement: text("statement"),
            uri: text("uri").expect("a URI"),
            chain_id: vector["chain_id"].as_u64().expect("a number"),
            nonce: text("nonce").expect("a nonce"),
            issued_at: at("issued_at").expect("a time"),
            expires_at: at("expires_at"),
            not_before: at("not_before"),
            request_id: text("request_id"),
            resources,
        };
        assert_eq!(Message::parse(&message), Ok(expected.clone()), "{}", vector["name"]);
        let mut signature = [0; 65];
        hex::decode_to_slice(&text("signature").expect("one")[2..], &mut signature).expect("65 bytes");
        let signature = EvmSignature::from_bytes(signature);
        assert_eq!(signature.verify(&personal_digest(message.as_bytes()), &expected.address), Ok(()));
    }
}

#[test]
fn w3_malformed_messages_are_refused() {
    let whole = whole();
    let swapped = |one: &str, other: &str| {
        assert!(whole.contains(one), "{one}");
        whole.replacen(one, other, 1)
    };
    let address = "0x17c5185167401eD00cF5F5b2fc97D9BBfDb7D025";
    let line =
        |name: &str| whole.lines().find(|line| line.starts_with(name)).expect("a line").to_owned() + "\n";
    let malformed = [
        ("an empty text", String::new()),
        ("no domain", swapped("http://127.0.0.1:4720 wants", " wants")),
        ("a path for a domain", swapped("http://127.0.0.1:4720 wants", "evil.example/127.0.0.1:4720 wants")),
        ("a space in the domain", swapped("http://127.0.0.1:4720 wants", "evil 127.0.0.1:4720 wants")),
        ("a strange scheme", swapped("http://127", "1http://127")),
        ("other words", swapped("Ethereum account", "Ethereum  account")),
        ("an address in small letters", swapped(address, &address.to_lowercase())),
        ("a mistyped address", swapped("0x17c5", "0x17c6")),
        ("no address", swapped(address, "")),
        ("no empty line after the address", swapped(&format!("{address}\n\n"), &format!("{address}\n"))),
        ("an empty line too many", swapped(&format!("{address}\n\n"), &format!("{address}\n\n\n"))),
        ("two lines of statement", swapped("nothing (and", "nothing\n(and")),
        ("a strange letter in the statement", swapped("nothing (and", "nöthing (and")),
        ("no URI", swapped(&line("URI: "), "")),
        ("a URI without a scheme", swapped("URI: http://127.0.0.1:4720", "URI: 127.0.0.1/a")),
        ("no version", swapped(&line("Version: "), "")),
        ("another version", swapped("Version: 1", "Version: 2")),
        ("a number before the version", swapped("Version: 1", "Version: 01")),
        ("no chain", swapped(&line("Chain ID: "), "")),
        ("a chain in words", swapped("Chain ID: 1", "Chain ID: one")),
        ("a chain below zero", swapped("Chain ID: 1", "Chain ID: -1")),
        ("no nonce", swapped(&line("Nonce: "), "")),
        ("a short nonce", swapped("0123456789abcdef", "0123456")),
        ("a nonce with a sign", swapped("0123456789abcdef", "0123456789abcde!")),
        ("not issued", swapped(&line("Issued At: "), "")),
        ("issued in words", swapped("2026-02-28T23:59:59.999Z", "Sat Feb 28 2026")),
        ("a day that never was", swapped("2026-02-28T", "2026-02-29T")),
        ("expires in words", swapped("2028-02-29T12:00:00.000Z", "tomorrow")),
        ("an order of its own", swapped("Version: 1\nChain ID: 1", "Chain ID: 1\nVersion: 1")),
        ("a request id with a space", swapped("some-id_1", "some id")),
        ("a resource that is no URI", swapped("- https://example.com/a", "- example")),
        ("two resources in a line", swapped("\n- ipfs", " - ipfs")),
        ("something at the end", format!("{whole}\nAnd more: 1")),
        ("an empty line at the end", format!("{whole}\n")),
        ("lines that end as on Windows", whole.replace('\n', "\r\n")),
        ("a hidden character", swapped("nothing (and", "nothing\u{8}(and")),
        ("too much of it", swapped("nothing (and", &"x".repeat(MESSAGE_BYTES_MAX))),
    ];
    assert!(Message::parse(&whole).is_ok());
    for (what, text) in malformed {
        assert!(Message::parse(&text).is_err(), "{what}: {text}");
    }
}

#[test]
fn w3_messages_cut_anywhere_are_refused_or_say_less() {
    let whole = whole();
    let all = Message::parse(&whole).expect("whole");
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        if let Ok(less) = Message::parse(&whole[..end]) {
            assert_eq!((&less.domain, &less.nonce, less.chain_id), (&all.domain, &all.nonce, all.chain_id));
            assert_ne!(less, all);
        }
    }
}

#[test]
fn times_are_read_as_the_calendar_says() {
    for (text, millis) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("1970-01-01T00:00:00.5Z", Some(500)),
        ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
        ("2026-11-26T16:00:00.123456Z", Some(1_795_708_800_123)),
        ("2026-11-26T18:30:00+02:30", Some(1_795_708_800_000)),
        ("2026-11-26T15:00:00-01:00", Some(1_795_708_800_000)),
        ("2026-12-31T23:59:60Z", Some(1_798_761_599_000)),
        ("1969-12-31T23:59:59Z", None),
        ("1970-01-01T00:00:00+01:00", None),
        ("2100-02-29T00:00:00Z", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-00-01T00:00:00Z", None),
        ("2026-01-32T00:00:00Z", None),
        ("2026-01-01T24:00:00Z", None),
        ("2026-01-01T00:60:00Z", None),
        ("2026-01-01T00:00:00", None),
        ("2026-01-01T00:00:00.Z", None),
        ("2026-01-01T00:00:00z", None),
        ("2026-01-01 00:00:00Z", None),
        ("+026-01-01T00:00:00Z", None),
        ("2026-01-01T00:00:00+2:00", None),
        ("2026-01-01T00:00:00Zx", None),
        ("2026-01-01T00:00:0éZ", None),
    ] {
        assert_eq!(time(text).map(Timestamp::as_millis), millis, "{text}");
    }
    for millis in
        [0, 951_782_399_999, 951_782_400_000, 1_795_708_800_123, 4_107_542_399_999, 253_402_300_799_999]
    {
        let at = Timestamp::from_millis(millis);
        assert_eq!(time(&text_of(at)), Some(at), "{}", text_of(at));
    }
}
