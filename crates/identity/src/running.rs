//! What a running node tells the command line: its process and its API's address.

use crate::{
    files::{self, FileError},
    layout::Layout,
};
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

/// Contents of `run/node.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningNode {
    /// The node's process.
    pub pid: u32,
    /// Where its API listens, such as `127.0.0.1:7070`.
    pub api: String,
    /// When the process started, in clock ticks since boot: tells it from a later process with the
    /// same number. `None` where the system does not say.
    started_ticks: Option<u64>,
}

impl RunningNode {
    /// Tells of this process; called once its API listens.
    pub fn publish(layout: &Layout, api: String) -> Result<Self, FileError> {
        let pid = std::process::id();
        let running = Self { pid, api, started_ticks: started_ticks(pid) };
        let mut text = serde_json::to_vec_pretty(&running).expect("numbers and text are JSON");
        text.push(b'\n');
        files::write(&layout.running(), &text)?;
        Ok(running)
    }

    /// The node that runs in this folder; `None` where none does, though one may have left its file.
    pub fn find(layout: &Layout) -> Result<Option<Self>, FileError> {
        let bytes = files::read(&layout.running())?;
        let running = bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        Ok(running.filter(Self::is_alive))
    }

    /// Removes what a running node left; called at a clean stop and at start.
    pub fn clear(layout: &Layout) -> Result<(), FileError> {
        files::remove(&layout.running())?;
        files::remove(&layout.api_token())
    }

    /// Whether its process is still there.
    pub fn is_alive(&self) -> bool {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return false };
        // A process of another user may not be signalled, but it is there.
        let exists = !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH));
        exists && started_ticks(self.pid) == self.started_ticks
    }
}

/// Field 22 of `/proc/PID/stat` (proc(5)), counted behind the command's closing parenthesis. `None`
/// for a process that has ended and only waits for its parent to notice.
fn started_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    if fields.next() == Some("Z") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}
