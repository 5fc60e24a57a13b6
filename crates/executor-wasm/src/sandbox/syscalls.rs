//! seccomp: the system calls a worker may make. All others fail with `EPERM`.
//!
//! Left out on purpose: sockets of any kind but what is handed over to workers that answer requests, starting or
//! tracing processes, mounting, namespaces, keys, BPF, io_uring, performance counters, signals to others, changing owners or modes.

use super::SandboxLayer;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};
use std::collections::BTreeMap;

const NAME: &str = "seccomp";

/// System calls allowed whatever their arguments.
#[rustfmt::skip]
const ALLOWED: &[libc::c_long] = &[
    // talking to the executor, files in scratch
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64,
    libc::SYS_pwrite64, libc::SYS_preadv, libc::SYS_pwritev, libc::SYS_preadv2, libc::SYS_pwritev2,
    libc::SYS_close, libc::SYS_lseek, libc::SYS_openat, libc::SYS_openat2, libc::SYS_fstat,
    libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_fcntl, libc::SYS_ftruncate, libc::SYS_fallocate,
    libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_fadvise64, libc::SYS_getdents64, libc::SYS_mkdirat,
    libc::SYS_unlinkat, libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_linkat, libc::SYS_symlinkat,
    libc::SYS_readlinkat, libc::SYS_utimensat, libc::SYS_dup, libc::SYS_dup3, libc::SYS_copy_file_range,
    libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_getcwd,
    // memory
    libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_madvise,
    libc::SYS_brk, libc::SYS_memfd_create, libc::SYS_membarrier, libc::SYS_mincore,
    // threads, signals, time, waiting
    libc::SYS_futex, libc::SYS_set_robust_list, libc::SYS_rseq, libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_sigaltstack, libc::SYS_restart_syscall,
    libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_nanosleep, libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_gettimeofday, libc::SYS_getpid,
    libc::SYS_gettid, libc::SYS_getppid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid,
    libc::SYS_getegid, libc::SYS_getrandom, libc::SYS_ppoll, libc::SYS_epoll_create1, libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait, libc::SYS_eventfd2, libc::SYS_getrusage, libc::SYS_exit, libc::SYS_exit_group,
];

/// Older names that only x86-64 has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ALLOWED_HERE: &[libc::c_long] = &[
    libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink,
    libc::SYS_poll, libc::SYS_epoll_wait, libc::SYS_mkdir, libc::SYS_rmdir, libc::SYS_unlink, libc::SYS_rename,
    libc::SYS_arch_prctl, libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[libc::c_long] = &[];

/// The request of `ioctl` by which the engine learns which pages a task touched.
const PAGEMAP_SCAN: u64 = 0xc060_6610;

/// Filters this thread and those it will start.
pub fn apply(takes_connections: bool) -> SandboxLayer {
    if !super::basics::hide() {
        return SandboxLayer::new(NAME, false, "the system refused to hide the process from debuggers");
    }
    match install(takes_connections) {
        Ok(()) => {
            SandboxLayer::new(NAME, true, format!("{} system calls", ALLOWED.len() + ALLOWED_HERE.len()))
        }
        Err(error) => SandboxLayer::new(NAME, false, error.to_string()),
    }
}

fn install(takes_connections: bool) -> Result<(), seccompiler::Error> {
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    // `clone3` hides its flags from a filter. Told that it does not exist, the C library starts its
    // threads with `clone`, whose flags the second filter checks.
    let first = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_clone3, vec![])]),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS as u32),
        arch,
    )?;
    let mut rules = rules()?;
    if takes_connections {
        // A message with an open file in it; the worker has one socket that any can come over.
        rules.insert(libc::SYS_recvmsg, vec![]);
    }
    let second =
        SeccompFilter::new(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow, arch)?;
    seccompiler::apply_filter(&BpfProgram::try_from(first)?)?;
    seccompiler::apply_filter(&BpfProgram::try_from(second)?)
}

fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_HERE).map(|call| (*call, vec![])).collect();
    let argument = |index, op, value| -> Result<SeccompCondition, seccompiler::Error> {
        Ok(SeccompCondition::new(index, SeccompCmpArgLen::Qword, op, value)?)
    };
    let own_pid = u64::from(std::process::id());
    let thread = libc::CLONE_THREAD as u64;
    // The first filter answers for `clone3`; this one only has to let it through.
    rules.insert(libc::SYS_clone3, vec![]);
    rules.insert(
        libc::SYS_clone,
        vec![SeccompRule::new(vec![argument(0, SeccompCmpOp::MaskedEq(thread), thread)?])?],
    );
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![argument(0, SeccompCmpOp::Eq, own_pid)?])?]);
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![argument(0, SeccompCmpOp::Eq, 0)?])?]);
    rules.insert(
        libc::SYS_prctl,
        vec![SeccompRule::new(vec![argument(0, SeccompCmpOp::Eq, libc::PR_SET_NAME as u64)?])?],
    );
    rules.insert(
        libc::SYS_ioctl,
        vec![SeccompRule::new(vec![SeccompCondition::new(
            1,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::Eq,
            PAGEMAP_SCAN,
        )?])?],
    );
    Ok(rules)
}
