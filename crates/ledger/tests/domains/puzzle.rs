//! The price of an identity.

use crate::common::{account, fingerprint};
use opensky_ledger::puzzle::{Difficulty, LINK_BITS, LINKS_MAX, Puzzle, PuzzleError, Solution};
use opensky_types::{AccountId, Hash, codec};

/// As the real ones, but solved in a moment.
const EASY: Difficulty = Difficulty { bits: 8, links: 16 };

fn puzzle(sky: u8, account: AccountId, parts: [u8; 5]) -> Puzzle {
    Puzzle::new(&Hash::of(&[sky]), &account, &fingerprint(parts), EASY)
}

fn solve(puzzle: &Puzzle) -> Vec<u64> {
    let links = 0..puzzle.difficulty().links;
    links.map(|link| puzzle.solve(link, 0..1_000_000).expect("256 tries on average")).collect()
}

fn solution(nonces: &[u64]) -> Solution {
    Solution::new(nonces.to_vec()).expect("few enough")
}

#[test]
fn difficulty_grows_with_the_sky_as_the_spec_says() {
    let seconds = |machines, is_virtual| {
        let (one, first) =
            (Difficulty::after(LINK_BITS, machines, is_virtual), Difficulty::after(LINK_BITS, 0, false));
        30 * one.hashes() / first.hashes()
    };
    let real = [0, 99, 100, 999, 1_000, 9_999, 10_000, u64::MAX].map(|machines| seconds(machines, false));
    assert_eq!(real, [30, 30, 60, 60, 120, 120, 180, 180]);
    let virtual_ones = [0, 99, 100, 999, 1_000, 9_999, 10_000].map(|machines| seconds(machines, true));
    assert_eq!(virtual_ones, [60, 60, 120, 120, 180, 180, 240], "one step harder");
    assert!(Difficulty::after(LINK_BITS, u64::MAX, true).links <= LINKS_MAX);
}

#[test]
fn a_solution_is_verified_and_solving_can_go_in_ranges() {
    let puzzle = puzzle(1, account(1), [1, 2, 3, 4, 5]);
    let nonces = solve(&puzzle);
    assert_eq!(puzzle.verify(&solution(&nonces)), Ok(()));
    for (link, nonce) in (0..).zip(&nonces) {
        assert_eq!(puzzle.solve(link, 0..*nonce), None, "the first that solves it");
        assert_eq!(puzzle.solve(link, *nonce..nonce + 1), Some(*nonce));
    }
    assert_eq!(puzzle.solve(0, 0..0), None);
}

#[test]
fn a_solution_serves_no_other_account_machine_or_sky() {
    let own = [1, 2, 3, 4, 5];
    let nonces = solution(&solve(&puzzle(1, account(1), own)));
    let others =
        [puzzle(1, account(2), own), puzzle(1, account(1), [1, 2, 3, 4, 6]), puzzle(2, account(1), own)];
    for other in others {
        assert!(matches!(other.verify(&nonces), Err(PuzzleError::Unsolved { .. })));
    }
}

#[test]
fn one_good_nonce_does_not_serve_all_links() {
    let puzzle = puzzle(1, account(1), [1, 2, 3, 4, 5]);
    let first = solve(&puzzle)[0];
    let refused = puzzle.verify(&solution(&[first; 16]));
    assert!(matches!(refused, Err(PuzzleError::Unsolved { link: 1.., .. })), "{refused:?}");
}

#[test]
fn too_few_links_too_many_and_hostile_counts_are_refused() {
    let puzzle = puzzle(1, account(1), [1, 2, 3, 4, 5]);
    let nonces = solve(&puzzle);
    let few = PuzzleError::Links { found: 15, wanted: 16 };
    assert_eq!(puzzle.verify(&solution(&nonces[..15])), Err(few));
    assert!(puzzle.verify(&solution(&[nonces.as_slice(), &[0]].concat())).is_err());
    assert_eq!(Solution::new(vec![0; usize::from(LINKS_MAX) + 1]), None);
    assert!(codec::decode::<Solution>(&u32::MAX.to_le_bytes(), 4).is_err());
    let whole = codec::encode(&solution(&nonces));
    assert_eq!(codec::decode::<Solution>(&whole, 4096), Ok(solution(&nonces)));
    assert!(codec::decode::<Solution>(&whole[..whole.len() - 1], 4096).is_err());
}

#[test]
fn a_puzzle_that_is_switched_off_asks_for_nothing() {
    let off = Puzzle::new(&Hash::of(&[1]), &account(1), &fingerprint([1, 2, 3, 4, 5]), Difficulty::OFF);
    assert_eq!(off.verify(&Solution::default()), Ok(()));
    assert!(off.verify(&solution(&[0])).is_err(), "and takes no ballast");
    assert_eq!(Difficulty::OFF.hashes(), 0);
    assert_eq!(Difficulty::after(0, 5_000, true), Difficulty::OFF);
}
