//! A small sky: people with keys, and a ledger whose every block is verified by a second one.

use opensky_ledger::{
    action::Action,
    apply::RULES,
    approval::{Approval, Statement},
    block::Block,
    escrow::{self, Opening},
    event::Event,
    evm::{EvmKey, personal_digest},
    genesis::Genesis,
    ledger::Ledger,
    memo::Memo,
    params::Params,
    purse::Purse,
    rejection::Rejection,
    transaction::{Checked, SignedTransaction, Transaction},
};
use opensky_types::{AccountId, AgreementId, Hash, Keypair, Micros, NodeId, PublicKey, Timestamp};
use std::collections::BTreeMap;

/// When the sky begins, and a block's time after the last.
pub const START_MS: u64 = 1_800_000_000_000;
pub const STEP_MS: u64 = 1_000;

/// A key of the given number; its account has the same number.
pub fn key(number: u8) -> Keypair {
    Keypair::from_seed([number; 32])
}

pub fn account(number: u8) -> AccountId {
    AccountId::of_node(key(number).id())
}

pub fn public(number: u8) -> PublicKey {
    PublicKey::of_node(key(number).id())
}

pub fn micros(amount: u64) -> Micros {
    Micros::new(amount)
}

/// What an agreement is called until its escrow is open; the harness puts the real name in its place.
pub fn agreement(number: u8) -> AgreementId {
    AgreementId::from_hash(Hash::from_bytes([number; 32]))
}

pub fn sky_id() -> Hash {
    Hash::of(b"a sky")
}

pub fn transfer(to: u8, amount: u64) -> Action {
    Action::Transfer { to: account(to), amount: micros(amount), memo: Memo::default() }
}

/// An ed25519 signature over a statement.
pub fn approve(statement: &impl Statement, key: &Keypair) -> Approval {
    Approval::sign(key, statement)
}

pub fn evm_key(number: u8) -> EvmKey {
    EvmKey::from_secret(&[number; 32]).expect("a key")
}

pub fn approve_text(statement: &impl Statement, key: &EvmKey) -> Approval {
    let signature = key.sign(&personal_digest(statement.text().as_bytes()));
    Approval::EthereumText { address: key.address(), signature }
}

pub fn approve_typed(statement: &impl Statement, key: &EvmKey) -> Approval {
    Approval::EthereumTyped { address: key.address(), signature: key.sign(&statement.typed()) }
}

/// Three validators (numbers 100 to 102); accounts 1 to 5 have a million micros each, account 6 a
/// million granted.
pub fn genesis(params: Params) -> Genesis {
    let free = (1..=5).map(|number| (account(number), Purse::free(micros(1_000_000))));
    let mut balances: Vec<_> = free.chain([(account(6), Purse::granted(micros(1_000_000)))]).collect();
    balances.sort_by_key(|(id, _)| *id);
    let mut validators: Vec<NodeId> = (100..=102).map(|number| key(number).id()).collect();
    validators.sort_unstable();
    Genesis {
        sky: sky_id(),
        time: Timestamp::from_millis(START_MS),
        params,
        balances: if params.economy { balances } else { Vec::new() },
        treasury: if params.economy { Purse::free(micros(50)) } else { Purse::default() },
        validators,
    }
}

/// A ledger, and one that only verifies.
pub struct Sky {
    pub ledger: Ledger,
    pub witness: Ledger,
    pub events: Vec<Event>,
    /// The real names of agreements whose escrow was opened.
    pub agreements: BTreeMap<AgreementId, AgreementId>,
}

impl Sky {
    pub fn new() -> Self {
        Self::with(Params::default())
    }

    pub fn with(params: Params) -> Self {
        let ledger = Ledger::new(&genesis(params)).expect("the genesis is sound");
        Self { witness: ledger.clone(), ledger, events: Vec::new(), agreements: BTreeMap::new() }
    }

    pub fn now(&self) -> Timestamp {
        self.ledger.head().time
    }

    /// The next transaction of an account, not signed.
    pub fn transaction(&self, from: AccountId, mut action: Action) -> Transaction {
        self.name_agreements(&mut action);
        let view = self.ledger.view(&self.ledger.head().id()).expect("the head is known");
        Transaction {
            sky: sky_id(),
            rules: RULES,
            account: from,
            nonce: view.find_account(&from).map_or(0, |account| account.nonce),
            valid_until: self.now().plus_ms(60_000),
            action,
        }
    }

    /// Signed by the account's one key.
    pub fn signed(&self, number: u8, action: Action) -> SignedTransaction {
        self.signed_by(account(number), &[number], action)
    }

    pub fn signed_by(&self, from: AccountId, signers: &[u8], action: Action) -> SignedTransaction {
        let transaction = self.transaction(from, action);
        let approvals = signers.iter().map(|number| approve(&transaction, &key(*number))).collect();
        transaction.signed(approvals)
    }

    /// Puts one transaction of an account into a block and makes it final.
    pub fn act(&mut self, number: u8, action: Action) -> Result<(), Rejection> {
        self.submit(self.signed(number, action))
    }

    pub fn act_by(&mut self, from: AccountId, signers: &[u8], action: Action) -> Result<(), Rejection> {
        self.submit(self.signed_by(from, signers, action))
    }

    /// One transaction in one block. A rejected one leaves the root as it is.
    pub fn submit(&mut self, transaction: SignedTransaction) -> Result<(), Rejection> {
        let before = self.ledger.state().root();
        let checked = transaction.check().expect("the signatures are right");
        let mut rejected = self.block(vec![checked], STEP_MS);
        match rejected.pop() {
            None => Ok(()),
            Some((_, rejection)) => {
                // The test's blocks hold one transaction, so nothing else changed but what fell due.
                if self.events.is_empty() {
                    assert_eq!(self.ledger.state().root(), before, "a rejected transaction left a trace");
                }
                Err(rejection)
            }
        }
    }

    /// An empty block some time later, in which what fell due happens.
    pub fn wait(&mut self, ms: u64) {
        self.block(Vec::new(), ms);
    }

    /// A block of these, made by the ledger, verified by the witness, and final in both.
    pub fn block(&mut self, transactions: Vec<Checked>, after_ms: u64) -> Vec<(Hash, Rejection)> {
        let head = self.ledger.head().id();
        let time = self.now().plus_ms(after_ms);
        let proposal = self.ledger.propose(&head, time, transactions, 1 << 20).expect("a block can be made");
        self.note_openings(&proposal.block);
        let block = Block::decode(&proposal.block.encode()).expect("our own block is read");
        let id = self.witness.verify(block).expect("the witness finds it valid");
        self.events = self.ledger.finalize(&id).expect("it is known");
        assert_eq!(self.witness.finalize(&id).expect("it is known"), self.events);
        self.ledger.state().check().expect("money is conserved, and the root is that of the entries");
        assert_eq!(self.ledger.state().root(), self.witness.state().root());
        proposal.rejected
    }

    /// What an account can spend; negative what it owes.
    pub fn balance(&self, number: u8) -> i128 {
        self.balance_of(&account(number))
    }

    pub fn balance_of(&self, id: &AccountId) -> i128 {
        let view = self.ledger.view(&self.ledger.head().id()).expect("the head is known");
        view.find_account(id).map_or(0, |account| account.balance())
    }

    /// The name of the agreement that was last opened under this number.
    pub fn agreement(&self, number: u8) -> AgreementId {
        self.name_of(agreement(number))
    }

    fn name_of(&self, agreement: AgreementId) -> AgreementId {
        self.agreements.get(&agreement).copied().unwrap_or(agreement)
    }

    fn name_agreements(&self, action: &mut Action) {
        match action {
            Action::TopUp { agreement, .. }
            | Action::Object { agreement, .. }
            | Action::CloseEscrow { agreement } => *agreement = self.name_of(*agreement),
            Action::Pay { items } => {
                items.iter_mut().for_each(|item| item.agreement = self.name_of(item.agreement));
            }
            Action::Claim { items } => {
                items.iter_mut().for_each(|item| item.owed.agreement = self.name_of(item.owed.agreement));
            }
            Action::AuditReport(report) => report.agreement = self.name_of(report.agreement),
            _ => {}
        }
    }

    fn note_openings(&mut self, block: &Block) {
        for signed in &block.transactions {
            let Transaction { account, nonce, action, .. } =
                signed.clone().unchecked().expect("it is in a block").transaction;
            if let Action::OpenEscrow(Opening { terms, .. }) = action {
                let name = escrow::id_of(&terms, &account, nonce);
                self.agreements.insert(AgreementId::from_hash(terms), name);
            }
        }
    }

    /// An opening of an escrow that runs for a minute, with a window of a minute, and vouchers by key 1.
    pub fn opening(&self, number: u8, provider: u8, amount: u64) -> Opening {
        Opening {
            terms: *agreement(number).hash(),
            provider: account(provider),
            voucher_key: public(1),
            amount: micros(amount),
            expires_at: self.now().plus_ms(60_000),
            claim_window_ms: 60_000,
        }
    }
}
