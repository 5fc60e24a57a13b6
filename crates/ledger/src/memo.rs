//! A few words beside a transfer.

use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, io};

/// Longest memo.
pub const MEMO_BYTES_MAX: usize = 64;

/// Text of at most [`MEMO_BYTES_MAX`] bytes, without control characters, so that it can't change how
/// the text around it looks in a wallet.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize)]
pub struct Memo(String);

/// Why a text is no memo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoError {
    /// It is too long.
    #[error("a memo of {size_bytes} bytes; {MEMO_BYTES_MAX} at most")]
    TooLong { size_bytes: usize },
    /// It holds a control character, such as a line break.
    #[error("a memo with the control character {character:?}")]
    Control { character: char },
}

impl Memo {
    /// A memo of this text.
    pub fn new(text: &str) -> Result<Self, MemoError> {
        if text.len() > MEMO_BYTES_MAX {
            return Err(MemoError::TooLong { size_bytes: text.len() });
        }
        if let Some(character) = text.chars().find(|character| is_unsafe(*character)) {
            return Err(MemoError::Control { character });
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Control characters, and those that turn the direction of text.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BorshDeserialize for Memo {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let text = String::deserialize_reader(reader)?;
        Self::new(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}
