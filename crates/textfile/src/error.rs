//! What is wrong with a file, and where.

use std::fmt;

/// A mistake in a file. `Display` shows it in full, over several lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    /// The file's name as given.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Characters at fault, at least 1.
    pub length: u32,
    /// The line.
    pub line_text: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right, where that can be said.
    pub hint: Option<String>,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.problem)?;
        let number = format!("{:>5}", self.line);
        writeln!(f, "{number} | {}", self.line_text)?;
        // Tabs are kept so that the mark stands under what it marks.
        let before = self.line_text.chars().take(self.column as usize - 1);
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        write!(f, "      | {indent}{}", "^".repeat(self.length as usize))?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}
