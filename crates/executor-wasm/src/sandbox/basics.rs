//! What every Unix offers: resource limits, no inherited files, no core dumps.

use super::SandboxLayer;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::sync::OnceLock;

/// Open files of a worker. A program that opens more gets an error from its own open call.
const OPEN_FILES_MAX: u64 = 256;
/// Size of any one file a worker writes; the scratch limit of a task is far below.
const FILE_BYTES_MAX: u64 = 64 << 30;

/// What this process had before it was locked in: it cannot be looked up afterwards.
static DATA_BYTES_BEFORE: OnceLock<u64> = OnceLock::new();

/// Applies limits and says which of them hold.
pub fn apply(memory_bytes: u64) -> SandboxLayer {
    let data_bytes = *DATA_BYTES_BEFORE.get_or_init(data_bytes_now);
    let mut missing = Vec::new();
    let mut step = |name: &str, worked: bool| {
        if !worked {
            missing.push(name.to_owned());
        }
    };
    step("core dumps off", limit(Resource::Core, 0));
    step("open files", limit(Resource::Nofile, OPEN_FILES_MAX));
    step("file size", limit(Resource::Fsize, FILE_BYTES_MAX));
    step("memory", limit(Resource::Data, data_bytes.saturating_add(memory_bytes)));
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    step("no inherited files", close_inherited_files());
    #[cfg(target_os = "linux")]
    {
        step("no new privileges", rustix::thread::set_no_new_privs(true).is_ok());
    }
    ignore_file_size_signal();
    if missing.is_empty() {
        let detail = "no new privileges, resource limits, no inherited files, no core dumps";
        SandboxLayer::new("own process", true, detail)
    } else {
        SandboxLayer::new("own process", false, format!("the system refused: {}", missing.join(", ")))
    }
}

/// Hides this process from debuggers and its `/proc` entries from others of the same user.
#[cfg(target_os = "linux")]
pub fn hide() -> bool {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

/// Sets a soft limit on the size of each file; a later call may raise it again.
pub fn limit_file_bytes(bytes: u64) -> bool {
    let limits = Rlimit { current: Some(bytes.min(FILE_BYTES_MAX)), maximum: Some(FILE_BYTES_MAX) };
    setrlimit(Resource::Fsize, limits).is_ok()
}

/// Lowers for good what this process may have in memory, to so much beyond what it had when it was locked in.
pub fn limit_memory(bytes: u64) -> bool {
    let before = DATA_BYTES_BEFORE.get().copied().unwrap_or_default();
    limit(Resource::Data, before.saturating_add(bytes))
}

fn limit(resource: Resource, value: u64) -> bool {
    let hard = rustix::process::getrlimit(resource).maximum;
    let value = hard.map_or(value, |hard| value.min(hard));
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).is_ok()
}

/// Bytes of private writable memory this process has now; the engine's pools are reserved already.
fn data_bytes_now() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(5).and_then(|pages| pages.parse::<u64>().ok()));
    pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64)
}

/// Makes writing past a size limit an error of that write instead of the end of the process.
fn ignore_file_size_signal() {
    // SAFETY: SIG_IGN is a valid disposition and no handler of ours is replaced.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Closes everything but standard input, output and error.
#[cfg(target_os = "linux")]
fn close_inherited_files() -> bool {
    // A file that the engine opened at its start must stay, so only files marked to survive `exec`
    // (that is, leaked by whoever started us) are closed.
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return false };
    let files: Vec<i32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for file in files.into_iter().filter(|file| *file > 2) {
        // SAFETY: `fcntl` and `close` on numbers touch no memory. A file without close-on-exec was
        // not opened by Rust code of this process, so nothing here owns it.
        unsafe {
            let flags = libc::fcntl(file, libc::F_GETFD);
            if flags >= 0 && flags & libc::FD_CLOEXEC == 0 {
                libc::close(file);
            }
        }
    }
    true
}

#[cfg(not(target_os = "linux"))]
fn close_inherited_files() -> bool {
    true
}
