//! Two texts whose numbers may differ a little: everything else is the same in both, but for how much white space
//! stands within a line.

use opensky_types::job::Tolerance;

/// Where two texts differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The line, from 1.
    pub line: u32,
    /// What is there in one and in the other, shortened.
    pub found: (String, String),
}

/// Longest piece of a text that a difference shows, in bytes.
const SHOWN_BYTES_MAX: usize = 40;
/// Longest literal that is read as a number, in bytes.
const NUMBER_BYTES_MAX: usize = 64;

/// Where two texts differ by more than is allowed; `None` if nowhere.
pub fn difference(left: &[u8], right: &[u8], tolerance: &Tolerance) -> Option<Difference> {
    let (mut left, mut right) = (Text::of(left), Text::of(right));
    loop {
        let (before, other) = (left.clone(), right.clone());
        let is_same = match (left.next(), right.next()) {
            (None, None) => return None,
            (Some(Token::Number(one)), Some(Token::Number(two))) => tolerance.is_close(one, two),
            (one, two) => one == two,
        };
        if !is_same {
            return Some(Difference { line: before.line, found: (before.shown(), other.shown()) });
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    /// White space within a line, however much.
    Space,
    Number(f64),
    Byte(u8),
}

#[derive(Clone)]
struct Text<'a> {
    rest: &'a [u8],
    line: u32,
    /// Whether a number may begin here: not within a word.
    is_apart: bool,
}

impl<'a> Text<'a> {
    /// White space at the end of a text does not count.
    fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.trim_ascii_end(), line: 1, is_apart: true }
    }

    fn next(&mut self) -> Option<Token> {
        let byte = *self.rest.first()?;
        let blanks = self.rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        if blanks > 0 {
            self.rest = &self.rest[blanks..];
            self.is_apart = true;
            // At the end of a line it does not count.
            return if self.rest.first() == Some(&b'\n') { self.next() } else { Some(Token::Space) };
        }
        let length = if self.is_apart { number_length(self.rest) } else { 0 };
        if length > 0
            && let Some(number) =
                std::str::from_utf8(&self.rest[..length]).ok().and_then(|text| text.parse().ok())
        {
            self.rest = &self.rest[length..];
            self.is_apart = false;
            return Some(Token::Number(number));
        }
        self.rest = &self.rest[1..];
        self.line = self.line.saturating_add(u32::from(byte == b'\n'));
        self.is_apart = !is_of_word(byte);
        Some(Token::Byte(byte))
    }

    fn shown(&self) -> String {
        if self.rest.is_empty() {
            return "the end".into();
        }
        let line = self.rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES_MAX)]);
        format!("\"{}\"", text.escape_debug())
    }
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.'
}

/// How long the number is that begins here, such as `-1.5e-3`; 0 if none does.
fn number_length(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut part = 0;
    if bytes.get(end) == Some(&b'.') {
        part = digits(end + 1);
        end += 1 + part;
    }
    if whole + part == 0 {
        return 0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let power = digits(end + 1 + sign);
        if power > 0 {
            end += 1 + sign + power;
        }
    }
    let is_word = bytes.get(end).is_some_and(|byte| is_of_word(*byte));
    if is_word || end > NUMBER_BYTES_MAX { 0 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_types::job::Real;
    use proptest::prelude::*;

    fn allowed(absolute: f64, relative: f64) -> Tolerance {
        let real = |number| Real::new(number).expect("it is finite");
        Tolerance { absolute: real(absolute), relative: real(relative) }
    }

    #[test]
    fn v1_numbers_may_differ_a_little_and_nothing_else() {
        for (left, right, absolute, relative, same) in [
            ("1.0", "1.05", 0.1, 0.0, true),
            ("1.0", "1.2", 0.1, 0.0, false),
            ("100", "101", 0.0, 0.01, true),
            ("100", "102", 0.0, 0.01, false),
            ("x = -1e-3, y = 2", "x = -1.0e-3, y = 2.0", 0.0, 0.0, true),
            ("a  1\n", "a 1", 0.0, 0.0, true),
            ("a 1 \nb", "a 1\nb", 0.0, 0.0, true),
            ("a1", "a2", 10.0, 0.0, false),
            ("3fa9", "4fa9", 10.0, 0.0, false),
            ("v1.2.3", "v1.2.4", 10.0, 0.0, false),
            ("1.2.3", "1.2.4", 10.0, 0.0, false),
            ("1 2", "1", 10.0, 0.0, false),
            ("1 2", "1\n2", 10.0, 0.0, false),
            ("nan", "nan", 0.0, 0.0, true),
            ("0.0", "-0.0", 0.0, 0.0, true),
            ("1e999", "2e999", 1.0, 1.0, true),
            ("1e999", "1", 0.0, 1.0, false),
            ("1", "-1e999", 1e300, 1e-6, false),
            ("1e999", "-1e999", 1.0, 0.0, false),
            ("good", "gold", 10.0, 10.0, false),
            ("", "", 0.0, 0.0, true),
        ] {
            for (left, right) in [(left, right), (right, left)] {
                let found = difference(left.as_bytes(), right.as_bytes(), &allowed(absolute, relative));
                assert_eq!(found.is_none(), same, "{left:?} {right:?}: {found:?}");
            }
        }
        let found = difference(b"a\nb 1\nc 2 end", b"a\nb 1\nc 9 end", &allowed(0.5, 0.0));
        let shown = ("\"2 end\"".to_owned(), "\"9 end\"".to_owned());
        assert_eq!(found, Some(Difference { line: 3, found: shown }));
    }

    proptest! {
        #[test]
        fn v1_any_bytes_are_like_themselves(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(difference(&bytes, &bytes, &allowed(0.0, 0.0)), None);
        }

        #[test]
        fn v1_what_is_far_apart_is_told_from_what_is_near(
            numbers in proptest::collection::vec(-1e6f64..1e6, 1..20),
            at in any::<prop::sample::Index>(),
        ) {
            let text = |numbers: &[f64]| numbers.iter().map(|n| format!("{n:?} ")).collect::<String>();
            let near: Vec<f64> = numbers.iter().map(|n| n + 0.25).collect();
            let mut far = near.clone();
            far[at.index(numbers.len())] += 2.0;
            let compare = |other: &[f64]| {
                difference(text(&numbers).as_bytes(), text(other).as_bytes(), &allowed(0.5, 0.0))
            };
            prop_assert_eq!(compare(&near), None);
            prop_assert!(compare(&far).is_some());
        }
    }
}
