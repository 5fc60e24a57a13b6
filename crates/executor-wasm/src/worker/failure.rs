//! From what the engine says to why a task failed.

use super::{limiter::Limiter, streams::InputLost};
use crate::frame::Ending;
use opensky_types::{resources::Limit, task::Failure};
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Functions named in the message of a trap.
const FRAMES_MAX: usize = 6;
/// Most characters of a function's name in the message of a trap.
const NAME_CHARACTERS_MAX: usize = 64;
/// Most characters of a message.
const MESSAGE_CHARACTERS_MAX: usize = 512;

/// A task passed a limit that the worker itself watches.
#[derive(Debug, thiserror::Error)]
#[error("stopped at its {0} limit")]
pub struct Reached(pub Limit);

/// When it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// While its imports were linked and its memories made, before any of its code ran.
    Linking,
    /// While its code ran.
    Running,
}

/// How a task ended whose run ended with `error`.
pub fn ending(error: &wasmtime::Error, phase: Phase, limiter: &Limiter) -> Ending {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Ending::Exited { code: *code };
    }
    let limit = |limit| Ending::Failed(Failure::Limit { limit });
    if let Some(Reached(reached)) = error.downcast_ref() {
        return limit(*reached);
    }
    if error.is::<InputLost>() {
        // The executor knows which input, and says so instead.
        return Ending::Failed(Failure::Trap { message: "its input was lost".into() });
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return limit(Limit::Table);
    }
    match (error.downcast_ref::<Trap>(), limiter.denied()) {
        (Some(Trap::OutOfFuel), _) => limit(Limit::Fuel),
        (Some(Trap::StackOverflow), _) => limit(Limit::Stack),
        (_, Some(denied)) => limit(denied),
        (Some(trap), None) => Ending::Failed(Failure::Trap { message: trap_message(*trap, error) }),
        (None, None) => {
            let message = printable(&format!("{:#}", error.root_cause()), MESSAGE_CHARACTERS_MAX);
            Ending::Failed(match phase {
                Phase::Linking => Failure::InvalidProgram { message },
                Phase::Running => Failure::Trap { message },
            })
        }
    }
}

/// What trapped and where: names of the program's own functions, never addresses or paths of ours.
fn trap_message(trap: Trap, error: &wasmtime::Error) -> String {
    let what = trap.to_string();
    let what = what.strip_prefix("wasm trap: ").unwrap_or(&what);
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], |backtrace| backtrace.frames());
    let names: Vec<String> = frames
        .iter()
        .take(FRAMES_MAX)
        .map(|frame| match frame.func_name() {
            Some(name) => printable(name, NAME_CHARACTERS_MAX),
            None => format!("function {}", frame.func_index()),
        })
        .collect();
    if names.is_empty() { what.to_owned() } else { format!("{what}, in {}", names.join(", called from ")) }
}

/// `text` without control characters and of bounded length: it may come from a hostile program and
/// ends in messages that people read.
pub fn printable(text: &str, characters_max: usize) -> String {
    let mut clean: String =
        text.chars().take(characters_max).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(characters_max).is_some() {
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_short_and_plain() {
        assert_eq!(printable("a\u{1b}[31mb\n", 10), "a [31mb ");
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
    }

    #[test]
    fn limits_win_over_the_traps_they_cause() {
        use wasmtime::ResourceLimiter;
        let mut limiter = Limiter::new(10, 10);
        let trap = || wasmtime::Error::from(Trap::UnreachableCodeReached);
        assert!(matches!(
            ending(&trap(), Phase::Running, &limiter),
            Ending::Failed(Failure::Trap { message }) if message == "wasm `unreachable` instruction executed"
        ));
        assert!(!limiter.memory_growing(0, 20, None).unwrap());
        assert_eq!(
            ending(&trap(), Phase::Running, &limiter),
            Ending::Failed(Failure::Limit { limit: Limit::Memory })
        );
        assert_eq!(
            ending(&Trap::OutOfFuel.into(), Phase::Running, &limiter),
            Ending::Failed(Failure::Limit { limit: Limit::Fuel })
        );
        assert_eq!(ending(&I32Exit(7).into(), Phase::Running, &limiter), Ending::Exited { code: 7 });
    }
}
