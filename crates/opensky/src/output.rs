//! Data on standard output, as a table or as JSON; talk goes to standard error.

use crate::terminal::clean;
use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};
use opensky_types::{AccountId, NodeId, Timestamp, resources::ByteSize};
use serde::Serialize;
use std::io::{self, Write};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs: one JSON value.
    Json,
}

impl Format {
    /// Prints `value` as JSON, or calls `show` for people.
    pub fn print<T: Serialize>(self, value: &T, show: impl FnOnce(&T) -> String) -> Result<()> {
        let text = match self {
            Self::Json => serde_json::to_string_pretty(value)?,
            Self::Table => show(value),
        };
        print_line(&text)
    }
}

/// Prints a line to standard output. A reader that has gone (`| head`) is no error.
pub fn print_line(text: &str) -> Result<()> {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// A table; every cell is cleaned, wherever it comes from.
pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows = rows.into_iter().map(|row| row.iter().map(|cell| clean(cell)).collect());
    lay_out(head, rows.collect(), Table::new().width().map(usize::from))
}

/// On a terminal too narrow for whole ids of nodes and accounts, their last letters stand for them, as
/// elsewhere.
pub fn lay_out(head: &[&str], mut rows: Vec<Vec<String>>, width_max: Option<usize>) -> String {
    let build = |rows: &[Vec<String>], arrangement| {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(arrangement);
        table.set_header(head.to_vec()).add_rows(rows);
        table
    };
    let whole = build(&rows, ContentArrangement::Disabled).trim_fmt();
    let width = whole.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    if width_max.is_none_or(|width_max| width <= width_max) {
        return whole;
    }
    for cell in rows.iter_mut().flatten() {
        if let Ok(node) = cell.parse::<NodeId>() {
            *cell = format!("…{}", node.short());
        } else if cell.parse::<AccountId>().is_ok() {
            *cell = format!("…{}", &cell[cell.len() - 8..]);
        }
    }
    let mut narrow = build(&rows, ContentArrangement::Dynamic);
    if let Some(width_max) = width_max {
        narrow.set_width(width_max as u16);
    }
    narrow.trim_fmt()
}

/// Names and values, one a line; values are cleaned.
pub fn fields(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let line = |(name, value): &(&str, String)| format!("{name:<width$}  {}\n", clean(value));
    rows.iter().map(line).collect()
}

/// How long until then; nothing is left of a time that has passed.
pub fn until(now: Timestamp, at: Timestamp) -> String {
    format!("in {}", duration(at.ms_since(now)))
}

/// A size.
pub fn size(bytes: u64) -> String {
    ByteSize::new(bytes).to_string()
}

/// A duration.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        60_000..3_600_000 => format!("{} m {} s", ms / 60_000, ms / 1_000 % 60),
        3_600_000..86_400_000 => format!("{} h {} m", ms / 3_600_000, ms / 60_000 % 60),
        _ => format!("{} d {} h", ms / 86_400_000, ms / 3_600_000 % 24),
    }
}

/// How long ago.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    format!("{} ago", duration(now.ms_since(at)))
}

/// Fuel with a unit of powers of 1000.
pub fn fuel(fuel: u64) -> String {
    match fuel {
        0..10_000 => fuel.to_string(),
        10_000..10_000_000 => format!("{:.1} k", fuel as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} M", fuel as f64 / 1e6),
        10_000_000_000..10_000_000_000_000 => format!("{:.1} G", fuel as f64 / 1e9),
        _ => format!("{:.1} T", fuel as f64 / 1e12),
    }
}

/// This machine's wall clock.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_types::Keypair;

    #[test]
    fn node_ids_are_shortened_only_where_they_do_not_fit() {
        let node = Keypair::from_seed([7; 32]).id();
        let rows = || vec![vec![node.to_string(), "direct".to_owned(), "/ip4/192.0.2.1/tcp/1".to_owned()]];
        let head = ["NODE", "PATH", "ADDRESS"];
        let whole = lay_out(&head, rows(), None);
        assert!(whole.contains(&node.to_string()));
        assert_eq!(whole, lay_out(&head, rows(), Some(200)));
        let narrow = lay_out(&head, rows(), Some(50));
        assert!(narrow.contains(&format!("…{}", node.short())) && !narrow.contains(&node.to_string()));
        assert!(narrow.lines().all(|line| line.chars().count() <= 50), "{narrow}");
        assert_eq!(narrow.lines().count(), 2, "{narrow}");
    }
}
