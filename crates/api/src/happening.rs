//! What happened on the ledger, for people and for programs.

use opensky_ledger::{event::Event, reputation::Reason};
use opensky_types::{AccountId, AgreementId, Micros};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that followed from a transaction or from the passing of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HappeningView {
    /// A word for it, such as `paid`.
    pub kind: String,
    /// It in a sentence.
    pub sentence: String,
    /// Whom it befell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<AccountId>,
    /// Under which agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementId>,
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_micros: Option<Micros>,
}

impl HappeningView {
    fn new(kind: &str, sentence: String) -> Self {
        Self { kind: kind.to_owned(), sentence, ..Self::default() }
    }

    fn of(self, account: AccountId) -> Self {
        Self { account: Some(account), ..self }
    }

    fn with(self, other: AccountId) -> Self {
        Self { other: Some(other), ..self }
    }

    fn under(self, agreement: AgreementId) -> Self {
        Self { agreement: Some(agreement), ..self }
    }

    fn amount(self, amount: Micros) -> Self {
        Self { amount_micros: Some(amount), ..self }
    }
}

impl From<&Event> for HappeningView {
    fn from(event: &Event) -> Self {
        match event {
            Event::Paid { agreement, consumer, provider, amount } => {
                Self::new("paid", format!("{amount} paid for work under agreement {agreement}"))
                    .of(*provider)
                    .with(*consumer)
                    .under(*agreement)
                    .amount(*amount)
            }
            Event::Objected { agreement, consumer, provider, amount } => {
                Self::new("objected", format!("{amount} objected to under agreement {agreement}"))
                    .of(*consumer)
                    .with(*provider)
                    .under(*agreement)
                    .amount(*amount)
            }
            Event::Closed { agreement, consumer, refunded } => {
                Self::new("closed", format!("escrow of agreement {agreement} closed, {refunded} went back"))
                    .of(*consumer)
                    .under(*agreement)
                    .amount(*refunded)
            }
            Event::ChargeDropped { consumer, request } => {
                Self::new("charge-dropped", format!("request {request} was never completed and cost nothing"))
                    .of(*consumer)
            }
            Event::ReputationMoved { account, reason, before, after } => {
                let why = reason_words(reason);
                Self::new("reputation", format!("reputation from {before} to {after}: {why}")).of(*account)
            }
            Event::Unstaked { account, amount } => {
                Self::new("unstaked", format!("{amount} came out of stake")).of(*account).amount(*amount)
            }
            Event::Slashed { account, amount } => {
                Self::new("slashed", format!("{amount} of stake went to the treasury"))
                    .of(*account)
                    .amount(*amount)
            }
            Event::Registered { account, is_new, .. } => {
                let machine = if *is_new { "a new machine" } else { "a known machine" };
                Self::new("registered", format!("registered with {machine}")).of(*account)
            }
            Event::EpochEnds { next, changed } => {
                let set = if *changed { "with other validators" } else { "with the same validators" };
                Self::new("epoch-ends", format!("epoch {next} begins after this block, {set}"))
            }
            Event::RulesSwitched { version } => {
                Self::new("rules-switched", format!("rules {} are in force", version.get()))
            }
        }
    }
}

fn reason_words(reason: &Reason) -> String {
    match reason {
        Reason::PaidTasks(by, count) => format!("{count} payments of {by}"),
        Reason::DayOnline => "a day online".to_owned(),
        Reason::AuditPassed(by) => format!("an audit of {by} passed"),
        Reason::FailedVerification => "a wrong result".to_owned(),
        Reason::Fraud(_) => "fraud".to_owned(),
    }
}
