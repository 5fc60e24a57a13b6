//! From the ledger's entries to the shapes of the API.

use opensky_api::{
    checkpoint::{
        CheckpointDomain, CheckpointMessage, CheckpointSignatureView, CheckpointSignerView, CheckpointView,
        TypedCheckpoint,
    },
    happening::HappeningView,
    ledger::{HeadView, LedgerEvent, LedgerSummary, RoleView},
    wallet::{AccountView, MoneyView, ReputationView, UnbondingView},
};
use opensky_ledger::{
    account::Account,
    entry::Entry,
    evm::{Address, Checkpoint, EvmSignature, NAME, TypedData, VERSION},
    key::Key,
    reputation::Reputation,
    stake::Stake,
};
use opensky_node::Handle;
use opensky_ports::{
    LedgerEngine,
    ledger::{Head, News, Role, SignedCheckpoint},
};
use opensky_types::{AccountId, Hash, Micros, NodeId, Timestamp};

pub(crate) const fn head(head: &Head) -> HeadView {
    HeadView { height: head.height, block: head.block, state: head.state, at: head.time, epoch: head.epoch }
}

/// The role, and why the node does not vote, where it should.
pub(crate) fn role(role: Role) -> (RoleView, String) {
    match role {
        Role::Follower => (RoleView::Follower, String::new()),
        Role::Validator => (RoleView::Validator, String::new()),
        Role::Stopped(why) => (RoleView::Stopped, why),
    }
}

/// The ledger in the node's status.
pub(crate) async fn summary(handle: &Handle) -> LedgerSummary {
    let account = handle.account();
    handle
        .ledger(move |engine| {
            let overview = engine.overview();
            let (role, role_note) = role(overview.role);
            let has_prices = engine.genesis().params.economy;
            LedgerSummary {
                height: overview.head.height,
                at: overview.head.time,
                role,
                role_note,
                available_micros: has_prices.then(|| available(engine, account)),
            }
        })
        .await
}

fn available(engine: &dyn LedgerEngine, account: AccountId) -> Micros {
    match engine.read(&[Key::Account(account)]).entries.into_iter().next().flatten() {
        Some(Entry::Account(account)) => account.available.total(),
        _ => Micros::ZERO,
    }
}

/// A final block as an event.
pub(crate) fn block(news: &News) -> LedgerEvent {
    LedgerEvent::Block {
        head: head(&news.head),
        transactions: news.transactions.clone(),
        happenings: news.events.iter().map(HappeningView::from).collect(),
        income_micros: news.income,
    }
}

/// A checkpoint as a contract takes it.
pub(crate) fn checkpoint(sky: &Hash, signed: SignedCheckpoint) -> CheckpointView {
    let (quorum, is_complete) = (signed.quorum() as u64, signed.is_complete());
    let Checkpoint { epoch, previous, root, total, set_id } = signed.checkpoint;
    let key_of = |node: &NodeId| signed.signers.iter().find(|one| one.node == *node).and_then(|one| one.key);
    let mut signatures: Vec<(Address, NodeId, EvmSignature)> = signed
        .signatures
        .iter()
        .filter_map(|(node, signature)| Some((key_of(node)?, *node, *signature)))
        .collect();
    signatures.sort_unstable_by_key(|(address, ..)| *address);
    let signatures = signatures.into_iter().map(|(address, node, signature)| CheckpointSignatureView {
        address: address.to_string(),
        node,
        signature: format!("0x{}", hex::encode(signature.as_bytes())),
    });
    let signers = signed.signers.iter().map(|signer| CheckpointSignerView {
        node: signer.node,
        address: signer.key.as_ref().map(Address::to_string),
    });
    CheckpointView {
        typed_data: TypedCheckpoint {
            domain: CheckpointDomain {
                name: NAME.to_owned(),
                version: VERSION.to_owned(),
                salt: format!("0x{sky}"),
            },
            primary_type: "Checkpoint".to_owned(),
            type_text: Checkpoint::TYPE.to_owned(),
            message: CheckpointMessage {
                epoch,
                previous: previous.to_string(),
                root: root.to_string(),
                total: total.to_string(),
                set_id,
            },
        },
        digest: signed.digest.to_string(),
        quorum,
        is_complete,
        signers: signers.collect(),
        signatures: signatures.collect(),
    }
}

/// What the state says of an account, beside its escrows.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccountEntries {
    account: Option<Account>,
    stake: Stake,
    reputation: Reputation,
    owner: Option<AccountId>,
}

impl AccountEntries {
    /// How many keys it stands under.
    pub(crate) const KEYS: usize = 4;

    /// These keys.
    pub(crate) const fn keys(account: AccountId) -> [Key; Self::KEYS] {
        [Key::Account(account), Key::Stake(account), Key::Reputation(account), Key::Owner(account)]
    }

    /// From the entries under these keys.
    pub(crate) fn of(entries: &[Option<Entry>]) -> Self {
        let mut found = Self::default();
        for entry in entries.iter().flatten() {
            match entry {
                Entry::Account(account) => found.account = Some(*account),
                Entry::Stake(stake) => found.stake = stake.clone(),
                Entry::Reputation(reputation) => found.reputation = (**reputation).clone(),
                Entry::Owner(owner) => found.owner = Some(*owner),
                _ => {}
            }
        }
        found
    }

    /// Whether the account has begun.
    pub(crate) const fn exists(&self) -> bool {
        self.account.is_some()
    }

    /// What is at stake and stays there.
    pub(crate) const fn bonded(&self) -> Micros {
        self.stake.bonded()
    }

    /// How far it is trusted.
    pub(crate) fn reputation(&self, now: Timestamp) -> ReputationView {
        ReputationView::of(&self.reputation, now)
    }

    /// For people.
    pub(crate) fn view(
        self,
        account: AccountId,
        is_own: bool,
        escrow: Option<Micros>,
        next_number: u64,
        now: Timestamp,
    ) -> AccountView {
        let money = self.account.unwrap_or_default();
        let unbonding = UnbondingView::of(&self.stake);
        let out = unbonding.iter().map(|part| part.amount_micros.get()).fold(0, u64::saturating_add);
        AccountView {
            account,
            is_own,
            exists: self.exists(),
            owner: self.owner,
            money: MoneyView {
                free_micros: money.available.free,
                granted_micros: money.available.granted,
                escrow_micros: escrow,
                staked_micros: self.bonded(),
                unbonding_micros: Micros::new(out),
                debt_micros: money.owes(),
            },
            grant_locked_until: (money.grant_locked_until > now && money.available.granted > Micros::ZERO)
                .then_some(money.grant_locked_until),
            unbonding,
            reputation: self.reputation(now),
            next_number,
        }
    }
}
