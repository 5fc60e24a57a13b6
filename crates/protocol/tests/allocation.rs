//! Threat P3: a short message that announces a long list costs little memory.

use opensky_protocol::{
    Message,
    knock::{Knock, KnockReply},
    query::QueryReply,
    transfer::FetchReply,
    work::{ToConsumer, ToProvider},
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Notes the largest single allocation.
struct Watched;

static LARGEST_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST_BYTES.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        LARGEST_BYTES.fetch_max(new_size, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// The largest allocation made while reading `body` as `M`.
fn cost_bytes<M: Message>(body: &[u8]) -> usize {
    LARGEST_BYTES.store(0, Ordering::Relaxed);
    let read = M::from_body(body);
    let largest_bytes = LARGEST_BYTES.load(Ordering::Relaxed);
    drop(read);
    largest_bytes
}

/// The only test in this file: it measures its whole process.
#[test]
fn p3_no_message_allocates_far_more_than_its_size() {
    // A list of lies: borsh reads bytes in steps of at most 1 MiB and lists in smaller ones.
    let lie = u32::MAX.to_le_bytes();
    let after = |prefix: &[u8]| [prefix, &lie, &[0; 40]].concat();
    let agreement = [0; 32];
    let costs = [
        ("knock chain", cost_bytes::<Knock>(&after(&[&[0], &agreement[..]].concat()))),
        ("knock signed bytes", cost_bytes::<Knock>(&after(&[1]))),
        ("reply chain", cost_bytes::<KnockReply>(&after(&[0]))),
        ("genesis name", cost_bytes::<KnockReply>(&after(&[1]))),
        ("offers", cost_bytes::<QueryReply>(&after(&[0]))),
        ("subtrees", cost_bytes::<FetchReply>(&after(&[0; 9]))),
        ("terms", cost_bytes::<ToProvider>(&after(&[0]))),
        ("assignments", cost_bytes::<ToProvider>(&after(&[&[1], &agreement[..]].concat()))),
        ("task ids", cost_bytes::<ToProvider>(&after(&[&[2], &agreement[..]].concat()))),
        ("commitments", cost_bytes::<ToConsumer>(&after(&[&[2], &agreement[..]].concat()))),
        ("engine name", cost_bytes::<ToConsumer>(&after(&[&[3], &agreement[..]].concat()))),
        ("output", cost_bytes::<ToConsumer>(&after(&[&[4], &agreement[..], &[0; 6], &[0]].concat()))),
    ];
    for (what, cost) in costs {
        assert!(cost <= 1 << 20, "a lie about {what} cost {cost} bytes");
    }

    // The densest honest message: one task whose input has as many empty parts as fit.
    let parts = (ToProvider::SIZE_BYTES_MAX - 64) / 5;
    let head = [&[1], &agreement[..], &1u32.to_le_bytes(), &[0; 10], &0u32.to_le_bytes()].concat();
    let body = [head, (parts as u32).to_le_bytes().to_vec(), vec![0; parts * 5]].concat();
    assert!(ToProvider::from_body(&body).is_ok());
    let cost = cost_bytes::<ToProvider>(&body);
    assert!(cost <= 16 * body.len(), "{} bytes were read into {cost}", body.len());
}
