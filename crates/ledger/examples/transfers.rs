//! What the rules cost without signatures: transfers between accounts drawn from all.
//!
//! `cargo run --release -p opensky-ledger --example transfers [ACCOUNTS]`

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and its arguments")]

use opensky_ledger::{
    action::Action,
    apply::{Context, RULES, apply},
    approval::Approval,
    genesis::Genesis,
    ledger::Ledger,
    memo::Memo,
    params::Params,
    purse::Purse,
    transaction::{Checked, SignedTransaction, Transaction},
};
use opensky_types::{AccountId, Hash, Keypair, Micros, PublicKey, Signature, Timestamp};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const BLOCK: usize = 10_000;
const ROUNDS: u64 = 21;
const SIGNED: usize = 4_000;

fn main() {
    let accounts =
        std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number of accounts"));
    let keys: Vec<PublicKey> = (0..accounts).map(key).collect();
    let ids: Vec<AccountId> = keys.iter().map(AccountId::of_key).collect();
    let genesis = genesis(&ids);
    let mut ledger = None;
    let built = time(|| ledger = Ledger::new(&genesis).ok());
    let mut ledger = ledger.expect("the genesis is sound");
    println!("{accounts} accounts in {} ms; blocks of {BLOCK} transfers", built.as_millis());

    let mut nonces = vec![0; ids.len()];
    let [mut rules, mut proposed, mut verified, mut finalized] = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        let transactions = block(&genesis, &keys, &ids, &mut nonces, round);
        let (head, below) = (ledger.head().id(), ledger.head().time);
        let now = below.plus_ms(1_000);
        let (sky, params) = (genesis.sky, genesis.params);
        let context = Context { sky, height: round + 1, now, rules: RULES, params };
        let mut view = ledger.view(&head).expect("the head is known");
        rules.push(time(|| {
            for transaction in &transactions {
                apply(&mut view, &context, transaction).expect("it applies");
            }
        }));
        drop(view);
        let mut witness = None;
        let mut made = None;
        let candidates = transactions.clone();
        proposed.push(time(|| made = ledger.propose(&head, now, candidates, 1 << 30).ok()));
        let made = made.expect("a block can be made");
        assert_eq!(made.block.transactions.len(), BLOCK, "{:?}", made.rejected.first());
        verified.push(time(|| witness = ledger.execute(made.block.header.clone(), &transactions).ok()));
        let id = witness.expect("it is valid");
        finalized.push(time(|| _ = black_box(ledger.finalize(&id).expect("it is known"))));
    }
    report("rules alone", &mut rules);
    report("rules and root of a block of our own, with the root over its transactions", &mut proposed);
    report("rules and root of a block that is verified", &mut verified);
    report("a block made final", &mut finalized);
    measure_signatures(&genesis);
}

/// A key of an account that no one signs for.
fn key(number: u64) -> PublicKey {
    PublicKey::Ed25519(*Hash::of(&number.to_le_bytes()).as_bytes())
}

fn genesis(ids: &[AccountId]) -> Genesis {
    let mut balances: Vec<_> = ids.iter().map(|id| (*id, Purse::free(Micros::new(1 << 40)))).collect();
    balances.sort_unstable_by_key(|(id, _)| *id);
    Genesis {
        sky: Hash::of(b"a sky"),
        time: Timestamp::from_millis(1_800_000_000_000),
        params: Params { signatures_max: u32::MAX, ..Params::default() },
        balances,
        treasury: Purse::default(),
        validators: vec![Keypair::from_seed([1; 32]).id()],
    }
}

fn block(
    genesis: &Genesis,
    keys: &[PublicKey],
    ids: &[AccountId],
    nonces: &mut [u64],
    round: u64,
) -> Vec<Checked> {
    let draw = |number: u64| (scatter(number) % ids.len() as u64) as usize;
    let transfers = (0..BLOCK as u64).map(|number| {
        let place = 2 * (round * BLOCK as u64 + number);
        let from = draw(place);
        let to = if draw(place + 1) == from { (from + 1) % ids.len() } else { draw(place + 1) };
        let nonce = nonces[from];
        nonces[from] += 1;
        let transaction = transfer(genesis, ids[from], nonce, ids[to], round);
        let PublicKey::Ed25519(bytes) = keys[from] else { panic!("all keys are ed25519") };
        let key = opensky_types::NodeId::from_public_key(bytes);
        let approval = Approval::Ed25519 { key, signature: Signature::from_bytes([0; 64]) };
        transaction.signed(vec![approval]).unchecked().expect("it is well formed")
    });
    transfers.collect()
}

fn transfer(genesis: &Genesis, account: AccountId, nonce: u64, to: AccountId, round: u64) -> Transaction {
    Transaction {
        sky: genesis.sky,
        rules: RULES,
        account,
        nonce,
        valid_until: genesis.time.plus_ms(1_000 * round + 10_000),
        action: Action::Transfer { to, amount: Micros::new(1_000), memo: Memo::default() },
    }
}

fn measure_signatures(genesis: &Genesis) {
    let key = Keypair::from_seed([1; 32]);
    let id = AccountId::of_node(key.id());
    let signed: Vec<SignedTransaction> = (0..SIGNED as u64)
        .map(|nonce| transfer(genesis, id, nonce, AccountId::of_node(key.id()), 0))
        .map(|transaction| {
            use opensky_ledger::approval::Statement;
            let signature = key.sign(&transaction.message());
            transaction.signed(vec![Approval::Ed25519 { key: key.id(), signature }])
        })
        .collect();
    let all = signed.clone();
    let checked = time(|| _ = black_box(SignedTransaction::check_all(all).expect("they are right")));
    let rate = SIGNED as f64 / checked.as_secs_f64();
    println!(
        "signatures of {SIGNED} transfers of one key checked together: {rate:.0} transfers/s on one core"
    );
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let rate = |time: Duration| BLOCK as f64 / time.as_secs_f64();
    let [best, median, worst] = [0, times.len() / 2, times.len() - 1].map(|place| rate(times[place]));
    println!("{name}: median {median:.0} transfers/s, best {best:.0}, worst {worst:.0}");
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Spreads counting numbers over all bits (the finalizer of SplitMix64).
fn scatter(number: u64) -> u64 {
    let value = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^ value >> 27
}
