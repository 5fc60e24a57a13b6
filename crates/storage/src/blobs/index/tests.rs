use super::*;
use opensky_types::JobId;
use proptest::prelude::*;

const CAP_BYTES: u64 = 1_000;

impl Index {
    /// What must hold after every step.
    fn check(&self) {
        let used: u64 = self.entries.values().map(|entry| entry.size_bytes).sum();
        assert_eq!(self.used_bytes, used);
        let loose: Vec<_> = self.entries.iter().filter(|(hash, _)| !self.holds.contains_key(*hash)).collect();
        assert_eq!(self.loose_bytes, loose.iter().map(|(_, entry)| entry.size_bytes).sum::<u64>());
        assert_eq!(self.loose, loose.iter().map(|(hash, entry)| (entry.used_at, **hash)).collect());
        let mut holds = HashMap::new();
        for hash in self.pins.values().flatten() {
            *holds.entry(*hash).or_insert(0) += 1;
        }
        assert_eq!(self.holds, holds);
    }
}

fn hash(number: u8) -> Hash {
    Hash::of(&[number])
}

fn pin(number: u8) -> Pin {
    if number == 0 { Pin::Upload } else { Pin::Job(JobId::from_bytes([number; 10])) }
}

#[derive(Debug, Clone)]
enum Step {
    Write { blob: u8, bytes: u64 },
    GiveUp { bytes: u64 },
    Use { blob: u8 },
    Damage { blob: u8 },
    Pin { pin: u8, blob: u8 },
    Unpin { pin: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..12u8, 0..400u64).prop_map(|(blob, bytes)| Step::Write { blob, bytes }),
        1 => (0..1_200u64).prop_map(|bytes| Step::GiveUp { bytes }),
        2 => (0..12u8).prop_map(|blob| Step::Use { blob }),
        1 => (0..12u8).prop_map(|blob| Step::Damage { blob }),
        2 => (0..3u8, 0..12u8).prop_map(|(pin, blob)| Step::Pin { pin, blob }),
        1 => (0..3u8).prop_map(|pin| Step::Unpin { pin }),
    ]
}

proptest! {
    #[test]
    fn the_cap_holds_and_pinned_blobs_stay(steps in proptest::collection::vec(step(), 0..200)) {
        let mut index = Index::new(CAP_BYTES);
        for step in steps {
            let held: Vec<Hash> =
                index.entries.keys().filter(|hash| index.holds.contains_key(*hash)).copied().collect();
            let mut lost = None;
            match step {
                Step::Write { blob, bytes } if !index.contains(&hash(blob)) => {
                    if index.reserve(bytes).is_ok() {
                        index.add_reserved(hash(blob), bytes, bytes);
                    }
                }
                Step::Write { .. } => {}
                Step::GiveUp { bytes } => {
                    if index.reserve(bytes).is_ok() {
                        index.release(bytes);
                    }
                }
                Step::Use { blob } => {
                    index.use_blob(&hash(blob), Instant::now(), Duration::ZERO);
                }
                Step::Damage { blob } => {
                    index.remove(&hash(blob));
                    lost = Some(hash(blob));
                }
                Step::Pin { pin: number, blob } => index.pin(pin(number), &[hash(blob)]),
                Step::Unpin { pin: number } => {
                    index.unpin(pin(number));
                    index.make_room();
                }
            }
            index.check();
            prop_assert!(index.usage().0 <= CAP_BYTES);
            for hash in held.iter().filter(|hash| lost != Some(**hash)) {
                prop_assert!(index.contains(hash), "a pinned blob was dropped");
            }
        }
    }
}

#[test]
fn a_use_is_written_to_disk_once_an_interval() {
    let mut index = Index::new(CAP_BYTES);
    index.add(hash(1), 10);
    let start = Instant::now();
    let minute = Duration::from_secs(60);
    let touched = |index: &mut Index, after| {
        index.use_blob(&hash(1), start + Duration::from_secs(after), minute).unwrap().touch
    };
    assert!(touched(&mut index, 0));
    assert!(!touched(&mut index, 59));
    assert!(touched(&mut index, 60));
}

#[test]
fn a_lower_cap_drops_what_is_loose() {
    let mut index = Index::new(CAP_BYTES);
    (0..4).for_each(|number| index.add(hash(number), 100));
    index.pin(Pin::Upload, &[hash(0)]);
    index.set_cap(150);
    assert_eq!(index.make_room(), [hash(1), hash(2), hash(3)]);
    index.set_cap(50);
    assert!(index.make_room().is_empty(), "what is pinned stays above the cap");
    assert_eq!(index.reserve(0), Err(Full { used_bytes: 100, cap_bytes: 50 }));
}
