//! Random mixes of transactions on a small ledger, and a second ledger that must agree with each block.
//!
//! Blocks stand on any block that is known, so that there are forks; any of them may become final. Start
//! at [`run`].

mod actions;
mod sky;

use crate::{Seeds, choices::Choices};
use opensky_ledger::{
    apply::{Context, RULES, apply},
    block::{Block, BlockError, Header},
    entry::Entry,
    fact::Fact,
    genesis::Genesis,
    key::Key,
    ledger::Ledger,
    transaction::{Checked, SignedTransaction},
};
use opensky_types::{Hash, Timestamp};

/// Most blocks of one run.
const BLOCKS_MAX: usize = 24;
/// Most transactions of one block.
const CANDIDATES_MAX: u8 = 16;
/// The same where transactions are signed.
const SIGNED_BLOCKS_MAX: usize = 4;
const SIGNED_CANDIDATES_MAX: u8 = 4;
const BLOCK_BYTES: usize = 1 << 20;

/// Two ledgers of one sky.
struct Run<'a> {
    ledger: Ledger,
    witness: Ledger,
    genesis: Genesis,
    /// The head, and all blocks above it.
    known: Vec<Hash>,
    /// Whether transactions are signed and checked.
    is_signed: bool,
    choices: Choices<'a>,
}

/// Makes blocks as `bytes` say, and asserts after each what must hold. Where transactions are not signed,
/// all is as if their signatures were right, and a hundred times as fast.
pub fn run(bytes: &[u8], is_signed: bool) {
    let mut choices = Choices::new(bytes);
    let genesis = sky::genesis(&mut choices);
    let Ok(ledger) = Ledger::new(&genesis) else { return };
    let known = vec![ledger.head().id()];
    let mut run = Run { witness: ledger.clone(), ledger, genesis, known, is_signed, choices };
    for _ in 0..if is_signed { SIGNED_BLOCKS_MAX } else { BLOCKS_MAX } {
        if run.choices.is_empty() || !run.block() {
            break;
        }
    }
    if let Some(last) = run.known.last().copied() {
        run.finalize(last);
    }
    sky::check_snapshot(&run.ledger);
}

impl Run<'_> {
    /// One block; `false` if the ledger stands still as it should.
    fn block(&mut self) -> bool {
        let parent = self.known[self.known.len() - 1 - usize::from(self.choices.byte()) % self.known.len()];
        let below = self.ledger.header(&parent).expect("it is known").clone();
        let wait_ms = self.choices.pick(&[1_000, 1, 30_000, 61_000, 86_400_000, 4_000_000_000, u64::MAX]);
        let time = below.time.plus_ms(wait_ms);
        let facts = self.facts();
        let candidates = self.candidates(&parent, time);
        let proposal = match self.ledger.propose_with(&parent, time, facts, candidates, BLOCK_BYTES) {
            Ok(proposal) => proposal,
            // The end of time, and rules that this program does not know.
            Err(BlockError::Time { .. } | BlockError::UnknownRules { .. }) => return false,
            Err(error) => panic!("no block can be made any more: {error:?}"),
        };
        let block = Block::decode(&proposal.block.encode()).expect("our own block is read");
        assert!(block == proposal.block, "a block survives its encoding");
        self.check_spoilt(&block);
        let id = self.verify(block).expect("a second ledger finds our block valid");
        assert_eq!(id, proposal.block.id());
        if !self.known.contains(&id) {
            self.known.push(id);
        }
        if self.choices.flag() {
            let place = usize::from(self.choices.byte()) % self.known.len();
            self.finalize(self.known[place]);
        }
        true
    }

    fn facts(&mut self) -> Vec<Fact> {
        let count = self.choices.pick(&[0, 0, 0, 1, 2, 5]);
        let fact = |choices: &mut Choices<'_>| Fact::TwoVotes {
            node: crate::people::node(choices.byte()).id(),
            epoch: u64::from(choices.byte() % 4),
            evidence: choices.bytes(3).to_vec(),
        };
        (0..count).map(|_| fact(&mut self.choices)).collect()
    }

    /// Transactions, each made for the state after all before it.
    fn candidates(&mut self, parent: &Hash, time: Timestamp) -> Vec<Checked> {
        let candidates_max = if self.is_signed { SIGNED_CANDIDATES_MAX } else { CANDIDATES_MAX };
        let count = self.choices.byte() % candidates_max;
        let mut view = self.ledger.view(parent).expect("it is known");
        let below = self.ledger.header(parent).expect("it is known");
        let (sky, params) = (below.sky, view.params());
        let context = Context { sky, height: below.height + 1, now: time, rules: RULES, params };
        let mut candidates: Vec<Checked> = Vec::new();
        for _ in 0..count {
            let (genesis, is_signed) = (&self.genesis, self.is_signed);
            let place = actions::Place { genesis, view: &view, time, is_signed };
            let signed = actions::transaction(&mut self.choices, &place);
            let checked = signed.clone().unchecked().expect("it is well formed");
            let _ = apply(&mut view, &context, &checked);
            candidates.push(checked);
        }
        if self.is_signed {
            let signed = candidates.into_iter().map(|one| one.signed).collect();
            return SignedTransaction::check_all(signed).expect("they are signed");
        }
        candidates
    }

    /// A header that says something else is of another block, and no valid one.
    fn check_spoilt(&mut self, block: &Block) {
        let spoilt = self.choices.byte();
        let mut header = block.header.clone();
        let Header { sky, rules, height, transactions, count, state, parent, .. } = &mut header;
        let other = Hash::of(&[spoilt]);
        match spoilt % 16 {
            0 => *state = other,
            1 => *count = count.wrapping_add(1),
            2 => *height = height.wrapping_add(1),
            3 => *rules = rules.wrapping_add(1),
            4 => *sky = other,
            5 => *transactions = other,
            6 => *parent = other,
            _ => return,
        }
        let spoilt = Block { header, transactions: block.transactions.clone() };
        self.verify(spoilt).expect_err("a block that says something false was accepted");
    }

    /// The second ledger's word on a block.
    fn verify(&mut self, block: Block) -> Result<Hash, BlockError> {
        if self.is_signed {
            return self.witness.verify(block);
        }
        let Block { header, transactions } = Block::decode(&block.encode())?;
        let checked: Result<Vec<_>, _> = transactions.into_iter().map(SignedTransaction::unchecked).collect();
        self.witness.execute(header, &checked?)
    }

    fn finalize(&mut self, id: Hash) {
        let events = self.ledger.finalize(&id).expect("it is known");
        assert_eq!(self.witness.finalize(&id).expect("it is known"), events);
        assert_eq!(self.ledger.head(), self.witness.head());
        let state = self.ledger.state();
        state.check().expect("money is conserved, and the root is that of the entries");
        assert_eq!(state.root(), self.witness.state().root());
        assert_eq!(state.root(), self.ledger.head().state);
        self.known.retain(|known| self.ledger.header(known).is_some());
        assert!(self.known.contains(&id));
        check_entries(&self.ledger);
    }
}

/// First inputs: choices without order, of which some blocks come.
pub fn seeds() -> Seeds {
    let bytes = |number: u8| (0..16_u8).flat_map(move |part| *Hash::of(&[number, part]).as_bytes()).collect();
    (0..16_u8).map(|number| (format!("choices_{number}"), bytes(number))).collect()
}

/// What holds of single entries.
fn check_entries(ledger: &Ledger) {
    let params = match ledger.state().get(&Key::Params) {
        Some(Entry::Params(params)) => **params,
        _ => panic!("a state has parameters"),
    };
    for (key, entry) in ledger.state().entries() {
        match entry {
            Entry::Account(account) => {
                assert!(account.debt.is_none_or(|debt| debt.amount.get() > 0), "{key:?} owes nothing");
            }
            Entry::Stake(stake) => {
                stake.check();
                assert!(!stake.is_empty(), "an empty stake is no entry");
            }
            Entry::Reputation(reputation) => reputation.check(&params.daily_caps),
            Entry::Roster(roster) => roster.check(),
            Entry::Machine(machine) => machine.check(),
            Entry::Keys(keys) => assert!(keys.is_sound()),
            _ => {}
        }
    }
}
