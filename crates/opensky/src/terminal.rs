//! Text from elsewhere on this terminal (threats.md J5): control characters are taken out, so that a
//! program's output or a peer's name can neither move the cursor nor fake another line.

use std::io::{self, IsTerminal, Write};

/// One line without control characters.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_unsafe(*c)).collect()
}

/// Several lines without other control characters.
pub fn clean_lines(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !is_unsafe(*c)).collect()
}

/// Controls, and the marks that change the direction of writing.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes a program's output: as it is into files and pipes, cleaned onto a terminal.
pub struct RemoteWriter<W> {
    to: W,
    clean: bool,
    /// Bytes of a character that the next piece completes.
    rest: Vec<u8>,
}

impl RemoteWriter<io::Stdout> {
    /// To standard output.
    pub fn stdout() -> Self {
        Self::new(io::stdout(), io::stdout().is_terminal())
    }
}

impl RemoteWriter<io::Stderr> {
    /// To standard error.
    pub fn stderr() -> Self {
        Self::new(io::stderr(), io::stderr().is_terminal())
    }
}

impl<W: Write> RemoteWriter<W> {
    fn new(to: W, clean: bool) -> Self {
        Self { to, clean, rest: Vec::new() }
    }

    /// Writes a piece.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.clean {
            self.to.write_all(bytes)?;
            return self.to.flush();
        }
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.rest.len(),
        };
        let text: Vec<u8> = self.rest.drain(..whole).collect();
        self.to.write_all(clean_lines(&String::from_utf8_lossy(&text)).as_bytes())?;
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j5_terminal_control_is_taken_out() {
        let hostile = [
            "\x1b[2J\x1b[H",
            "\x1b]0;title\x07",
            "\x1b]8;;http://evil\x1b\\",
            "a\rb",
            "\u{9b}31m",
            "\u{202e}gpj.exe",
            "a\x08\x08b",
            "\x1bP+q544e\x1b\\",
            "\x1b[6n",
        ];
        for text in hostile {
            assert!(!clean(text).chars().any(is_unsafe), "{text:?}");
            for size in 1..4 {
                let mut out = Vec::new();
                let mut writer = RemoteWriter::new(&mut out, true);
                text.as_bytes().chunks(size).for_each(|piece| writer.write(piece).unwrap());
                let out = String::from_utf8(out).unwrap();
                assert!(!out.chars().any(|c| is_unsafe(c) && c != '\n'), "{text:?} in pieces of {size}");
            }
        }
        assert_eq!(clean("zażółć 雲"), "zażółć 雲");
    }

    #[test]
    fn files_and_pipes_get_every_byte() {
        let mut out = Vec::new();
        RemoteWriter::new(&mut out, false).write(b"\x1b[31m\x00\xff").unwrap();
        assert_eq!(out, b"\x1b[31m\x00\xff");
    }
}
