//! What a run found: tables of numbers, as text, as CSV and (by its `Serialize`) as JSON.

use serde::Serialize;
use std::fmt::{self, Write as _};

/// All tables of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Nodes of the largest sky.
    pub nodes: usize,
    /// The seed.
    pub seed: u64,
    /// Events that happened.
    pub events: u64,
    /// The same for two runs only if every event and every number was.
    pub hash: String,
    /// What was found.
    pub tables: Vec<Table>,
}

/// One table, or the points of a curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Short name, such as `lookups`.
    pub id: &'static str,
    /// What it shows.
    pub title: String,
    /// Its columns with their units.
    pub columns: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// Columns to plot, the second over the first.
    pub plot: Option<(usize, usize)>,
}

/// One place of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// A count.
    Count(u64),
    /// A measure.
    Number(f64),
    /// A name.
    Text(String),
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => f.pad(&grouped(*count)),
            Self::Text(text) => f.pad(text),
            Self::Number(number) if !number.is_finite() => f.pad("-"),
            Self::Number(number) if number.abs() >= 1_000.0 => f.pad(&grouped(number.round() as u64)),
            Self::Number(number) if number.abs() >= 100.0 => f.pad(&format!("{number:.0}")),
            Self::Number(number) if number.abs() >= 10.0 => f.pad(&format!("{number:.1}")),
            Self::Number(number) if number.abs() >= 0.1 || *number == 0.0 => f.pad(&format!("{number:.2}")),
            Self::Number(number) => f.pad(&format!("{number:.4}")),
        }
    }
}

impl Cell {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Table {
    /// An empty table.
    pub fn new(id: &'static str, title: impl Into<String>, columns: &[&'static str]) -> Self {
        Self {
            id,
            title: title.into(),
            columns: columns.to_vec(),
            rows: Vec::new(),
            notes: Vec::new(),
            plot: None,
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
        debug_assert_eq!(self.rows.last().map(Vec::len), Some(self.columns.len()), "table {}", self.id);
    }

    /// Adds a note.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// A number by its row and column, for tests and later tables.
    pub fn number(&self, row: usize, column: &str) -> Option<f64> {
        let column = self.columns.iter().position(|name| *name == column)?;
        self.rows.get(row)?.get(column)?.number()
    }

    /// The table as lines of CSV.
    pub fn csv(&self) -> String {
        let field = |text: String| {
            if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
        };
        let mut text =
            self.columns.iter().map(|name| field((*name).to_owned())).collect::<Vec<_>>().join(",");
        for row in &self.rows {
            let cells = row.iter().map(|cell| match cell {
                Cell::Count(count) => count.to_string(),
                Cell::Number(number) => format!("{number:.4}"),
                Cell::Text(text) => field(text.clone()),
            });
            text.push('\n');
            text.push_str(&cells.collect::<Vec<_>>().join(","));
        }
        text.push('\n');
        text
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.id, self.title)?;
        let cells: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        let width = |column: usize| {
            let heads = self.columns[column].chars().count();
            cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(heads)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |texts: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for (text, width) in texts.zip(&widths) {
                // Writing into a string does not fail.
                let _ = write!(line, "  {text:>width$}");
            }
            line
        };
        writeln!(f, "{}", line(&mut self.columns.iter().copied()))?;
        for row in &cells {
            writeln!(f, "{}", line(&mut row.iter().map(String::as_str)))?;
        }
        if let Some((x, y)) = self.plot {
            plot(f, self, x, y)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  ({note})"))
    }
}

/// One bar for each row.
fn plot(f: &mut fmt::Formatter<'_>, table: &Table, x: usize, y: usize) -> fmt::Result {
    const WIDTH: f64 = 50.0;
    let values: Vec<f64> = table.rows.iter().map(|row| row[y].number().unwrap_or(0.0)).collect();
    let largest = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    writeln!(f, "  {} over {}", table.columns[y], table.columns[x])?;
    for (row, value) in table.rows.iter().zip(values) {
        let bar = "#".repeat((value / largest * WIDTH).round().max(0.0) as usize);
        writeln!(f, "  {:>12} |{bar} {}", row[x].to_string(), row[y])?;
    }
    Ok(())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            writeln!(f, "{table}")?;
        }
        writeln!(
            f,
            "{} nodes, seed {}, {} events, hash {}",
            self.nodes,
            self.seed,
            grouped(self.events),
            self.hash
        )
    }
}

/// The value below which `share` of the values lie; they are put in order.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Their mean.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { f64::NAN } else { values.iter().sum::<f64>() / values.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Table, quantile};

    #[test]
    fn t2_tables_print_as_text_and_csv() {
        let mut table = Table::new("sample", "a sample", &["nodes", "what", "ms"]);
        table.row([Cell::from(1_234_567_u64), Cell::from("a, b"), Cell::from(1.5)]);
        assert_eq!(table.csv(), "nodes,what,ms\n1234567,\"a, b\",1.5000\n");
        assert!(table.to_string().contains("1,234,567  a, b  1.50"));
        assert_eq!(table.number(0, "ms"), Some(1.5));
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0], 0.5), 2.0);
    }
}
