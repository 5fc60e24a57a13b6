//! Small values that whoever stands on the node keeps in its journal. The node does not read them.

use super::{Handle, NodeGone};
use crate::{requests::Request, settings};
use opensky_ports::JournalError;

impl Handle {
    /// What was last kept under `name`; `None` if nothing was.
    pub async fn kept(&self, name: &'static str) -> Result<Option<Vec<u8>>, JournalError> {
        self.read(move |journal| journal.setting(&settings::name_of_others(name))).await
    }

    /// Keeps `value` under `name`; it is on disk when this returns.
    pub async fn keep(&self, name: &'static str, value: Vec<u8>) -> Result<(), NodeGone> {
        self.ask(|answer| Request::Keep { name, value, answer }).await
    }
}
