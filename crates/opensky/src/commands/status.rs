//! `opensky status`

use crate::{
    commands::Context,
    compose::sky_name,
    output::{ago, fields, size},
};
use anyhow::Result;
use opensky_api::status::Status;

pub async fn run(context: &Context) -> Result<()> {
    let status = context.client()?.status().await?;
    context.format.print(&status, show)
}

/// A status for people.
pub fn show(status: &Status) -> String {
    let network = &status.network;
    let sharing = match status.sharing.closed_reason.as_str() {
        "" => format!("{} of {} slots busy", status.sharing.slots_busy, status.sharing.slots_total),
        reason => format!("not now: {reason}"),
    };
    let peers = format!("{} connected, {} of them relayed", network.peers, network.peers_relayed);
    let traffic = format!("{} sent, {} received", size(network.sent_bytes), size(network.received_bytes));
    let ledger = &status.ledger;
    let role = match ledger.role_note.as_str() {
        "" => ledger.role.as_str().to_owned(),
        why => format!("{}: {why}", ledger.role.as_str()),
    };
    let money = ledger.available_micros.map(|amount| format!(", {amount}")).unwrap_or_default();
    let storage = format!("{} of {}", size(status.storage.used_bytes), size(status.storage.cap_bytes));
    fields(&[
        ("node", status.node.to_string()),
        ("name", status.name.clone()),
        ("version", status.version.clone()),
        ("up since", ago(status.now, status.started_at)),
        ("sky", sky_name(&status.sky.name, status.sky.sky)),
        ("data folder", status.data_dir.clone()),
        ("listens at", network.listening.join("  ")),
        ("reachability", network.reachability.clone()),
        ("peers", peers),
        ("traffic", traffic),
        ("offers known", status.offers.to_string()),
        ("sharing", sharing),
        ("done for others", format!("{} tasks", status.sharing.tasks_done)),
        ("own jobs open", status.jobs_open.to_string()),
        ("ledger", format!("height {}, {role}{money}", ledger.height)),
        ("storage", storage),
        ("memory", size(status.resident_bytes)),
    ])
}
