//! A file tree of its own: the cache to read, the scratch folder to write, and nothing else.
//!
//! A new user namespace gives this process the right to mount, in a mount namespace of its own, a
//! small empty root into which the two folders are bound at their usual paths; then the old root is
//! let go of, and the rights with it. It needs no privilege, but some systems forbid it.

use super::SandboxLayer;
use std::{
    ffi::CString,
    fs, io,
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    ptr,
};

const NAME: &str = "private root";

/// What no mount of ours may do.
const RESTRICTED: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV;

/// Moves this process to its own root. It must have one thread, be traceable, and see `/proc`.
pub fn apply(read_dir: Option<&Path>, write_dir: Option<&Path>) -> SandboxLayer {
    match enter(read_dir, write_dir) {
        Ok(()) => SandboxLayer::new(NAME, true, "no file of the machine exists but its own two folders"),
        Err((step, error)) => {
            SandboxLayer::new(NAME, false, format!("the system refused to {step}: {error}"))
        }
    }
}

type Step<T> = Result<T, (&'static str, io::Error)>;

trait Named<T> {
    fn step(self, name: &'static str) -> Step<T>;
}

impl<T> Named<T> for io::Result<T> {
    fn step(self, name: &'static str) -> Step<T> {
        self.map_err(|error| (name, error))
    }
}

fn enter(read_dir: Option<&Path>, write_dir: Option<&Path>) -> Step<()> {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    // SAFETY: no memory is involved.
    checked(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWIPC) })
        .step("make namespaces")?;
    fs::write("/proc/self/setgroups", "deny").step("give up groups")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1")).step("map the user")?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1")).step("map the group")?;
    mount(None, Path::new("/"), None, libc::MS_REC | libc::MS_PRIVATE).step("make mounts private")?;
    // Opened in the new namespace, since mounts of another cannot be bound, and before the new root
    // covers them.
    let read = read_dir.map(fs::File::open).transpose().step("open the cache folder")?;
    let write = write_dir.map(fs::File::open).transpose().step("open the scratch folder")?;
    // Any folder can carry the new root; what it holds is reached by what was opened above.
    let root = write_dir.unwrap_or(Path::new("/tmp"));
    mount(Some(Path::new("tmpfs")), root, Some("tmpfs"), RESTRICTED | libc::MS_NOEXEC)
        .step("mount an empty root")?;
    // The cache must stay executable: artefacts are mapped as code.
    if let (Some(dir), Some(file)) = (read_dir, &read) {
        bind(file, &below(root, dir), RESTRICTED | libc::MS_RDONLY).step("bind the cache folder")?;
    }
    if let (Some(dir), Some(file)) = (write_dir, &write) {
        bind(file, &below(root, dir), RESTRICTED | libc::MS_NOEXEC).step("bind the scratch folder")?;
    }
    let flags = libc::MS_REMOUNT | libc::MS_RDONLY | RESTRICTED | libc::MS_NOEXEC;
    mount(None, root, None, flags).step("make the root read-only")?;
    move_to(root).step("change the root")?;
    std::env::set_current_dir(write_dir.unwrap_or(Path::new("/"))).step("enter the scratch folder")?;
    let none = rustix::thread::CapabilitySets {
        effective: rustix::thread::CapabilitySet::empty(),
        permitted: rustix::thread::CapabilitySet::empty(),
        inheritable: rustix::thread::CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, none).map_err(io::Error::from).step("give up rights")
}

/// Where an absolute path lies below `root`.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Binds an opened folder to `target` with restrictions.
fn bind(folder: &fs::File, target: &Path, flags: libc::c_ulong) -> io::Result<()> {
    fs::create_dir_all(target)?;
    let source = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    mount(Some(&source), target, None, libc::MS_BIND)?;
    mount(None, target, None, libc::MS_BIND | libc::MS_REMOUNT | flags)
}

/// Makes `root` the root and lets go of the old one (the way `pivot_root(2)` describes for a root
/// that stacks on itself).
fn move_to(root: &Path) -> io::Result<()> {
    std::env::set_current_dir(root)?;
    let here = c".".as_ptr();
    // SAFETY: `here` is a valid string for both calls.
    checked(unsafe { libc::syscall(libc::SYS_pivot_root, here, here) })?;
    // SAFETY: as above.
    checked(unsafe { libc::umount2(here, libc::MNT_DETACH) })
}

fn mount(source: Option<&Path>, target: &Path, kind: Option<&str>, flags: libc::c_ulong) -> io::Result<()> {
    let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from);
    let source = source.map(text).transpose()?;
    let target = text(target)?;
    let kind = kind.map(CString::new).transpose()?;
    let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
    // SAFETY: all pointers are null or valid strings that outlive the call; there are no options.
    checked(unsafe { libc::mount(pointer(&source), target.as_ptr(), pointer(&kind), flags, ptr::null()) })
}

fn checked(result: impl Into<i64>) -> io::Result<()> {
    if result.into() < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
