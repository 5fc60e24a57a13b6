//! Ids, hashes, words and sizes: one spelling out, the same value in.

use opensky_types::{
    AgreementId, Hash, JobId, Keypair, NodeId, Signature, TaskId,
    place::{Level, NodeKind, Region},
    resources::{ByteSize, Limit},
    text::ParseError,
};
use proptest::prelude::{any, prop_assert_eq, proptest};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

fn assert_round_trip<T>(value: T)
where
    T: Display + FromStr<Err = ParseError> + PartialEq + Debug + Serialize + DeserializeOwned,
{
    let text = value.to_string();
    assert_eq!(text.parse::<T>().as_ref(), Ok(&value));
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
    // Also from a reader, where no text can be borrowed.
    assert_eq!(serde_json::from_reader::<_, T>(json.as_bytes()).unwrap(), value);
}

proptest! {
    #[test]
    fn ids_round_trip(bytes in any::<[u8; 32]>(), halves in any::<[[u8; 32]; 2]>(), job in any::<[u8; 10]>(),
                      stage in any::<u16>(), index in any::<u32>()) {
        assert_round_trip(Hash::from_bytes(bytes));
        assert_round_trip(AgreementId::from_hash(Hash::from_bytes(bytes)));
        assert_round_trip(NodeId::from_public_key(bytes));
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&halves[0]);
        signature[32..].copy_from_slice(&halves[1]);
        assert_round_trip(Signature::from_bytes(signature));
        assert_round_trip(JobId::from_bytes(job));
        assert_round_trip(TaskId { stage, index });
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        // What is read is written the same way again, but for upper case where that is allowed.
        fn canonical<T: FromStr + Display>(text: &str) -> bool {
            text.parse::<T>().is_err() || text.parse::<T>().is_ok_and(|v| v.to_string() == text.to_lowercase())
        }
        assert!(canonical::<Hash>(&text) && canonical::<JobId>(&text));
        let _ = (text.parse::<NodeId>(), text.parse::<Signature>(), text.parse::<ByteSize>());
        let _ = (text.parse::<Region>(), text.parse::<TaskId>());
    }

    #[test]
    fn sizes_round_trip(bytes in any::<u64>(), shift in 0..64u32) {
        let plain = format!("{bytes}").parse::<ByteSize>();
        prop_assert_eq!(plain, Ok(ByteSize::new(bytes)));
        // Whole units are shown exactly.
        let whole = ByteSize::new((bytes >> shift) >> 40 << 40 | 1 << 40);
        prop_assert_eq!(whole.to_string().parse::<ByteSize>(), Ok(whole));
    }
}

#[test]
fn words_round_trip() {
    Region::ALL.iter().copied().for_each(assert_round_trip);
    NodeKind::ALL.iter().copied().for_each(assert_round_trip);
    Level::ALL.iter().copied().for_each(assert_round_trip);
    Limit::ALL.iter().copied().for_each(assert_round_trip);
    assert!("Europe".parse::<Region>().is_err(), "one spelling each");
    let error = "atlantis".parse::<Region>().expect_err("no such region").to_string();
    assert!(error.contains("'atlantis'") && error.contains("north-america"), "{error}");
}

#[test]
fn sizes_read_as_people_write_them() {
    let cases = [
        ("0", 0),
        ("512", 512),
        ("1B", 1),
        ("64MiB", 64 << 20),
        ("64 MiB", 64 << 20),
        ("2GB", 2_000_000_000),
        ("10kB", 10_000),
        ("4K", 4096),
        ("1T", 1 << 40),
        ("16777215TiB", 16_777_215 << 40),
        ("18446744073709551615", u64::MAX),
    ];
    for (text, bytes) in cases {
        assert_eq!(text.parse(), Ok(ByteSize::new(bytes)), "{text}");
    }
    let wrong =
        ["", "MiB", "-1", "1.5GiB", "1 mib", "1e9", "16777216TiB", "18446744073709551616", "1 B B", "٣"];
    for text in wrong {
        assert!(text.parse::<ByteSize>().is_err(), "{text}");
    }
}

#[test]
fn sizes_are_shown_in_the_largest_unit() {
    let cases = [
        (0, "0 B"),
        (1_023, "1023 B"),
        (1_024, "1 KiB"),
        (1_536, "1.5 KiB"),
        (64 << 20, "64 MiB"),
        (u64::MAX, "16777216.0 TiB"),
    ];
    for (bytes, text) in cases {
        assert_eq!(ByteSize::new(bytes).to_string(), text);
    }
    assert_eq!(format!("{:>8}", ByteSize::new(5)), "     5 B", "padding works in tables");
}

#[test]
fn what_is_no_id_is_refused() {
    let hash = "0".repeat(64);
    for wrong in ["", "0", &hash[1..], &format!("{hash}0"), &format!("{}g", &hash[1..]), &format!(" {hash}")]
    {
        assert!(wrong.parse::<Hash>().is_err(), "{wrong}");
        assert!(wrong.parse::<AgreementId>().is_err(), "{wrong}");
        assert!(wrong.parse::<Signature>().is_err(), "{wrong}");
    }
    for wrong in [
        "",
        "0",
        "000000000000000i",
        "000000000000000l",
        "000000000000000o",
        "000000000000000u",
        "00000000000000000",
        "00000000000000é",
        "0000-0000-0000-00",
    ] {
        assert!(wrong.parse::<JobId>().is_err(), "{wrong}");
    }
    for wrong in ["", "1", ".", "1.", ".1", "1.2.3", "65536.0", "0.4294967296", "-1.0", " 0.0", "0.0 "] {
        assert!(wrong.parse::<TaskId>().is_err(), "{wrong}");
    }
    assert_eq!("0000000000000000".parse(), Ok(JobId::from_bytes([0; 10])));
    assert_eq!("ZZZZZZZZZZZZZZZZ".parse(), Ok(JobId::from_bytes([255; 10])), "upper case is read too");
}

#[test]
fn one_spelling_of_numbers_in_task_ids() {
    for wrong in ["+1.0", "0.+1", "00.1", "0.01"] {
        assert!(wrong.parse::<TaskId>().is_err(), "{wrong}");
    }
}

/// RFC 8032, section 7.1, test 1, and the key of libp2p's peer id specification. The texts were
/// computed from that specification with another base58 implementation.
#[test]
fn a_node_id_is_the_libp2p_peer_id() {
    let mut seed = [0; 32];
    hex::decode_to_slice("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", &mut seed)
        .unwrap();
    let cases = [
        (*Keypair::from_seed(seed).id().public_key(), "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV"),
        (
            {
                let mut key = [0; 32];
                hex::decode_to_slice(
                    "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e",
                    &mut key,
                )
                .unwrap();
                key
            },
            "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
        ),
    ];
    assert_eq!(hex::encode(cases[0].0), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    for (key, text) in cases {
        let node = NodeId::from_public_key(key);
        assert_eq!(node.to_string(), text);
        assert_eq!(text.parse(), Ok(node));
        assert_eq!(node.short(), text[text.len() - 8..]);
        assert_eq!(node.to_peer_id_bytes().len(), 38);
    }
}

#[test]
fn what_is_no_node_id_is_refused() {
    let node = NodeId::from_public_key([5; 32]).to_string();
    // The second is a peer id of an RSA key.
    for wrong in [
        "",
        "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
        &node[1..],
        &format!("{node}1"),
        &node.to_lowercase(),
        &"1".repeat(100_000),
    ] {
        let error = wrong.parse::<NodeId>().expect_err("it is no node id");
        assert!(error.text.chars().count() <= 80);
    }
}

#[test]
fn a_hash_is_the_same_in_one_piece_and_as_it_comes() {
    let bytes = vec![7; 300_000];
    assert_eq!(Hash::of_reader(bytes.as_slice()).unwrap(), (Hash::of(&bytes), 300_000));
    assert_eq!(Hash::of_reader(std::io::empty()).unwrap(), (Hash::of(b""), 0));
}
