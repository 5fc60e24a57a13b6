//! The machine under a node: what hardware it has, and how it is doing.
//!
//! What it is: [`LocalMachine`], the [`Machine`](opensky_ports::Machine) that reads this computer:
//! processor, memory (within its cgroup), disk, GPUs, temperature, use by others. What it never
//! does: run a task, decide whether to share, send anything anywhere; a sensor that is missing is
//! "not known", never an error. Start at [`LocalMachine::open`].

mod cache;
mod cgroup;
mod cpu;
mod disk;
mod gpu;
mod idle;
mod interfaces;
mod local;
mod roots;
mod score;
mod temperature;

pub use cache::CacheError;
pub use interfaces::{Interface, InterfaceKind, interfaces};
pub use local::LocalMachine;
pub use roots::Roots;
pub use score::{SCORE_FUNCTION, SCORE_PROGRAM, SCORE_RESULT, ScoreRun};
