//! The provider's side of agreements.
//!
//! What it is: a pure core that admits work within the owner's limits, shares slots fairly among
//! consumers, batches short tasks, keeps finished results until they are countersigned, and builds
//! the receipts to sign. What it never does: I/O, reading a clock, running anything itself; it says
//! so with an [`Effect`] and hears of the end with an [`Input`]. Start at [`Provider::handle`].
//!
//! The way of a task: `assigning` takes it in, `running` puts it into a batch on a slot, `results`
//! commits to its outcome or delivers it, and keeps it until the consumer has signed. `gate` knows
//! what the owner allows, `agreements` who may use it, `funding` how far the consumer's money reaches, and
//! `limiting` enforces it over time.

mod admission;
mod agreement;
mod agreements;
mod assigning;
mod batch;
mod check;
mod config;
mod effect;
mod funding;
mod gate;
mod input;
mod kept;
mod limiting;
mod provider;
mod results;
mod running;

pub use config::Config;
pub use effect::{BatchId, Committed, DeliveryId, Effect, FetchedInput, OfferDraft, RunItem};
pub use gate::Reserved;
pub use input::{Input, TaskAttempt, TaskEnd};
pub use provider::{Provider, Room};
