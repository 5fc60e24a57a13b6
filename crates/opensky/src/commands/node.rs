//! `opensky node info`

use crate::{
    commands::Context,
    output::{fields, size},
};
use anyhow::Result;
use clap::Subcommand;
use opensky_api::status::NodeView;

/// Show the node and its machine
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// The machine, its readings, limits and offer
    Info,
}

pub async fn run(context: &Context, command: NodeCommand) -> Result<()> {
    let NodeCommand::Info = command;
    let node = context.client()?.node().await?;
    context.format.print(&node, show)
}

fn show(node: &NodeView) -> String {
    let (hardware, readings) = (&node.hardware, &node.readings);
    let gpus: Vec<String> = hardware.gpus.iter().map(|gpu| gpu.model.clone()).collect();
    let gpus = if gpus.is_empty() { "none".to_owned() } else { gpus.join(", ") };
    let temperature =
        readings.temperature_celsius.map_or("not known".into(), |celsius| format!("{celsius} °C"));
    let offer = node.offer.as_ref().map_or("none yet".to_owned(), |offer| {
        format!("{} of {} slots free, {}", offer.slots_free, offer.slots_total, offer.engine)
    });
    fields(&[
        ("node", node.node.to_string()),
        ("name", node.name.clone()),
        (
            "processor",
            format!("{} ({}, {} cores)", hardware.cpu_model, hardware.cpu_arch, hardware.cpu_cores),
        ),
        ("score", format!("{} million fuel/s on one core", hardware.score_per_core)),
        (
            "memory",
            format!("{}, {} available", size(hardware.memory_bytes), size(readings.memory_available_bytes)),
        ),
        (
            "disk",
            format!("{} free, writes {} MB/s", size(readings.disk_free_bytes), hardware.disk_write_mb_s),
        ),
        ("gpus", gpus),
        ("temperature", temperature),
        ("busy with own work", format!("{} %", readings.cpu_busy_percent)),
        ("offer", offer),
    ])
}
