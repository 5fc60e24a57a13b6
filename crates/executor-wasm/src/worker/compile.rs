//! Turning programs into artefacts.

use super::Link;
use super::failure::printable;
use crate::frame::{Order, Report};
use wasmtime::Engine;

/// Most bytes of a program.
pub const PROGRAM_BYTES_MAX: u64 = 64 << 20;

/// The first bytes of a component; those of a module have other version and layer fields.
const COMPONENT_START: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
const MODULE_START: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

/// Compiles what is asked for until the executor hangs up.
pub fn serve(link: &Link, engine: &Engine) -> Result<(), String> {
    while let Some(order) = link.next_order() {
        let Order::Compile { size_bytes } = order else { return Err("a compiler got another order".into()) };
        let program = receive(link, size_bytes)?;
        match compile(engine, &program) {
            Ok(artefact) => {
                link.outbox.send(&Report::Compiled { size_bytes: artefact.len() as u64 });
                link.outbox.send_pieces(&artefact, Report::Piece);
            }
            Err(message) => link.outbox.send(&Report::NotCompiled { message }),
        }
        link.outbox.flush();
    }
    Ok(())
}

fn receive(link: &Link, size_bytes: u64) -> Result<Vec<u8>, String> {
    if size_bytes > PROGRAM_BYTES_MAX {
        return Err(format!("a program of {size_bytes} bytes was announced"));
    }
    let mut program = Vec::with_capacity(size_bytes as usize);
    while (program.len() as u64) < size_bytes {
        match link.next_order() {
            Some(Order::Piece(piece)) => program.extend_from_slice(&piece),
            _ => return Err("the program did not come whole".into()),
        }
    }
    Ok(program)
}

fn compile(engine: &Engine, program: &[u8]) -> Result<Vec<u8>, String> {
    let compiled = if program.starts_with(&COMPONENT_START) {
        engine.precompile_component(program)
    } else if program.starts_with(&MODULE_START) {
        engine.precompile_module(program)
    } else {
        return Err("it does not start like a WASM module or component".into());
    };
    compiled.map_err(|error| printable(&format!("{error:#}"), 512))
}
