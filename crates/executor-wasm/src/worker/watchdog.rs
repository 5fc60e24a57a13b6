//! The thread that makes time pass: it ends the patience of running programs, sends off gathered
//! output, and notices when the executor is gone.

use super::outbox::Outbox;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, Thread},
    time::Duration,
};
use wasmtime::Engine;

/// How often running programs are looked at.
pub const TICK: Duration = Duration::from_millis(5);
/// Ticks without a task after which the thread sleeps until the next one.
const IDLE_TICKS: u32 = 40;
/// Ticks between two looks at who our parent is.
const PARENT_TICKS: u32 = 100;

/// The worker's handle to the thread.
pub struct Watchdog {
    state: Arc<State>,
    thread: Thread,
}

#[derive(Default)]
struct State {
    busy: AtomicBool,
    asleep: AtomicBool,
}

/// Starts the thread. It watches from the start, since a compiler is busy all its life.
pub fn start(engine: Engine, outbox: Arc<Outbox>, parent_pid: u32) -> std::io::Result<Watchdog> {
    let state = Arc::new(State::default());
    let watched = state.clone();
    let thread = thread::Builder::new()
        .name("watchdog".into())
        .spawn(move || watch(&watched, &engine, &outbox, parent_pid))?;
    Ok(Watchdog { state, thread: thread.thread().clone() })
}

impl Watchdog {
    /// A task runs from now on.
    pub fn task_starts(&self) {
        self.state.busy.store(true, SeqCst);
        if self.state.asleep.swap(false, SeqCst) {
            self.thread.unpark();
        }
    }

    /// No task runs from now on.
    pub fn task_ended(&self) {
        self.state.busy.store(false, SeqCst);
    }
}

fn watch(state: &State, engine: &Engine, outbox: &Outbox, parent_pid: u32) {
    let mut ticks: u32 = 0;
    let mut idle: u32 = 0;
    loop {
        thread::sleep(TICK);
        engine.increment_epoch();
        outbox.flush();
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(PARENT_TICKS) && std::os::unix::process::parent_id() != parent_pid {
            std::process::exit(1);
        }
        idle = if state.busy.load(SeqCst) { 0 } else { idle + 1 };
        if idle > IDLE_TICKS {
            state.asleep.store(true, SeqCst);
            // A task that started between the two looks has seen `asleep` and will unpark us, or we
            // see it here.
            if !state.busy.load(SeqCst) {
                thread::park();
            }
            state.asleep.store(false, SeqCst);
            idle = 0;
        }
    }
}
