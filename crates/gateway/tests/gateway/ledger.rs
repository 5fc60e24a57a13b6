//! The ledger's routes, on a real node whose ledger makes each transaction a block at once.

use crate::support::{Served, code, own_key, serve, serve_with};
use opensky_client::api::{
    Code,
    ledger::{LedgerEvent, ProofQuery, RoleView},
    transaction::{SubmitRequest, WhereView},
    validators::{DryRunQuery, ValidatorRequest},
    wallet::{
        AutoTransferView, AutoTransfers, OwnerRequest, Payee, StakeRequest, TransferRequest, WalletQuery,
        WhenView,
    },
};
use opensky_ledger::{action::Action, approval::Approval, transaction::Transaction};
use opensky_types::{AccountId, Hash, Keypair, Micros};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(5);

fn credits(amount: u64) -> Micros {
    Micros::new(amount * 1_000_000)
}

fn other() -> Keypair {
    Keypair::from_seed([2; 32])
}

fn transfer(amount: Micros) -> TransferRequest {
    let to = Payee::of_node(other().id());
    TransferRequest { to, amount_micros: amount, memo: "for work".into(), dry_run: false }
}

#[tokio::test]
async fn a_transfer_is_tried_out_then_done_and_final() {
    let Served { client, .. } = serve_with(credits(10)).await;
    let tried =
        client.transfer(&TransferRequest { dry_run: true, ..transfer(credits(2)) }).await.expect("tried");
    assert_eq!((tried.standing, tried.id), (WhereView::DryRun, None));
    let before = client.wallet(&WalletQuery::default()).await.expect("wallet");
    assert_eq!(before.total.free_micros, credits(10), "a dry run does nothing");
    let sent = client.transfer(&transfer(credits(2))).await.expect("sent");
    let settled = client.transaction(sent.id.expect("an id"), WAIT).await.expect("settled");
    assert_eq!(settled.standing, WhereView::Final);
    let after = client.wallet(&WalletQuery::default()).await.expect("wallet");
    assert_eq!(after.total.free_micros, credits(8));
    assert_eq!((Some(after.head.height), after.accounts[0].next_number), (settled.height, 1));
    assert_ne!(after.head.state, before.head.state);
    let query = WalletQuery { account: Some(Payee::of_node(other().id())) };
    let theirs = client.wallet(&query).await.expect("wallet");
    assert_eq!(theirs.total.free_micros, credits(2));
    assert_eq!((theirs.accounts[0].is_own, theirs.accounts[0].exists), (false, true));
    let status = client.status().await.expect("status");
    assert_eq!(status.ledger.available_micros, Some(credits(8)));
}

#[tokio::test]
async fn what_cannot_be_done_gets_its_code() {
    let Served { client, .. } = serve_with(credits(10)).await;
    let too_much = client.transfer(&transfer(credits(11))).await.expect_err("too much");
    assert_eq!(code(&too_much), Some(Code::TransactionRejected));
    assert!(too_much.to_string().contains("10.000000 credits available"), "{too_much}");
    let nothing = client.transfer(&transfer(Micros::ZERO)).await.expect_err("nothing");
    assert_eq!(code(&nothing), Some(Code::InvalidRequest));
    let memo = TransferRequest { memo: "x".repeat(65), ..transfer(credits(1)) };
    assert_eq!(code(&client.transfer(&memo).await.expect_err("memo")), Some(Code::InvalidRequest));
    let query = WalletQuery { account: Some(Payee::of_node(other().id())) };
    assert_eq!(code(&client.wallet(&query).await.expect_err("unknown")), Some(Code::AccountNotFound));
    let unstake = StakeRequest { amount_micros: credits(1), dry_run: false };
    assert_eq!(code(&client.unstake(&unstake).await.expect_err("no stake")), Some(Code::TransactionRejected));
    let unlink = OwnerRequest { owner: None, dry_run: false };
    assert_eq!(
        code(&client.set_owner(&unlink).await.expect_err("no owner")),
        Some(Code::TransactionRejected)
    );
    let proof = client.ledger_proof(&ProofQuery::default()).await.expect_err("of nothing");
    assert_eq!(code(&proof), Some(Code::InvalidRequest));
    let garbage =
        client.submit_transaction(&SubmitRequest::of(b"garbage", false)).await.expect_err("garbage");
    assert_eq!(code(&garbage), Some(Code::InvalidRequest));
    let never = client.transaction(Hash::of(b"never seen"), Duration::ZERO).await.expect("an answer");
    assert_eq!(never.standing, WhereView::Unknown);
}

#[tokio::test]
async fn blocks_are_told_as_they_become_final() {
    let Served { client, .. } = serve_with(credits(10)).await;
    let mut events = client.ledger_events().await.expect("events");
    let Some(LedgerEvent::Head(head)) = events.next().await.expect("event") else { panic!("no head first") };
    let sent = client.transfer(&transfer(credits(1))).await.expect("sent");
    let Some(LedgerEvent::Block { head: block, transactions, .. }) = events.next().await.expect("event")
    else {
        panic!("no block")
    };
    assert_eq!(block.height, head.height + 1);
    assert_eq!(transactions, [sent.id.expect("an id")]);
}

#[tokio::test]
async fn several_nodes_are_shown_as_one_wallet() {
    let Served { client, .. } = serve_with(credits(10)).await;
    let (node, owner) = (own_key(), other());
    client.transfer(&transfer(credits(3))).await.expect("sent");
    let (wallet, ledger) = (
        client.wallet(&WalletQuery::default()).await.expect("wallet"),
        client.ledger().await.expect("ledger"),
    );
    let transaction = Transaction {
        sky: ledger.sky,
        rules: ledger.rules,
        account: AccountId::of_node(node.id()),
        nonce: wallet.accounts[0].next_number,
        valid_until: ledger.head.at.plus_ms(60_000),
        action: Action::LinkOwner { owner: AccountId::of_node(owner.id()) },
    };
    let approvals = [&node, &owner].map(|key| Approval::sign(key, &transaction));
    let signed = transaction.signed(approvals.to_vec()).encode();
    let tried = client.submit_transaction(&SubmitRequest::of(&signed, true)).await.expect("tried");
    assert_eq!(tried.standing, WhereView::DryRun);
    client.submit_transaction(&SubmitRequest::of(&signed, false)).await.expect("taken");
    let query = WalletQuery { account: Some(Payee::of_node(owner.id())) };
    let shown = client.wallet(&query).await.expect("wallet");
    assert_eq!(shown.accounts.len(), 2);
    assert_eq!((shown.accounts[0].money.free_micros, shown.total.free_micros), (credits(3), credits(10)));
    assert_eq!(shown.accounts[1].owner, Some(AccountId::of_node(owner.id())));
}

#[tokio::test]
async fn automatic_transfers_are_kept_and_checked() {
    let Served { client, .. } = serve_with(credits(10)).await;
    let to = Payee::of_node(other().id());
    let every = WhenView::Every { interval_ms: 3_600_000, amount_micros: credits(1), last_at: None };
    let all = AutoTransfers {
        transfers: [
            WhenView::Received { percent: 20 },
            WhenView::Above { threshold_micros: credits(50) },
            every,
        ]
        .map(|when| AutoTransferView { to, when, keep_micros: credits(1) })
        .to_vec(),
    };
    client.set_auto_transfers(&all).await.expect("set");
    let kept = client.auto_transfers().await.expect("kept").transfers;
    assert_eq!(kept[..2], all.transfers[..2]);
    assert!(matches!(kept[2].when, WhenView::Every { last_at: Some(_), .. }), "the first one waits its time");
    for when in [WhenView::Received { percent: 0 }, WhenView::Received { percent: 101 }] {
        let wrong =
            AutoTransfers { transfers: vec![AutoTransferView { to, when, keep_micros: Micros::ZERO }] };
        assert_eq!(
            code(&client.set_auto_transfers(&wrong).await.expect_err("wrong")),
            Some(Code::InvalidRequest)
        );
    }
    let many = AutoTransfers { transfers: vec![all.transfers[0]; 17] };
    assert_eq!(code(&client.set_auto_transfers(&many).await.expect_err("many")), Some(Code::InvalidRequest));
}

#[tokio::test]
async fn validators_are_listed_and_the_last_one_stays() {
    let Served { client, .. } = serve().await;
    let all = client.validators().await.expect("validators").validators;
    assert_eq!(all.len(), 1);
    assert!(all[0].is_own && all[0].votes_now && all[0].is_candidate);
    let query = DryRunQuery { dry_run: true };
    let last = client.remove_validator(own_key().id(), &query).await.expect_err("the last one");
    assert_eq!(code(&last), Some(Code::TransactionRejected));
    let untried = ValidatorRequest { node: other().id(), dry_run: true };
    assert_eq!(code(&client.add_validator(&untried).await.expect_err("unasked")), Some(Code::InvalidRequest));
    // Its node is not there to sign.
    let request = ValidatorRequest { node: other().id(), dry_run: false };
    assert_eq!(code(&client.add_validator(&request).await.expect_err("alone")), Some(Code::NotApproved));
}

#[tokio::test]
async fn a_sky_without_prices_has_a_ledger_too() {
    let Served { client, .. } = serve().await;
    let ledger = client.ledger().await.expect("ledger");
    assert_eq!((ledger.role, ledger.economy_free, ledger.validators.len()), (RoleView::Validator, true, 1));
    let wallet = client.wallet(&WalletQuery::default()).await.expect("wallet");
    assert_eq!((wallet.economy_free, wallet.accounts.len()), (true, 1));
    assert_eq!(client.status().await.expect("status").ledger.available_micros, None);
    let refused = client.transfer(&transfer(credits(1))).await.expect_err("no prices");
    assert_eq!(code(&refused), Some(Code::TransactionRejected));
}
