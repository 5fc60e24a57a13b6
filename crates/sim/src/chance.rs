//! Chance that comes out the same each time: all of a run's from its seed, the standard library's too.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    cell::RefCell,
    ffi::{c_uint, c_void},
};

thread_local! {
    /// What the system's random bytes are drawn from on this thread; none: the system.
    static SYSTEM: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// A source of chance for one purpose of one run: what is drawn for one purpose never shifts another.
pub fn source(seed: u64, purpose: &str) -> StdRng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(purpose.as_bytes());
    StdRng::from_seed(*hasher.finalize().as_bytes())
}

/// From here on this thread gets the system's random bytes from the seed. Hash maps, the runtime's choice
/// among what is ready and the weights of batched signature checks come out the same then.
pub fn own_this_thread(seed: u64) {
    SYSTEM.with_borrow_mut(|system| *system = Some(source(seed, "system")));
}

/// What the C library's function of this name does, which the standard library and all crates get their
/// random bytes from.
///
/// # Safety
/// `buffer` is valid for writes of `length` bytes, as with the system's.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, length: usize, flags: c_uint) -> isize {
    let drawn = SYSTEM.try_with(|system| {
        let mut system = system.try_borrow_mut().ok()?;
        let source = system.as_mut()?;
        // SAFETY: the caller's promise.
        let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
        source.fill_bytes(bytes);
        Some(())
    });
    if let Ok(Some(())) = drawn {
        return isize::try_from(length).unwrap_or(isize::MAX);
    }
    // SAFETY: the same arguments go on to the kernel.
    unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) as isize }
}
