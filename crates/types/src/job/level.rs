//! Why a stage runs at its level (spec C2).

use crate::{
    place::words,
    text::{ParseError, serde_as_text},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, str::FromStr};

words! {
    /// Why a stage runs at its level.
    LevelReason,
    "a reason for a level: given, only-program, only-image, function, special-hardware, little-io or otherwise",
    {
        /// Its owner said so.
        Given = 0 => "given",
        /// A WASM program is all that it names.
        OnlyProgram = 1 => "only-program",
        /// An image is all that it names.
        OnlyImage = 2 => "only-image",
        /// It names a function: stateless and parallel.
        Function = 3 => "function",
        /// It asks for special hardware.
        SpecialHardware = 4 => "special-hardware",
        /// It computes much and moves little.
        LittleIo = 5 => "little-io",
        /// None of the rules for other levels fits.
        Otherwise = 6 => "otherwise",
    }
}

impl LevelReason {
    /// The reason in a sentence's end: what follows "since".
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Given => "that is its level as given",
            Self::OnlyProgram => "it names a WASM program and no image",
            Self::OnlyImage => "it names an image and no WASM program",
            Self::Function => "it names an exported function, which is stateless and runs in parallel",
            Self::SpecialHardware => "it asks for special hardware, which only images can use",
            Self::LittleIo => "it computes much and reads and writes little, and WASM starts faster",
            Self::Otherwise => "it reads or writes much, and no rule for another level fits",
        }
    }
}
