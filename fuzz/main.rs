//! One program for all targets, so that what they need compiles and links once: `OPENSKY_FUZZ_TARGET` names the one
//! that runs. Without it, first inputs are written to `corpus/TARGET/` and the targets' names to standard output.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_fuzz::{TARGETS, Target, find};
use std::{env, fs, io, path::Path, process, sync::OnceLock};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

/// Chooses the target, before libFuzzer reads its arguments.
fn begin() {
    let Ok(name) = env::var("OPENSKY_FUZZ_TARGET") else {
        let written = TARGETS.iter().try_for_each(write_seeds);
        if let Err(error) = &written {
            eprintln!("first inputs cannot be written: {error}");
        }
        process::exit(i32::from(written.is_err()));
    };
    let Some(target) = find(&name) else {
        eprintln!("there is no target '{name}'");
        process::exit(2);
    };
    TARGET.get_or_init(|| target);
}

fn write_seeds(target: &Target) -> io::Result<()> {
    let folder = Path::new("corpus").join(target.name);
    fs::create_dir_all(&folder)?;
    for (name, bytes) in (target.seeds)() {
        fs::write(folder.join(name), bytes)?;
    }
    println!("{}", target.name);
    Ok(())
}

fuzz_target!(init: begin(), |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        (target.check)(bytes);
    }
});
