//! A bare worker, for the tests and benches of this crate. The real one is `opensky worker`.

fn main() -> std::process::ExitCode {
    opensky_executor_wasm::worker::main()
}
