//! Threats P3 and L6: no bytes of a peer make a decoder panic or allocate for a lie, and what it
//! accepts is exactly what it would itself have sent.

use opensky_protocol::{
    Message,
    frame::{HEADER_BYTES, read_frame_len},
    knock::{Knock, KnockReply},
    ledger::{Ask, BlockNews, CheckpointWord, Reply},
    query::{Query, QueryReply},
    samples,
    service::{LogPiece, PlacedReport, RENEWED_MAX, REPORTS_MAX, ServiceAsk, ServiceReply},
    transfer::{Fetch, FetchReply},
    work::{EngineUsed, ToConsumer, ToProvider},
};
use opensky_types::{
    Hash, Signed,
    codec::DecodeError,
    job::{CALL_BYTES_MAX, FAN_IN_MAX, INLINE_BYTES_MAX, ITEM_BYTES_MAX},
    samples as types,
    service::{LAST_WORDS_BYTES_MAX, PROBLEM_BYTES_MAX, ReplicaReport},
    task::{Content, OUTPUT_FILES_MAX, Outcome, TaskOutput, TaskReport},
};
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use std::fmt::Debug;

/// What is decoded must be encoded to the very same bytes.
fn assert_canonical<M: Message + Debug>(body: &[u8]) {
    if let Ok(message) = M::from_body(body) {
        assert_eq!(message.to_frame()[HEADER_BYTES..], *body, "two encodings of {message:?}");
    }
}

fn assert_all_canonical(body: &[u8]) {
    assert_canonical::<Knock>(body);
    assert_canonical::<KnockReply>(body);
    assert_canonical::<Query>(body);
    assert_canonical::<QueryReply>(body);
    assert_canonical::<Fetch>(body);
    assert_canonical::<FetchReply>(body);
    assert_canonical::<Ask>(body);
    assert_canonical::<Reply>(body);
    assert_canonical::<BlockNews>(body);
    assert_canonical::<CheckpointWord>(body);
    assert_canonical::<ToProvider>(body);
    assert_canonical::<ToConsumer>(body);
    assert_canonical::<ServiceAsk>(body);
    assert_canonical::<ServiceReply>(body);
    assert_canonical::<LogPiece>(body);
}

/// The bodies of all samples.
fn bodies() -> Vec<Vec<u8>> {
    fn of<M: Message>(messages: samples::Named<M>) -> impl Iterator<Item = Vec<u8>> {
        messages.into_iter().map(|(_, message)| message.to_frame()[HEADER_BYTES..].to_vec())
    }
    of(samples::knocks())
        .chain(of(samples::knock_replies()))
        .chain(of(samples::queries()))
        .chain(of(samples::query_replies()))
        .chain(of(samples::fetches()))
        .chain(of(samples::fetch_replies()))
        .chain(of(samples::asks()))
        .chain(of(samples::replies()))
        .chain(of(samples::block_news()))
        .chain(of(samples::checkpoint_words()))
        .chain(of(samples::to_provider()))
        .chain(of(samples::to_consumer()))
        .chain(of(samples::service_asks()))
        .chain(of(samples::service_replies()))
        .chain(of(samples::log_pieces()))
        .collect()
}

/// One way to spoil a message.
#[derive(Debug, Clone)]
enum Change {
    Flip(proptest::sample::Index, u8),
    Set(proptest::sample::Index, u8),
    /// Overwrites four bytes, as a length would be.
    Length(proptest::sample::Index, u32),
    Cut(proptest::sample::Index),
    Insert(proptest::sample::Index, Vec<u8>),
    Remove(proptest::sample::Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    let place = any::<proptest::sample::Index>;
    prop_oneof![
        (place(), 0..8u8).prop_map(|(place, bit)| Change::Flip(place, bit)),
        (place(), any::<u8>()).prop_map(|(place, byte)| Change::Set(place, byte)),
        (place(), prop_oneof![any::<u32>(), 0..64u32]).prop_map(|(place, len)| Change::Length(place, len)),
        place().prop_map(Change::Cut),
        (place(), proptest::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(place, bytes)| Change::Insert(place, bytes)),
        place().prop_map(Change::Remove),
    ]
}

fn apply(change: &Change, body: &mut Vec<u8>) {
    if body.is_empty() {
        return;
    }
    let size = body.len();
    match change {
        Change::Flip(place, bit) => body[place.index(size)] ^= 1 << bit,
        Change::Set(place, byte) => body[place.index(size)] = *byte,
        Change::Length(place, length) => {
            let at = place.index(size);
            let end = size.min(at + 4);
            body[at..end].copy_from_slice(&length.to_le_bytes()[..end - at]);
        }
        Change::Cut(place) => body.truncate(place.index(size)),
        Change::Insert(place, bytes) => {
            let at = place.index(size);
            body.splice(at..at, bytes.iter().copied());
        }
        Change::Remove(place) => drop(body.remove(place.index(size))),
    }
}

proptest! {
    #[test]
    fn p3_random_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        assert_all_canonical(&body);
    }

    #[test]
    fn p3_spoilt_messages_are_read_or_refused(
        message in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec(any_change(), 1..5),
    ) {
        let bodies = bodies();
        let mut body = bodies[message.index(bodies.len())].clone();
        changes.iter().for_each(|change| apply(change, &mut body));
        assert_all_canonical(&body);
    }
}

#[test]
fn p3_truncated_and_extended_messages_are_refused() {
    fn assert_whole<M: Message>(messages: samples::Named<M>) {
        for (name, message) in messages {
            let body = &message.to_frame()[HEADER_BYTES..];
            for length in 0..body.len() {
                assert!(M::from_body(&body[..length]).is_err(), "{name}, {length} bytes");
            }
            assert!(M::from_body(&[body, &[0]].concat()).is_err(), "{name} and a byte");
        }
    }
    assert_whole(samples::knocks());
    assert_whole(samples::knock_replies());
    assert_whole(samples::queries());
    assert_whole(samples::query_replies());
    assert_whole(samples::fetches());
    assert_whole(samples::fetch_replies());
    assert_whole(samples::to_provider());
    assert_whole(samples::to_consumer());
    assert_whole(samples::service_asks());
    assert_whole(samples::service_replies());
    assert_whole(samples::log_pieces());
}

#[test]
fn p3_an_oversized_frame_is_refused_by_its_header() {
    fn assert_capped<M: Message + Debug>() {
        let cap = M::SIZE_BYTES_MAX;
        assert_eq!(read_frame_len::<M>((cap as u32).to_le_bytes()), Ok(cap));
        for size_bytes in [cap + 1, u32::MAX as usize] {
            let expected = DecodeError::TooLarge { size_bytes, limit_bytes: cap };
            assert_eq!(read_frame_len::<M>((size_bytes as u32).to_le_bytes()), Err(expected));
        }
        let body = vec![0; cap + 1];
        assert!(matches!(M::from_body(&body), Err(DecodeError::TooLarge { .. })));
    }
    assert_capped::<Knock>();
    assert_capped::<KnockReply>();
    assert_capped::<Query>();
    assert_capped::<QueryReply>();
    assert_capped::<Fetch>();
    assert_capped::<FetchReply>();
    assert_capped::<ToProvider>();
    assert_capped::<ToConsumer>();
    assert_capped::<ServiceAsk>();
    assert_capped::<ServiceReply>();
    assert_capped::<LogPiece>();
}

/// What passes validation can also be sent: one task alone, one result alone.
#[test]
fn the_largest_task_and_result_fit_their_messages() {
    let text = |bytes: usize| "x".repeat(bytes);
    let inline = || Content::Inline(vec![0; INLINE_BYTES_MAX]);
    let agreement = types::agreement_id();
    let mut assignment = types::assignment(0);
    assignment.input.item = text(ITEM_BYTES_MAX);
    assignment.input.stdin = vec![inline(); FAN_IN_MAX as usize];
    let assign = ToProvider::Assign { agreement, tasks: vec![assignment] };
    assert!(ToProvider::from_body(&assign.to_frame()[HEADER_BYTES..]).is_ok());

    let mut terms = types::terms();
    terms.program.env = vec![(text(CALL_BYTES_MAX / 2), text(CALL_BYTES_MAX / 2))];
    assert!(Signed::sign(&terms, &types::consumer()).verify().is_ok());
    terms.program.env = vec![Default::default(); CALL_BYTES_MAX / 8];
    assert!(Signed::sign(&terms, &types::consumer()).verify().is_ok());

    let file = |index| (format!("{index:0>512}"), inline());
    let outcome = Outcome::Exited(TaskOutput {
        exit_code: 0,
        stdout: inline(),
        stderr: inline(),
        files: (0..OUTPUT_FILES_MAX).map(file).collect(),
    });
    assert_eq!(outcome.validate(), Ok(()));
    let (head, _) = types::receipts(1);
    let results = ToConsumer::Results {
        agreement,
        engine: EngineUsed { name: "sample".into(), config: Hash::of(b"") },
        reports: vec![TaskReport { outcome, ..types::report(0) }],
        head,
    };
    assert!(ToConsumer::from_body(&results.to_frame()[HEADER_BYTES..]).is_ok());
}

/// What a keeper orders, and what a host answers, fits the messages.
#[test]
fn c10_the_largest_placement_and_report_fit_their_messages() {
    let text = |bytes: usize| "x".repeat(bytes);
    let mut spec = types::service();
    spec.program.args = vec![text(CALL_BYTES_MAX / 2)];
    spec.program.env = vec![(text(16), text(CALL_BYTES_MAX / 2 - 64))];
    assert_eq!(spec.validate(), Ok(()));
    let mut declared = types::declared();
    (declared.spec, declared.fallback) = (Some(spec.clone()), Some(spec));
    let place =
        ServiceAsk::Place { declared, placement: types::signed_placement(), saved: Some(types::saved()) };
    assert!(ServiceAsk::from_body(&place.to_frame()[HEADER_BYTES..]).is_ok());

    let renewed = vec![types::signed_placement(); RENEWED_MAX];
    let report = ServiceAsk::Report {
        service: types::replica().service,
        renewed,
        held: vec![(0, types::saved().id); RENEWED_MAX],
    };
    assert!(ServiceAsk::from_body(&report.to_frame()[HEADER_BYTES..]).is_ok());

    let report = ReplicaReport {
        problem: text(PROBLEM_BYTES_MAX),
        last_words: text(LAST_WORDS_BYTES_MAX),
        ..types::replica_report()
    };
    let placed = PlacedReport { report, placement: types::signed_placement() };
    let reports = ServiceReply::Reports { reports: vec![placed; REPORTS_MAX] };
    assert!(ServiceReply::from_body(&reports.to_frame()[HEADER_BYTES..]).is_ok());
}

#[test]
fn l6_values_have_one_encoding() {
    // A flag is 0 or 1.
    let (_, follow) = samples::to_provider().into_iter().find(|(name, _)| *name == "follow").unwrap();
    let mut body = follow.to_frame()[HEADER_BYTES..].to_vec();
    let last = body.len() - 1;
    for flag in 0..=255u8 {
        body[last] = flag;
        assert_eq!(ToProvider::from_body(&body).is_ok(), flag < 2, "flag {flag}");
    }
    // Unknown words are refused: refusal 6 does not exist.
    for refusal in 0..=255u8 {
        assert_eq!(KnockReply::from_body(&[2, refusal]).is_ok(), refusal < 6, "refusal {refusal}");
    }
    // Text is UTF-8.
    let (_, results) = samples::to_consumer().into_iter().find(|(name, _)| *name == "results").unwrap();
    let body = results.to_frame()[HEADER_BYTES..].to_vec();
    let at = body.windows(6).position(|bytes| bytes == b"sample").expect("the engine's name");
    let mut spoilt = body.clone();
    spoilt[at] = 0xff;
    assert!(ToConsumer::from_body(&body).is_ok() && ToConsumer::from_body(&spoilt).is_err());
}
