//! Wallets and histories for people.

use crate::{
    amount::bare,
    output::{ago, fields, now, table, until},
};
use opensky_api::{
    history::{Direction, History, HistoryLine},
    wallet::{AccountView, MoneyView, ReputationView, Wallet},
};
use opensky_types::Timestamp;

/// A wallet: one account in fields, several as a table with their sum.
pub fn wallet(wallet: &Wallet) -> String {
    let (table, mut rows) = match wallet.accounts.as_slice() {
        [only] => (String::new(), account(only, now())),
        several => (accounts(several, &wallet.total) + "\n\n", Vec::new()),
    };
    if wallet.economy_free {
        rows.push(("prices", "none in this sky".to_owned()));
    }
    rows.push(("height", wallet.head.height.to_string()));
    rows.push(("state root", wallet.head.state.to_string()));
    table + &fields(&rows)
}

fn account(view: &AccountView, now: Timestamp) -> Vec<(&'static str, String)> {
    let money = &view.money;
    let mut rows = vec![("account", view.account.to_string())];
    if !view.exists {
        rows.push(("", "not begun: an account begins with its first income".to_owned()));
    }
    rows.extend(view.owner.map(|owner| ("owner", owner.to_string())));
    let (free, granted) = (bare(money.free_micros), bare(money.granted_micros));
    rows.push(("available", format!("{}: {free} free, {granted} granted", money.available())));
    let locked = view.grant_locked_until.map(|at| format!("can be transferred {}", until(now, at)));
    rows.extend(locked.map(|locked| ("grant", locked)));
    let escrow = money.escrow_micros.map_or("not known here".to_owned(), |amount| amount.to_string());
    rows.push(("in escrow", escrow));
    rows.push(("at stake", money.staked_micros.to_string()));
    rows.push(("unbonding", money.unbonding_micros.to_string()));
    for part in &view.unbonding {
        rows.push(("", format!("{} free {}", part.amount_micros, until(now, part.free_at))));
    }
    rows.push(("debt", money.debt_micros.to_string()));
    rows.push(("reputation", reputation(&view.reputation, now)));
    rows.push(("next number", view.next_number.to_string()));
    rows
}

/// The score, its tier, and what keeps the account from working.
fn reputation(reputation: &ReputationView, now: Timestamp) -> String {
    let mut text = format!("{} ({})", reputation.score, reputation.tier);
    if reputation.is_banned {
        text += ", banned";
    } else if let Some(at) = reputation.frozen_until {
        text += &format!(", frozen, free {}", until(now, at));
    }
    text
}

const HEAD: [&str; 7] = ["ACCOUNT", "AVAILABLE", "ESCROW", "STAKE", "UNBONDING", "DEBT", "REPUTATION"];

fn accounts(views: &[AccountView], total: &MoneyView) -> String {
    let rows = views.iter().map(|view| {
        let standing = format!("{} {}", view.reputation.score, view.reputation.tier);
        row(view.account.to_string(), &view.money, standing)
    });
    table(&HEAD, rows.chain([row("total".to_owned(), total, String::new())]))
}

fn row(name: String, money: &MoneyView, standing: String) -> Vec<String> {
    vec![
        name,
        bare(money.available()),
        money.escrow_micros.map_or("-".to_owned(), bare),
        bare(money.staked_micros),
        bare(money.unbonding_micros),
        bare(money.debt_micros),
        standing,
    ]
}

/// A history.
pub fn history(history: &History) -> String {
    if history.lines.is_empty() {
        return format!("this node keeps no history of {} from that time", history.account);
    }
    let now = now();
    table(
        &["PLACE", "WHEN", "WHAT", "CREDITS", "WITH", "NOTE"],
        history.lines.iter().map(|one| line(one, now)),
    )
}

fn line(line: &HistoryLine, now: Timestamp) -> Vec<String> {
    let sign = match line.direction {
        Direction::In => "+",
        Direction::Out => "-",
        Direction::None => "",
    };
    let amount = line.amount_micros.map(|amount| format!("{sign}{}", bare(amount))).unwrap_or_default();
    let note = match line.kind.as_str() {
        "transfer" => line.memo.clone(),
        _ if line.amount_micros.is_none() => line.sentence.clone(),
        _ => String::new(),
    };
    vec![
        line.place.to_string(),
        ago(now, line.at),
        line.kind.clone(),
        amount,
        line.other.map(|other| other.to_string()).unwrap_or_default(),
        note,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::lay_out;
    use opensky_api::{history::Place, ledger::HeadView};
    use opensky_types::{AccountId, Hash, Micros};

    fn view(seed: u8, free: u64) -> AccountView {
        AccountView {
            account: AccountId::from_bytes([seed; 32]),
            is_own: true,
            exists: true,
            owner: None,
            money: MoneyView {
                free_micros: Micros::new(free),
                granted_micros: Micros::new(100_000),
                escrow_micros: Some(Micros::new(250_000)),
                ..MoneyView::default()
            },
            grant_locked_until: None,
            unbonding: Vec::new(),
            reputation: ReputationView {
                score: 100,
                tier: "new".into(),
                frozen_until: None,
                is_banned: false,
            },
            next_number: 4,
        }
    }

    fn wallet_of(accounts: Vec<AccountView>) -> Wallet {
        let total = accounts.iter().map(|view| view.money).reduce(|one, other| one.plus(&other));
        Wallet {
            account: accounts[0].account,
            head: HeadView {
                height: 1_024,
                block: Hash::of(b"block"),
                state: Hash::of(b"state"),
                at: Timestamp::default(),
                epoch: 1,
            },
            economy_free: false,
            accounts,
            total: total.unwrap_or_default(),
        }
    }

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or_default()
    }

    #[test]
    fn one_account_is_shown_in_fields_of_80_columns() {
        let text = wallet(&wallet_of(vec![view(1, 1_500_000)]));
        assert!(text.contains("available    1.600000 credits: 1.500000 free, 0.100000 granted"), "{text}");
        assert!(text.contains("reputation   100 (new)"), "{text}");
        assert!(text.contains(&Hash::of(b"state").to_string()), "{text}");
        assert!(widest(&text) <= 80, "{text}");
    }

    #[test]
    fn several_accounts_are_shown_with_their_sum() {
        let text = wallet(&wallet_of(vec![view(1, 1_500_000), view(2, 500_000)]));
        let total = text.lines().find(|line| line.trim_start().starts_with("total")).expect("a total");
        assert!(total.contains("2.200000") && total.contains("0.500000"), "{text}");
    }

    #[test]
    fn tables_fit_80_columns() {
        let rows = [view(1, 12_345_678_900_000), view(2, 1)];
        let rows =
            rows.iter().map(|view| row(view.account.to_string(), &view.money, "1000 established".into()));
        assert!(widest(&lay_out(&HEAD, rows.collect(), Some(80))) <= 80);
    }

    #[test]
    fn a_line_says_which_way_money_went() {
        let mut one = HistoryLine {
            place: Place { height: 7, index: 3 },
            at: Timestamp::default(),
            kind: "transfer".into(),
            direction: Direction::Out,
            amount_micros: Some(Micros::new(1_500_000)),
            other: Some(AccountId::from_bytes([9; 32])),
            agreement: None,
            memo: "for the render".into(),
            transaction: None,
            sentence: "Transfer".into(),
        };
        let shown = line(&one, Timestamp::default());
        assert_eq!(
            (shown[0].as_str(), shown[3].as_str(), shown[5].as_str()),
            ("7:3", "-1.500000", "for the render")
        );
        one.direction = Direction::In;
        assert_eq!(line(&one, Timestamp::default())[3], "+1.500000");
    }
}
