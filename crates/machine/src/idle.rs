//! How long ago someone used keyboard or pointer.
//!
//! Two signs, of which the younger counts: terminals (the kernel marks the time of their last
//! input, which is what `w` shows) and the interrupts of input devices, which serve graphical
//! sessions too. USB controllers count as input devices: their disks then look like use, which errs
//! on the owner's side.

use crate::roots::{Roots, entries, name_of};
use std::{
    fs,
    time::{Instant, SystemTime},
};

/// Words in `/proc/interrupts` that mark a line as one of an input device.
const INPUT_INTERRUPTS: [&str; 6] = ["i8042", "keyboard", "mouse", "touch", "hid", "hci_hcd"];

/// Remembers when the interrupts of input devices last moved.
#[derive(Debug, Default)]
pub(crate) struct IdleMeter {
    last: Option<(u64, Instant)>,
}

impl IdleMeter {
    /// Milliseconds since the last input; `None` on a machine that shows no sign of any. What came
    /// before the first call is not known, so it counts as input.
    pub fn idle_ms(&mut self, roots: &Roots) -> Option<u64> {
        let signs = [terminals_ms(roots, SystemTime::now()), self.interrupts_ms(roots, Instant::now())];
        signs.into_iter().flatten().min()
    }

    fn interrupts_ms(&mut self, roots: &Roots, now: Instant) -> Option<u64> {
        let text = fs::read_to_string(roots.proc.join("interrupts")).ok()?;
        let count = input_interrupts(&text)?;
        let since = match self.last {
            Some((last_count, since)) if last_count == count => since,
            _ => now,
        };
        self.last = Some((count, since));
        u64::try_from(now.duration_since(since).as_millis()).ok()
    }
}

/// The number of interrupts of input devices since boot; `None` without such devices.
fn input_interrupts(text: &str) -> Option<u64> {
    let lines = text.lines().filter(|line| {
        let line = line.to_lowercase();
        INPUT_INTERRUPTS.iter().any(|word| line.contains(word))
    });
    let counts = lines.map(|line| {
        let (_, counts) = line.split_once(':').unwrap_or_default();
        counts.split_whitespace().map_while(|count| count.parse::<u64>().ok()).sum::<u64>()
    });
    counts.reduce(|sum, count| sum.saturating_add(count))
}

/// The youngest input of all terminals: `/dev/tty1`…, `/dev/pts/0`….
fn terminals_ms(roots: &Roots, now: SystemTime) -> Option<u64> {
    let numbered = |name: &str, prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let consoles = entries(&roots.dev).into_iter().filter(|path| numbered(name_of(path), "tty"));
    let windows = entries(&roots.dev.join("pts")).into_iter().filter(|path| numbered(name_of(path), ""));
    let last_input =
        consoles.chain(windows).filter_map(|path| fs::metadata(path).ok()?.accessed().ok()).max()?;
    let idle = now.duration_since(last_input).unwrap_or_default();
    u64::try_from(idle.as_millis()).ok()
}

#[cfg(test)]
mod tests;
