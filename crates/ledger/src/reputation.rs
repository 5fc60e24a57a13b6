//! How far an account is trusted (spec V3, V4): a score, the moves that led to it, and what it means.
//!
//! Points for work have three caps a day: for paid tasks, for audits, and for what any one
//! counterparty can give by either. So two friends who pay each other all day gain no more than the
//! third cap, however many tasks they make. The tally of the day lives in the entry itself: it is
//! bounded by the caps, and a new day starts it anew.

mod act;
mod audit;
mod fraud;
mod report;
mod score;
mod witness;

pub use audit::{AUDIT_RATE_WHOLE, AuditRate, audit_drawn};
pub use fraud::{FREEZE_MS, Fraud, Penalty};
pub use report::{AuditReport, OnlineReport, Verdict};
pub use score::{Score, Tier};

pub(crate) use act::{check_may_work, count_paid, mark_punished, of, punish, report_audit, report_online};

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Timestamp};

/// How many moves an entry remembers.
pub const MOVES_KEPT: usize = 16;
/// Points for a day online.
pub const POINTS_DAY_ONLINE: u16 = 10;
/// Points for an audit passed.
pub const POINTS_AUDIT_PASSED: u16 = 5;
/// Points that a failed verification takes.
pub const POINTS_FAILED_VERIFICATION: u16 = 20;

/// Milliseconds of a day; days count from 1970.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The caps of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DailyCaps {
    /// Most points for paid tasks.
    pub paid: u8,
    /// Most points for audits.
    pub audited: u8,
    /// Most points that one counterparty can give, by paying or by auditing.
    pub by_one: u8,
}

impl Default for DailyCaps {
    /// A newcomer with steady work of many consumers is established after five days, trusted after
    /// twelve, a veteran after twenty; with two friends alone, after twice the time.
    fn default() -> Self {
        Self { paid: 20, audited: 10, by_one: 5 }
    }
}

/// Why a score moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Reason {
    /// So many tasks were paid for by this account.
    PaidTasks(AccountId, u32) = 0,
    /// It was online all day, as others attested.
    DayOnline = 1,
    /// This account audited a result and found it right.
    AuditPassed(AccountId) = 2,
    /// A result was wrong.
    FailedVerification = 3,
    /// It cheated.
    Fraud(Fraud) = 4,
}

/// One move of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Move {
    /// The block time.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
    /// The score before.
    pub before: Score,
    /// The score after.
    pub after: Score,
}

/// What one account gave today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Given {
    by: AccountId,
    points: u8,
}

/// What was gained on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Tally {
    /// Days since 1970.
    day: u64,
    online: bool,
    paid: u8,
    audited: u8,
    /// Those who gave points today: no more of them than points, and those are capped.
    given: Vec<Given>,
}

/// The reputation of an account.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Reputation {
    score: Score,
    frozen_until: Timestamp,
    banned: bool,
    major_frauds: u8,
    today: Tally,
    /// The latest moves, oldest first.
    moves: Vec<Move>,
}

impl Default for Reputation {
    fn default() -> Self {
        Self {
            score: Score::NEW,
            frozen_until: Timestamp::default(),
            banned: false,
            major_frauds: 0,
            today: Tally::default(),
            moves: Vec::new(),
        }
    }
}

impl Reputation {
    /// The score.
    pub const fn score(&self) -> Score {
        self.score
    }

    /// The tier.
    pub const fn tier(&self) -> Tier {
        self.score.tier()
    }

    /// How often its results are audited: all of them while it may take no work, else as its tier asks.
    pub fn audit_rate(&self, now: Timestamp) -> AuditRate {
        if self.may_work(now) { self.tier().audit_rate() } else { AuditRate::of_100_000(AUDIT_RATE_WHOLE) }
    }

    /// Whether it is banned for good.
    pub const fn is_banned(&self) -> bool {
        self.banned
    }

    /// Until when it may take no work and gains nothing, if that is still to come.
    pub fn frozen_until(&self, now: Timestamp) -> Option<Timestamp> {
        (self.frozen_until > now).then_some(self.frozen_until)
    }

    /// Whether it may take work.
    pub fn may_work(&self, now: Timestamp) -> bool {
        !self.banned && self.frozen_until(now).is_none()
    }

    /// The latest moves, oldest first; at most [`MOVES_KEPT`].
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// `tasks` were paid for by `by`: the points gained.
    pub fn on_paid_tasks(&mut self, caps: &DailyCaps, by: AccountId, tasks: u32, now: Timestamp) -> u16 {
        if !self.may_work(now) {
            return 0;
        }
        self.turn_day(now);
        let wanted = u8::try_from(tasks).unwrap_or(u8::MAX);
        let room = caps.paid.saturating_sub(self.today.paid);
        let points = self.today.take_from(by, wanted.min(room), caps.by_one);
        self.today.paid += points;
        self.gain(points.into(), Reason::PaidTasks(by, tasks), now)
    }

    /// `by` audited a result and found it right: the points gained, as far as the caps leave room. Who
    /// audits has mostly paid before, and that is given by the same account.
    pub fn on_audit_passed(&mut self, caps: &DailyCaps, by: AccountId, now: Timestamp) -> u16 {
        const POINTS: u8 = POINTS_AUDIT_PASSED as u8;
        if !self.may_work(now) {
            return 0;
        }
        self.turn_day(now);
        let room = caps.audited.saturating_sub(self.today.audited);
        let points = self.today.take_from(by, POINTS.min(room), caps.by_one);
        self.today.audited += points;
        self.gain(points.into(), Reason::AuditPassed(by), now)
    }

    /// It was attested to be online today: the points gained, once a day.
    pub fn on_day_online(&mut self, now: Timestamp) -> u16 {
        if !self.may_work(now) {
            return 0;
        }
        self.turn_day(now);
        if std::mem::replace(&mut self.today.online, true) {
            return 0;
        }
        self.gain(POINTS_DAY_ONLINE, Reason::DayOnline, now)
    }

    /// A result was wrong: the points lost.
    pub fn on_failed_verification(&mut self, now: Timestamp) -> u16 {
        self.lose(POINTS_FAILED_VERIFICATION, Reason::FailedVerification, now)
    }

    /// It cheated: what that costs it. Whoever calls takes the stake where the penalty says so.
    pub fn on_fraud(&mut self, fraud: Fraud, now: Timestamp) -> Penalty {
        let penalty = Penalty::of(fraud, self.score, self.major_frauds);
        if fraud == Fraud::Major {
            self.major_frauds = self.major_frauds.saturating_add(1);
        }
        self.frozen_until = self.frozen_until.max(now.plus_ms(penalty.freeze_ms));
        self.banned |= penalty.bans;
        self.lose(penalty.points, Reason::Fraud(fraud), now);
        penalty
    }

    /// Starts the tally anew on a new day. Block time never runs backwards; if it did, the day's
    /// tally would go on.
    fn turn_day(&mut self, now: Timestamp) {
        let day = now.as_millis() / DAY_MS;
        if day > self.today.day {
            self.today = Tally { day, ..Tally::default() };
        }
    }

    fn gain(&mut self, points: u16, reason: Reason, now: Timestamp) -> u16 {
        let before = self.score;
        self.score = before.plus(points);
        self.record(before, reason, now);
        self.score.get() - before.get()
    }

    fn lose(&mut self, points: u16, reason: Reason, now: Timestamp) -> u16 {
        let before = self.score;
        self.score = before.minus(points);
        self.record(before, reason, now);
        before.get() - self.score.get()
    }

    /// Keeps the move. Gains that a cap or the end of the scale ate are none; a punishment is kept
    /// even if there was nothing left to lose.
    fn record(&mut self, before: Score, reason: Reason, now: Timestamp) {
        let punishes = matches!(reason, Reason::FailedVerification | Reason::Fraud(_));
        if self.score == before && !punishes {
            return;
        }
        // The tasks that one account paid for in a row are one move: else they would push out all others.
        if let (Reason::PaidTasks(by, tasks), Some(last)) = (reason, self.moves.last_mut())
            && let Reason::PaidTasks(same, counted) = last.reason
            && same == by
        {
            last.reason = Reason::PaidTasks(by, counted.saturating_add(tasks));
            last.after = self.score;
            last.at = now;
            return;
        }
        if self.moves.len() >= MOVES_KEPT {
            self.moves.remove(0);
        }
        self.moves.push(Move { at: now, reason, before, after: self.score });
    }

    /// Asserts what holds of every reputation under `caps`.
    pub fn check(&self, caps: &DailyCaps) {
        assert!(self.moves.len() <= MOVES_KEPT, "{} moves are kept", self.moves.len());
        assert!(self.moves.is_sorted_by_key(|one| one.at), "moves are in order");
        if let Some(last) = self.moves.last() {
            assert_eq!(last.after, self.score, "the last move ends at the score");
        }
        let given: u32 = self.today.given.iter().map(|given| u32::from(given.points)).sum();
        assert_eq!(given, u32::from(self.today.paid) + u32::from(self.today.audited), "points have givers");
        assert!(self.today.paid <= caps.paid && self.today.audited <= caps.audited, "caps of the day");
        assert!(self.today.given.iter().all(|given| given.points <= caps.by_one), "caps of one giver");
        assert!(!self.banned || self.score == Score::ZERO, "who is banned has nothing");
    }
}

impl Tally {
    fn given_by(&self, by: AccountId) -> u8 {
        self.given.iter().find(|given| given.by == by).map_or(0, |given| given.points)
    }

    /// Takes up to `wanted` points from `by`, who may give `cap` a day: those taken.
    fn take_from(&mut self, by: AccountId, wanted: u8, cap: u8) -> u8 {
        let points = wanted.min(cap.saturating_sub(self.given_by(by)));
        if points == 0 {
            return 0;
        }
        match self.given.iter_mut().find(|given| given.by == by) {
            Some(given) => given.points += points,
            None => self.given.push(Given { by, points }),
        }
        points
    }
}
