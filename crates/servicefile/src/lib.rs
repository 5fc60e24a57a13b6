//! Files that say which services run: text in, a typed and checked plan out.
//!
//! What it is: service files (TOML, YAML and JSON by one schema), and what people already have: Compose files, Akash
//! SDL, Bacalhau jobs. Each mistake is shown with its file, line, column, the line itself and a hint, and what
//! OpenSky cannot do is said before anything starts ([`Unsupported`]). What it never does: read a file, ask an engine
//! or start anything. Start at [`detect()`], then [`parse`] for service files and [`compose::read`], [`sdl::read`]
//! and [`bacalhau::read`] for the others; all of them lead to a [`Plan`] ([`plan`]).

pub mod bacalhau;
pub mod compose;
mod decimal;
mod detect;
mod draft;
pub mod file;
mod gpus;
mod image;
mod import;
mod links;
mod lower;
mod order;
pub mod plan;
mod publish;
pub mod sdl;
mod secrets;
#[cfg(feature = "testing")]
pub mod testing;
mod values;
mod walk;
mod words;

pub use detect::{Kind, detect, format_of};
pub use image::{ImageFacts, ImageRef};
pub use import::{Given, Import, Needs, Unsupported};
pub use opensky_textfile::{FILE_BYTES_MAX, FileError, Format, Span};
pub use plan::{Plan, PlannedService};
pub use publish::Publish;
pub use secrets::{PlannedSecret, SecretSource};

use opensky_textfile::{Fault, Source};

/// Most services in one file.
pub const SERVICES_MAX: usize = 64;

/// Reads and checks a service file. `name` is used in error messages only.
pub fn parse(name: &str, text: &str, format: Format) -> Result<Plan, FileError> {
    let source = Source::new(name, text);
    match read(&source, format) {
        Ok(services) => Ok(Plan::new(source, services)),
        Err(fault) => Err(source.error(fault)),
    }
}

fn read(source: &Source, format: Format) -> Result<Vec<PlannedService>, Fault> {
    let file = opensky_textfile::decode(&source.tree(format)?)?;
    lower::lower(&file)
}

/// The JSON Schema of service files, as published in `docs/service.schema.json`.
pub fn schema() -> String {
    opensky_textfile::schema_of::<file::ServiceFile>()
}
