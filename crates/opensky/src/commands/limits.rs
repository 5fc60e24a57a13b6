//! `opensky limits`

use crate::{
    commands::Context,
    fail::{Exit, Fail},
    output::{fields, size},
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_api::limits::{HoursView, LimitsView};
use opensky_types::{Micros, resources::ByteSize};

/// Show or change what this machine shares
#[derive(Debug, Subcommand)]
pub enum LimitsCommand {
    /// Show the limits
    Show,
    /// Change some limits; they hold at once and over restarts
    Set(SetArgs),
}

/// Change some limits
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  opensky limits set --cpu 25 --memory 2GiB
  opensky limits set --price 0.0002         credits for a billion fuel
  opensky limits set --gpus 1               programs of others get the first GPU
  opensky limits set --hours 22:00-07:00 --only-when-idle true
  opensky limits set --share false         share nothing, keep running own jobs"
)]
pub struct SetArgs {
    /// Whether the machine shares at all
    #[arg(long)]
    share: Option<bool>,
    /// Processor, in percent of all cores
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    cpu: Option<u8>,
    /// Memory for others' tasks
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// Disk for others' content and scratch
    #[arg(long, value_name = "SIZE")]
    disk: Option<ByteSize>,
    /// Only in these hours of the day, or `always`
    #[arg(long, value_name = "FROM-TO", value_parser = hours)]
    hours: Option<Hours>,
    /// Only while nobody uses the machine
    #[arg(long)]
    only_when_idle: Option<bool>,
    /// Degrees Celsius from which no new task starts
    #[arg(long, value_name = "CELSIUS")]
    temperature_warning: Option<i16>,
    /// Degrees Celsius at which running tasks are stopped
    #[arg(long, value_name = "CELSIUS")]
    temperature_critical: Option<i16>,
    /// Price of one billion fuel, in credits; open agreements keep theirs
    #[arg(long, value_name = "CREDITS", value_parser = crate::amount::amount)]
    price: Option<Micros>,
    /// GPUs that programs of others can have, one program at a time each
    #[arg(long, value_name = "COUNT")]
    gpus: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Hours(Option<HoursView>);

pub async fn run(context: &Context, command: LimitsCommand) -> Result<()> {
    let client = context.client()?;
    let view = client.limits().await?;
    let LimitsCommand::Set(args) = command else { return context.format.print(&view, show) };
    let mut limits = view.limits;
    limits.share = args.share.unwrap_or(limits.share);
    limits.cpu_percent = args.cpu.unwrap_or(limits.cpu_percent);
    limits.memory_bytes = args.memory.map_or(limits.memory_bytes, ByteSize::get);
    limits.disk_bytes = args.disk.map_or(limits.disk_bytes, ByteSize::get);
    limits.hours = args.hours.map_or(limits.hours, |hours| hours.0);
    limits.only_when_idle = args.only_when_idle.unwrap_or(limits.only_when_idle);
    limits.temperature_warning = args.temperature_warning.unwrap_or(limits.temperature_warning);
    limits.temperature_critical = args.temperature_critical.unwrap_or(limits.temperature_critical);
    limits.gpus = args.gpus.unwrap_or(limits.gpus);
    limits.price_per_gfuel = args.price.unwrap_or(limits.price_per_gfuel);
    opensky_types::limits::ContributionLimits::try_from(limits.clone())
        .map_err(|error| Fail::new(Exit::Invalid, error.to_string()))?;
    context.format.print(&client.set_limits(&limits).await?, show)
}

fn show(view: &LimitsView) -> String {
    let limits = &view.limits;
    let hours = limits.hours.map_or("always".to_owned(), |hours| {
        format!("{}-{}", clock(hours.from_minute), clock(hours.to_minute))
    });
    let now = match view.closed_reason.as_str() {
        "" => format!("sharing, {} tasks at a time", view.slots_total),
        reason => format!("not sharing: {reason}"),
    };
    fields(&[
        ("now", now),
        ("share", limits.share.to_string()),
        ("cpu", format!("{} %", limits.cpu_percent)),
        ("memory", size(limits.memory_bytes)),
        ("disk", size(limits.disk_bytes)),
        ("gpus", limits.gpus.to_string()),
        ("hours", hours),
        ("only when idle", limits.only_when_idle.to_string()),
        (
            "temperature",
            format!(
                "no new task from {} °C, stop at {} °C",
                limits.temperature_warning, limits.temperature_critical
            ),
        ),
        ("price", format!("{} a billion fuel, in a sky with prices", limits.price_per_gfuel)),
    ])
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok();
    number
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| "percent look like 25 or 25%, 100 at most".to_owned())
}

fn hours(text: &str) -> Result<Hours, String> {
    if text == "always" {
        return Ok(Hours(None));
    }
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60 && hour * 60 + minute <= 1440).then_some(hour * 60 + minute)
    };
    let both = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    let (from_minute, to_minute) = both.ok_or("hours look like 22:00-07:00, or always")?;
    Ok(Hours(Some(HoursView { from_minute, to_minute })))
}
