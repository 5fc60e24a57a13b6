//! A process that freezes another one most of the time.

use anyhow::Result;
use clap::Args;
use rustix::process::{Pid, Signal, getppid, kill_process};
use std::{thread::sleep, time::Duration};

/// Length of one cycle of running and being frozen.
const CYCLE: Duration = Duration::from_millis(100);

/// Slows a process down
#[derive(Debug, Args)]
pub struct ThrottleArgs {
    /// The process
    pid: i32,
    /// Share of the time that it is frozen
    percent: u32,
}

/// Freezes the process for its share of each cycle, until it is gone.
pub fn throttle(args: &ThrottleArgs) -> Result<()> {
    let Some(pid) = Pid::from_raw(args.pid).filter(|pid| Some(*pid) != getppid()) else { return Ok(()) };
    let frozen = CYCLE * args.percent.min(99) / 100;
    while kill_process(pid, Signal::STOP).is_ok() {
        sleep(frozen);
        if kill_process(pid, Signal::CONT).is_err() {
            break;
        }
        sleep(CYCLE - frozen);
    }
    Ok(())
}
