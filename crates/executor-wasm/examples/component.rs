//! Makes a component of its text, and sees whether the engine takes it.
//!
//! `cargo run -p opensky-executor-wasm --example component -- IN.wat OUT.wasm`

use std::{fs, process::ExitCode};
use wasmtime::{Config, Engine, component::Component};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = args.as_slice() else {
        eprintln!("say what to read and what to write");
        return ExitCode::FAILURE;
    };
    let made = || -> Result<(), String> {
        let bytes = wat::parse_file(from).map_err(|error| error.to_string())?;
        let engine = Engine::new(&Config::new()).map_err(|error| error.to_string())?;
        Component::new(&engine, &bytes).map_err(|error| format!("{error:#}"))?;
        fs::write(to, bytes).map_err(|error| format!("cannot write {to}: {error}"))
    };
    match made() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
