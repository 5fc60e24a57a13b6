//! Where a node is and what kind of work it takes.

use crate::text::{ParseError, serde_as_text};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, str::FromStr};

/// A closed list of words with one spelling each, on screen, in files and in JSON.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $expected:literal, { $($(#[$vdoc:meta])* $variant:ident = $value:literal => $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
        #[borsh(use_discriminant = true)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $value,)* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParseError;
            fn from_str(text: &str) -> Result<Self, ParseError> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
                    .ok_or_else(|| ParseError::new(text, $expected))
            }
        }

        serde_as_text!($name);
    };
}
pub(crate) use words;

words! {
    /// A region of the world (spec N11). `Unknown` until configured or inferred.
    Region,
    "a region: asia, north-america, europe, africa, south-america, oceania, middle-east or unknown",
    {
        /// Not configured.
        Unknown = 0 => "unknown",
        /// Asia.
        Asia = 1 => "asia",
        /// North America.
        NorthAmerica = 2 => "north-america",
        /// Europe.
        Europe = 3 => "europe",
        /// Africa.
        Africa = 4 => "africa",
        /// South America.
        SouthAmerica = 5 => "south-america",
        /// Oceania.
        Oceania = 6 => "oceania",
        /// Middle East.
        MiddleEast = 7 => "middle-east",
    }
}

words! {
    /// What kind of work a node is meant for (spec C11).
    NodeKind,
    "a node kind: general, wasm, ai, simulation, storage, relay or ingress",
    {
        /// Anything.
        General = 0 => "general",
        /// WASM tasks only.
        Wasm = 1 => "wasm",
        /// AI inference.
        Ai = 2 => "ai",
        /// Long simulations.
        Simulation = 3 => "simulation",
        /// Keeps data.
        Storage = 4 => "storage",
        /// Carries others' traffic.
        Relay = 5 => "relay",
        /// Serves the public internet.
        Ingress = 6 => "ingress",
    }
}

words! {
    /// How a task runs (spec C2).
    Level,
    "a level: function, vm or container",
    {
        /// A call of one exported function of a WASM module or component.
        Function = 0 => "function",
        /// A WASI command program: arguments, stdin, files in, stdout, files out, exit code.
        Vm = 1 => "vm",
        /// An image run by a container engine: the same, for programs of any language.
        Container = 2 => "container",
    }
}
