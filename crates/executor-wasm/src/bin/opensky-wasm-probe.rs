//! Locks itself in like a worker, then tries what a worker must not be able to do, and says what
//! worked; with `serve` like a worker that answers HTTP. For the sandbox tests of this crate only; it is not shipped.

use opensky_executor_wasm::sandbox::{self, Allowed};
use std::{fs, io, path::Path};

fn main() {
    let dir = std::env::args_os().nth(1).expect("the test names a folder");
    let dir = Path::new(&dir);
    let (read_dir, write_dir) = (dir.join("readable"), dir.join("scratch"));
    let report = sandbox::enter(Allowed {
        read_dir: Some(&read_dir),
        write_dir: Some(&write_dir),
        memory_bytes: 256 << 20,
        takes_connections: std::env::args_os().nth(2).is_some_and(|role| role == "serve"),
    });
    for layer in &report.layers {
        let state = if layer.active { "active" } else { "missing" };
        println!("{} {state}\n    {}", layer.name, layer.detail);
    }
    files(dir);
    limits();
    system_calls();
}

fn say<T, E>(name: &str, result: Result<T, E>) {
    println!("{name}: {}", if result.is_ok() { "ALLOWED" } else { "denied" });
}

fn files(dir: &Path) {
    say("read cache", fs::read(dir.join("readable/file")));
    say("write scratch", fs::write(dir.join("scratch/file"), "x"));
    say("read /etc/passwd", fs::read("/etc/passwd"));
    say("read secret", fs::read(dir.join("secret")));
    say("read /proc/self/mem", fs::File::open("/proc/self/mem"));
    say("write outside", fs::write(dir.join("outside"), "x"));
    say("write cache", fs::write(dir.join("readable/file"), "x"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    say("change mode", fs::set_permissions(dir.join("scratch/file"), mode));
    say("change owner", std::os::unix::fs::chown(dir.join("scratch/file"), Some(1), Some(1)));
}

fn limits() {
    let path = std::env::args_os().nth(1).expect("the test names a folder");
    let file = Path::new(&path).join("readable/file");
    let open: Result<Vec<fs::File>, io::Error> = (0..300).map(|_| fs::File::open(&file)).collect();
    say("more files than 256", open);
    let core = rustix::process::getrlimit(rustix::process::Resource::Core);
    say("core dump", if core.maximum == Some(0) { Err(()) } else { Ok(()) });
    say("start a thread", std::thread::Builder::new().spawn(|| ()).map(|thread| thread.join()));
}

#[cfg(target_os = "linux")]
fn system_calls() {
    let call = |name: &str, number: libc::c_long, arguments: [libc::c_long; 4]| {
        let [a, b, c, d] = arguments;
        // SAFETY: each call is meant to be refused before the kernel looks at its arguments, which
        // are numbers or null pointers either way.
        let result = unsafe { libc::syscall(number, a, b, c, d) };
        let refused = result == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
        say(name, if refused { Err(()) } else { Ok(()) });
    };
    say("socket", std::net::UdpSocket::bind("127.0.0.1:0"));
    say("unix socket pair", std::os::unix::net::UnixStream::pair());
    say("execve", std::process::Command::new("/bin/true").status());
    call("fork", libc::SYS_clone, [libc::c_long::from(libc::SIGCHLD), 0, 0, 0]);
    call("ptrace", libc::SYS_ptrace, [0, 0, 0, 0]);
    call("kill parent", libc::SYS_kill, [libc::c_long::from(std::os::unix::process::parent_id()), 0, 0, 0]);
    call("mount", libc::SYS_mount, [0, 0, 0, 0]);
    call("io_uring", libc::SYS_io_uring_setup, [1, 0, 0, 0]);
    call("bpf", libc::SYS_bpf, [0, 0, 0, 0]);
    call("perf", libc::SYS_perf_event_open, [0, 0, 0, 0]);
    call("keyring", libc::SYS_add_key, [0, 0, 0, 0]);
    call("namespace", libc::SYS_unshare, [libc::c_long::from(libc::CLONE_NEWUSER), 0, 0, 0]);
}

#[cfg(not(target_os = "linux"))]
fn system_calls() {}
