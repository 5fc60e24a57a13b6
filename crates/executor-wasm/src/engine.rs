//! The one engine configuration, shared by compiling and running.

use borsh::BorshSerialize;
use opensky_types::Hash;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Everything in the configuration that can change a result or a meter. Two nodes whose settings
/// have the same hash and whose engine has the same version count the same fuel and, for a
/// deterministic program, get the same output.
#[derive(BorshSerialize)]
struct Settings {
    engine_version: &'static str,
    max_wasm_stack_bytes: u64,
    memory_bytes_max: u64,
    table_elements_max: u64,
    tables_per_module_max: u32,
    memories_per_module_max: u32,
    instances_max: u32,
    nan_canonicalization: bool,
    relaxed_simd_deterministic: bool,
    proposals: &'static [&'static str],
}

/// Call stack of a program, in bytes.
const WASM_STACK_BYTES: usize = 1 << 20;
/// Stack of the fiber that a program runs on: its own and that of host calls.
const FIBER_STACK_BYTES: usize = 2 << 20;
/// Elements of all tables of a task together, and the largest single table.
pub const TABLE_ELEMENTS_MAX: usize = 1 << 20;

const SETTINGS: Settings = Settings {
    engine_version: wasmtime_environ::VERSION,
    max_wasm_stack_bytes: WASM_STACK_BYTES as u64,
    memory_bytes_max: 1 << 32,
    table_elements_max: TABLE_ELEMENTS_MAX as u64,
    tables_per_module_max: 16,
    memories_per_module_max: 16,
    instances_max: 64,
    nan_canonicalization: true,
    relaxed_simd_deterministic: true,
    proposals: &[
        "bulk-memory",
        "component-model",
        "extended-const",
        "multi-memory",
        "multi-value",
        "mutable-globals",
        "reference-types",
        "relaxed-simd",
        "saturating-float-to-int",
        "sign-extension",
        "simd",
        "tail-call",
    ],
};

/// Name and version of the engine, as receipts carry it.
pub fn name() -> String {
    format!("wasmtime {}", wasmtime_environ::VERSION)
}

/// Hash of the settings, as receipts carry it.
pub fn config_hash() -> Hash {
    Hash::of_value("opensky wasm engine settings 1", &SETTINGS)
}

/// The configuration. Compiling and running must agree on it, else artefacts do not load.
pub fn config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .cranelift_nan_canonicalization(SETTINGS.nan_canonicalization)
        .wasm_relaxed_simd(true)
        .relaxed_simd_deterministic(SETTINGS.relaxed_simd_deterministic)
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_multi_memory(true)
        .wasm_tail_call(true)
        .wasm_extended_const(true)
        .wasm_memory64(false)
        .concurrency_support(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16))
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    config
}

/// The same for a worker that answers many requests at a time. What is compiled for one runs on the other: they differ
/// in how many instances fit.
pub fn serving_config() -> Config {
    let mut pool = pool();
    pool.total_core_instances(8 * REQUESTS_MAX)
        .total_component_instances(REQUESTS_MAX)
        .total_memories(2 * REQUESTS_MAX)
        .total_tables(4 * REQUESTS_MAX)
        .total_stacks(REQUESTS_MAX)
        .max_unused_warm_slots(REQUESTS_MAX);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Most requests that a worker answers at a time.
pub const REQUESTS_MAX: u32 = 64;

/// A worker runs one task at a time, so the pool is as small as the largest single program needs.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(SETTINGS.instances_max)
        .total_component_instances(4)
        .total_memories(32)
        .total_tables(64)
        .total_stacks(2)
        .max_memories_per_module(SETTINGS.memories_per_module_max)
        .max_tables_per_module(SETTINGS.tables_per_module_max)
        .max_memories_per_component(16)
        .max_tables_per_component(32)
        .max_core_instances_per_component(32)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(1 << 32)
        .max_unused_warm_slots(4)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10);
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_makes_an_engine() {
        wasmtime::Engine::new(&config()).unwrap();
        assert!(name().starts_with("wasmtime 48."));
    }
}
