//! Blocks: what a validator refuses, blocks on blocks that are not final, and rivals.

use crate::common::{STEP_MS, Sky, account, micros, sky_id, transfer};
use opensky_ledger::{
    action::Action,
    block::{Block, BlockError},
    genesis::GenesisError,
    key::Key,
    ledger::{Ledger, Proposal},
    params::Params,
    rejection::Rejection,
    state::State,
    transaction::{Checked, SignedTransaction},
};
use opensky_types::{Hash, codec};

fn check(transaction: SignedTransaction) -> Checked {
    transaction.check().expect("the signatures are right")
}

/// A block of two transfers by the ledger of a sky that has not seen it.
fn two_transfers() -> (Sky, Block) {
    let mut sky = Sky::new();
    let transactions = [1, 2].map(|number| check(sky.signed(number, transfer(3, 10))));
    let (head, time) = (sky.ledger.head().id(), sky.now().plus_ms(STEP_MS));
    let made = sky.ledger.propose(&head, time, transactions.to_vec(), 1 << 20);
    let Proposal { block, rejected } = made.expect("a block can be made");
    assert!(rejected.is_empty());
    (sky, block)
}

fn resealed(mut block: Block) -> Block {
    let leaves: Vec<Hash> = block.transactions.iter().map(SignedTransaction::leaf).collect();
    block.header.transactions = opensky_types::merkle::Tree::new(&leaves).root();
    block.header.count = u32::try_from(leaves.len()).expect("few");
    block
}

#[test]
fn l2_a_block_that_says_something_false_is_refused() {
    let (sky, good) = two_transfers();
    let verify = |change: &dyn Fn(&mut Block)| {
        let (mut block, mut witness) = (good.clone(), sky.witness.clone());
        change(&mut block);
        let root = witness.state().root();
        let verdict = witness.verify(block);
        assert_eq!(witness.state().root(), root, "a block that is not final changes nothing");
        witness.verify(good.clone()).expect("the good block is still valid");
        verdict
    };
    let zero = Hash::from_bytes([0; 32]);
    let parent = good.header.parent;
    let found = verify(&|block| block.header.state = zero);
    assert_eq!(found, Err(BlockError::Root { part: "state", expected: good.header.state, found: zero }));
    let found = verify(&|block| block.header.transactions = zero);
    let expected = good.header.transactions;
    assert_eq!(found, Err(BlockError::Root { part: "transactions", expected, found: zero }));
    let found = verify(&|block| block.header.count = 3);
    assert_eq!(found, Err(BlockError::Count { expected: 2, found: 3 }));
    let found = verify(&|block| block.header.sky = zero);
    assert_eq!(found, Err(BlockError::OtherSky { expected: sky_id(), found: zero }));
    let found = verify(&|block| block.header.rules = 9);
    assert_eq!(found, Err(BlockError::OtherRules { expected: 1, found: 9 }));
    let found = verify(&|block| block.header.height = 2);
    assert_eq!(found, Err(BlockError::Height { parent: 0, found: 2 }));
    let time = sky.now();
    let found = verify(&|block| block.header.time = time);
    assert_eq!(found, Err(BlockError::Time { parent: time, found: time }));
    let found = verify(&|block| block.header.parent = zero);
    assert_eq!(found, Err(BlockError::UnknownParent { parent: zero }));
    let found = verify(&|block| {
        block.transactions.pop();
        *block = resealed(block.clone());
    });
    assert!(matches!(found, Err(BlockError::Root { part: "state", .. })), "{found:?}");
    assert_ne!(parent, zero);
}

#[test]
fn l4_a_block_that_holds_a_transaction_twice_is_refused() {
    let (mut sky, mut block) = two_transfers();
    block.transactions.push(block.transactions[0].clone());
    let source = Rejection::Nonce { expected: 1, found: 0 };
    assert_eq!(sky.witness.verify(resealed(block)), Err(BlockError::Rejected { index: 2, source }));
}

#[test]
fn bytes_of_a_block_are_read_strictly() {
    let (_, block) = two_transfers();
    let bytes = block.encode();
    assert_eq!(Block::decode(&bytes), Ok(block));
    for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert!(Block::decode(&bytes[..cut]).is_err());
    }
    assert!(Block::decode(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn blocks_stand_on_blocks_that_are_not_final_and_rivals_are_forgotten() {
    let mut sky = Sky::new();
    let genesis = sky.ledger.head().id();
    let chain = |ledger: &mut Ledger, parent: &Hash, transaction: SignedTransaction| {
        let time = ledger.header(parent).expect("it is known").time.plus_ms(STEP_MS);
        let made = ledger.propose(parent, time, vec![check(transaction)], 1 << 20).expect("a block");
        assert!(made.rejected.is_empty(), "{:?}", made.rejected);
        made.block.id()
    };
    let first = sky.signed(1, transfer(2, 10));
    let rival = sky.signed(1, transfer(3, 20));
    let next = {
        let mut next = sky.transaction(account(1), transfer(2, 5));
        next.nonce = 1;
        next.signed(vec![crate::common::approve(&next, &crate::common::key(1))])
    };
    let one = chain(&mut sky.ledger, &genesis, first);
    let other = chain(&mut sky.ledger, &genesis, rival);
    let two = chain(&mut sky.ledger, &one, next.clone());
    let above_rival = chain(&mut sky.ledger, &other, next);
    assert_eq!(sky.balance(1), 1_000_000, "nothing is final yet");
    sky.ledger.finalize(&two).expect("it is known");
    assert_eq!(sky.balance(1), 999_985);
    sky.ledger.state().check().expect("it holds together");
    for gone in [one, other, above_rival] {
        assert!(sky.ledger.header(&gone).is_none());
        assert_eq!(sky.ledger.finalize(&gone), Err(BlockError::Unknown { id: gone }));
    }
}

#[test]
fn a_proposal_leaves_out_what_does_not_apply_and_what_does_not_fit() {
    let mut sky = Sky::with(Params { transactions_max: 2, ..Params::default() });
    let bad = check(sky.signed(60, transfer(3, 10)));
    let good: Vec<Checked> = (1..=3).map(|number| check(sky.signed(number, transfer(4, 10)))).collect();
    let size_bytes = good[0].signed.size_bytes();
    let all: Vec<Checked> = [bad.clone()].into_iter().chain(good).collect();
    let (head, time) = (sky.ledger.head().id(), sky.now().plus_ms(STEP_MS));
    for (limit_bytes, count) in [(1 << 20, 2), (size_bytes, 1), (size_bytes - 1, 0)] {
        let made = sky.ledger.propose(&head, time, all.clone(), limit_bytes).expect("a block");
        assert_eq!(made.block.transactions.len(), count);
        let reason = Rejection::NoAccount { account: account(60) };
        let rejected = if limit_bytes < size_bytes { Vec::new() } else { vec![(bad.id, reason)] };
        assert_eq!(made.rejected, rejected);
    }
    let three = (1..=3).map(|number| check(sky.signed(number, transfer(4, 10)))).collect::<Vec<_>>();
    let mut header = sky.ledger.head().clone();
    (header.height, header.parent, header.time) = (1, head, time);
    let found = sky.ledger.execute(header, &three);
    assert_eq!(found, Err(BlockError::TooMany { count: 3, limit: 2 }));
}

#[test]
fn balances_are_proven_to_whoever_has_the_header() {
    let mut sky = Sky::new();
    sky.act(1, transfer(2, 10)).expect("it applies");
    let proof = sky.ledger.state().prove(&Key::Account(account(1)));
    let proof = opensky_ledger::proof::StateProof::decode(&codec::encode(&proof)).expect("a proof");
    proof.verify(&sky.ledger.head().state).expect("the proof holds");
    let entry: opensky_ledger::entry::Entry =
        codec::decode(&proof.entry.expect("there is one"), 1_000).expect("an entry");
    assert_eq!(entry.held(), 999_990);
    let none = sky.ledger.state().prove(&Key::Account(account(77)));
    none.verify(&sky.ledger.head().state).expect("absence is proven");
    assert_eq!(none.entry, None);
}

#[test]
fn a_ledger_goes_on_from_its_entries() {
    let mut sky = Sky::new();
    sky.act(1, transfer(2, 10)).expect("it applies");
    let entries = sky.ledger.state().entries().map(|(key, entry)| (key, entry.clone())).collect();
    let state = State::new(entries).expect("the state holds together");
    let resumed = Ledger::resume(state.clone(), sky.ledger.head().clone()).expect("root and header agree");
    (sky.ledger, sky.witness) = (resumed.clone(), resumed);
    sky.act(1, transfer(2, 10)).expect("it applies");
    let error = Ledger::resume(state, sky.ledger.head().clone());
    assert!(error.is_err(), "the state is of another block");
}

#[test]
fn a_state_counts_its_entries() {
    let empty = State::new(std::collections::BTreeMap::new()).expect("nothing is conserved");
    assert_eq!((empty.len(), empty.is_empty()), (0, true));
    let mut sky = Sky::new();
    let before = sky.ledger.state().len();
    assert_eq!((before, sky.ledger.state().is_empty()), (sky.ledger.state().entries().count(), false));
    sky.act(1, transfer(50, 1_000)).expect("it applies");
    assert_eq!(sky.ledger.state().len(), before + 1, "a new account");
}

#[test]
fn a_genesis_that_makes_no_sense_is_refused() {
    let good = crate::common::genesis(Params::default());
    let mut twice = good.clone();
    twice.balances.push(twice.balances[0]);
    assert_eq!(Ledger::new(&twice).err(), Some(GenesisError::Order { list: "balances" }));
    let mut nobody = good.clone();
    nobody.validators.clear();
    assert_eq!(Ledger::new(&nobody).err(), Some(GenesisError::NoValidators));
    let mut priced = good.clone();
    priced.params.economy = false;
    assert_eq!(Ledger::new(&priced).err(), Some(GenesisError::MoneyWithoutEconomy));
    let mut still = good;
    still.params.due_max = 0;
    assert_eq!(Ledger::new(&still).err(), Some(GenesisError::Zero { parameter: "due_max" }));
    assert_eq!(micros(0), opensky_types::Micros::ZERO);
}

#[test]
fn l6_a_block_has_a_bounded_number_of_signatures() {
    let mut sky = Sky::with(Params { signatures_max: 3, ..Params::default() });
    let good: Vec<Checked> = (1..=4).map(|number| check(sky.signed(number, transfer(6, 10)))).collect();
    let (head, time) = (sky.ledger.head().id(), sky.now().plus_ms(STEP_MS));
    let made = sky.ledger.propose(&head, time, good.clone(), 1 << 20).expect("a block");
    assert_eq!((made.block.transactions.len(), made.rejected), (3, Vec::new()), "the last may come later");
    let mut header = sky.ledger.head().clone();
    (header.height, header.parent, header.time) = (1, head, time);
    let many = Err(BlockError::TooManySignatures { count: 4, limit: 3 });
    assert_eq!(sky.ledger.execute(header.clone(), &good), many);
    // They are counted before any of them is checked.
    let forged = good.iter().map(|one| {
        let approval = crate::common::approve(&one.transaction, &crate::common::key(99));
        one.transaction.signed(vec![approval])
    });
    let block = resealed(Block { header, transactions: forged.collect() });
    assert_eq!(sky.witness.verify(block), many);
    let keys = (20..23).map(crate::common::public).collect::<std::collections::BTreeSet<_>>();
    let keys = opensky_ledger::account::KeySet { keys: keys.into_iter().collect(), threshold: 1 };
    let rotation = sky.act_by(account(1), &[1, 20, 21, 22], Action::RotateKeys { keys });
    assert_eq!(rotation, Err(Rejection::TooManySignatures { count: 4, limit: 3 }), "no block has room");
}

#[test]
fn l6_signatures_of_vouchers_and_wallets_count_as_what_they_cost() {
    let mut sky = Sky::new();
    crate::escrow::open(&mut sky, 1, 10_000);
    let items = vec![crate::escrow::vouched(&sky, 1, 100, 1), crate::escrow::vouched(&sky, 1, 200, 1)];
    let claim = sky.signed(2, Action::Claim { items });
    assert_eq!(check(claim).signature_cost(), 3);
    let evm = crate::common::evm_key(9);
    let id =
        opensky_types::AccountId::of_key(&opensky_types::PublicKey::Secp256k1(*evm.address().as_bytes()));
    let by_wallet = sky.transaction(id, transfer(2, 5));
    let by_wallet = by_wallet.signed(vec![crate::common::approve_typed(&by_wallet, &evm)]);
    assert_eq!(check(by_wallet).signature_cost(), 5);
}
