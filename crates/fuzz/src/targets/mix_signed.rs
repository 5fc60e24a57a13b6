//! The same as `mix` with signatures made and checked: slower, so with fewer blocks.

use crate::{Seeds, mix};

/// With signatures.
pub fn check(bytes: &[u8]) {
    mix::run(bytes, true);
}

/// First inputs.
pub fn seeds() -> Seeds {
    mix::seeds()
}
