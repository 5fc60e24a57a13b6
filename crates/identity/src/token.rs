//! The token that the local API asks for.

use crate::{
    files::{self, FileError},
    fill_random,
    layout::Layout,
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// 32 random bytes as 64 hex digits. Made anew at each start; its `Debug` shows nothing.
#[derive(Debug, Clone)]
pub struct ApiToken(SecretString);

impl ApiToken {
    /// Makes a token and writes it for the owner's command line (mode 0600).
    pub fn create(layout: &Layout) -> Result<Self, FileError> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill_random(bytes.as_mut_slice());
        let digits = Zeroizing::new(hex::encode(bytes.as_slice()));
        files::write(&layout.api_token(), digits.as_bytes())?;
        Ok(Self(SecretString::from(digits.as_str())))
    }

    /// The token of the running node; `None` where none is there.
    pub fn read(layout: &Layout) -> Result<Option<Self>, FileError> {
        let bytes = files::read(&layout.api_token())?.map(Zeroizing::new);
        let text = bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        Ok(text.filter(|text| text.len() == 64).map(|text| Self(SecretString::from(text))))
    }

    /// The digits, for the request header.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether `given` is this token; takes the same time wherever they differ.
    pub fn matches(&self, given: &str) -> bool {
        blake3::hash(given.as_bytes()) == blake3::hash(self.expose().as_bytes())
    }
}
