//! Hostile programs (threat J1): each is contained, stopped in time, fails with the right reason, and
//! a healthy program runs right after it in the same pool.

use crate::support::{HEALTHY, Setup, exited, wasi};
use opensky_ports::{WorkBatch, WorkResult};
use opensky_types::{
    place::Level,
    resources::{Limit, TaskLimits},
    task::{Failure, Outcome},
};
use std::time::Duration;

/// How a bomb must end.
enum Expect {
    /// Stopped at one of these limits.
    Limit(&'static [Limit]),
    /// The engine stopped it.
    Trap,
    /// It never ran.
    Invalid,
    /// It was refused what it wanted, saw that, and ended with this code.
    Exit(i32),
    /// Compiling it ended, one way or the other.
    Compiled,
}

use Expect::{Compiled, Exit, Invalid, Trap};

const FUEL: Expect = Expect::Limit(&[Limit::Fuel]);
const TIME: Expect = Expect::Limit(&[Limit::Time]);
const STACK: Expect = Expect::Limit(&[Limit::Stack]);
const MEMORY: Expect = Expect::Limit(&[Limit::Memory]);
const TABLE: Expect = Expect::Limit(&[Limit::Table]);
const OUTPUT: Expect = Expect::Limit(&[Limit::Output]);
const SCRATCH: Expect = Expect::Limit(&[Limit::Scratch]);

struct Bomb {
    name: &'static str,
    level: Level,
    wasm: Vec<u8>,
    expect: Expect,
    arm: fn(&mut WorkBatch),
}

impl Bomb {
    fn is_right(&self, result: &WorkResult) -> bool {
        match (&self.expect, &result.outcome) {
            (Expect::Limit(limits), Outcome::Failed { failure: Failure::Limit { limit }, .. }) => {
                limits.contains(limit)
            }
            (Trap, Outcome::Failed { failure: Failure::Trap { message }, .. })
            | (Invalid, Outcome::Failed { failure: Failure::InvalidProgram { message }, .. }) => {
                is_clean(message)
            }
            (Exit(code), Outcome::Exited(output)) => output.exit_code == *code,
            (Compiled, Outcome::Exited(_))
            | (Compiled, Outcome::Failed { failure: Failure::InvalidProgram { .. }, .. }) => true,
            _ => false,
        }
    }
}

/// Messages name neither our folders nor our addresses, and nothing that moves a cursor.
fn is_clean(message: &str) -> bool {
    !message.is_empty()
        && message.len() < 2_000
        && !message.contains("/tmp/")
        && !message.contains("0x7f")
        && !message.chars().any(char::is_control)
}

fn bomb(name: &'static str, level: Level, wasm: impl AsRef<[u8]>, expect: Expect) -> Bomb {
    Bomb { name, level, wasm: wasm.as_ref().to_vec(), expect, arm: |_| {} }
}

/// A command whose start does `code`.
fn start(name: &'static str, code: &str, expect: Expect) -> Bomb {
    bomb(name, Level::Vm, format!("(module (memory 1) (func (export \"_start\") {code}))"), expect)
}

/// A command with WASI.
fn command(name: &'static str, body: &str, expect: Expect) -> Bomb {
    bomb(name, Level::Vm, wasi(body), expect)
}

/// Something around a harmless start.
fn module(name: &'static str, fields: &str, expect: Expect) -> Bomb {
    bomb(name, Level::Vm, format!("(module {fields} (func (export \"_start\")))"), expect)
}

fn armed(bomb: Bomb, arm: fn(&mut WorkBatch)) -> Bomb {
    Bomb { arm, ..bomb }
}

/// Only time can stop it.
fn no_fuel_limit(batch: &mut WorkBatch) {
    batch.limits = TaskLimits { fuel: u64::MAX, wall_ms: 400, ..batch.limits };
}

async fn run_all(bombs: Vec<Bomb>) {
    let setup = Setup::new(1);
    let mut wrong = Vec::new();
    for bomb in &bombs {
        let mut batch = setup.batch(bomb.level, &bomb.wasm);
        (bomb.arm)(&mut batch);
        let wall_ms = batch.limits.wall_ms;
        let patience = Duration::from_secs(120);
        let Ok(result) = tokio::time::timeout(patience, setup.run_one(batch)).await else {
            panic!("{}: not stopped", bomb.name);
        };
        if !bomb.is_right(&result) {
            wrong.push(format!("{}: {:?}", bomb.name, result.outcome));
        }
        let over_us = result.usage.wall_us.saturating_sub(wall_ms * 1000);
        assert!(over_us < 1_000_000, "{}: stopped {over_us} us too late", bomb.name);
        let healthy = setup.run_one(setup.batch(Level::Vm, HEALTHY)).await;
        assert_eq!(exited(&healthy).exit_code, 0, "after {}", bomb.name);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), bombs.len(), wrong.join("\n"));
}

#[tokio::test]
async fn j1_bombs_of_time() {
    run_all(vec![
        start("endless loop", "(loop (br 0))", FUEL),
        armed(start("endless loop, fuel for ever", "(loop (br 0))", TIME), no_fuel_limit),
        module("spin before the start", "(func $spin (loop (br 0))) (start $spin)", FUEL),
        armed(
            start("fills memory over and over", FILL, Expect::Limit(&[Limit::Time, Limit::Fuel])),
            no_fuel_limit,
        ),
        armed(
            command(
                "reads the clock for ever",
                r#"(func (export "_start")
                    (loop (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 64))) (br 0)))"#,
                TIME,
            ),
            |batch| {
                no_fuel_limit(batch);
                batch.program.deterministic = false;
            },
        ),
        armed(command("sleeps for a century", SLEEP, TIME), no_fuel_limit),
        armed(
            command("yields for ever", r#"(func (export "_start") (loop (call $print (i32.const 9) (i32.const 0) (i32.const 0)) (br 0)))"#, TIME),
            no_fuel_limit,
        ),
        bomb("endless component", Level::Vm, COMPONENT_SPIN, FUEL),
        bomb("endless function", Level::Function, "(module (func (export \"run\") (loop (br 0))))", FUEL),
        armed(
            bomb("endless function, fuel for ever", Level::Function, "(module (func (export \"run\") (loop (br 0))))", TIME),
            no_fuel_limit,
        ),
        start("deep recursion", "(call $f)) (func $f (call $f) (call $f)", STACK),
        start("mutual recursion", "(call $f)) (func $f (call $g) (nop)) (func $g (call $f) (nop)", STACK),
        start(
            "recursion with many locals",
            "(drop (call $f (i64.const 1)))) (func $f (param i64) (result i64) (local i64 i64 i64 i64 i64 i64) \
             (i64.add (local.get 0) (call $f (i64.add (local.get 0) (i64.const 1))))",
            STACK,
        ),
    ])
    .await;
}

const FILL: &str = "(drop (memory.grow (i32.const 200))) \
    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 13000000)) (br 0))";

/// One subscription to the monotonic clock, three billion seconds from now.
const SLEEP: &str = r#"(func (export "_start")
    (i64.store (i32.const 64) (i64.const 7))
    (i32.store8 (i32.const 72) (i32.const 0))
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.const 3000000000000000000))
    (drop (call $poll_oneoff (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 512))))"#;

const COMPONENT_SPIN: &str = r#"(component
    (core module $m (func (export "run") (result i32) (loop (br 0)) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $command (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $command)))"#;

#[tokio::test]
async fn j1_bombs_of_memory() {
    let many = |field: &str, count: usize| field.repeat(count);
    let data = format!("(memory 1) (data (i32.const 0) \"{}\")", "x".repeat(8 << 20));
    run_all(vec![
        start(
            "grows memory until it traps",
            "(loop (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) (br 0))",
            MEMORY,
        ),
        start(
            "grows memory and takes no for an answer",
            "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))",
            Exit(0),
        ),
        start(
            "grows memory at once",
            "(if (i32.eq (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable))",
            MEMORY,
        ),
        module("starts with 4 GiB", "(memory 65536)", MEMORY),
        module("starts just above its limit", "(memory 257)", MEMORY),
        module("starts at its limit", "(memory 256)", Exit(0)),
        module("several memories above the limit together", &many("(memory 64)", 5), MEMORY),
        module("a hundred memories", &many("(memory 1)", 100), Invalid),
        module("a table of ten million", "(table 10000000 funcref)", Invalid),
        module("tables above the limit together", &many("(table 1000000 funcref)", 2), TABLE),
        module("a hundred tables", &many("(table 1 funcref)", 100), Invalid),
        start(
            "grows a table until it traps",
            "(loop (if (i32.eq (table.grow $t (ref.null func) (i32.const 100000)) (i32.const -1)) \
             (then unreachable)) (br 0))) (table $t 1 funcref) (func",
            TABLE,
        ),
        module("data that does not fit", &data, Trap),
        armed(bomb("memory of a component", Level::Vm, COMPONENT_MEMORY, MEMORY), |_| {}),
    ])
    .await;
}

const COMPONENT_MEMORY: &str = r#"(component
    (core module $m (memory 300) (func (export "run") (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $command (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $command)))"#;

#[tokio::test]
async fn j1_bombs_of_output() {
    run_all(vec![
        command("floods stdout", &flood(1, 4096), OUTPUT),
        command("floods stderr", &flood(2, 4096), OUTPUT),
        command("floods stdout byte by byte", &flood(1, 1), OUTPUT),
        command("floods stdout in one call", &flood(1, 100_000), OUTPUT),
        command("one iovec of four gigabytes", &write_once("(i32.const -1)"), Expect::Exit(0)),
        command(
            "many iovecs of one page",
            r#"(func (export "_start")
                (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 0x0fffffff) (i32.const 8))))"#,
            Exit(0),
        ),
        command("files larger than scratch", &file_flood(4), SCRATCH),
        armed(command("more files than allowed", &empty_files(20_000), SCRATCH), |batch| {
            // Thousands of files take their time on a machine that does other things too.
            batch.limits = TaskLimits { fuel: u64::MAX, wall_ms: 120_000, ..batch.limits };
        }),
        command("more outputs than allowed", &empty_files(1_500), OUTPUT),
        armed(command("outputs larger than allowed", &file_flood(1), OUTPUT), |batch| {
            batch.limits = TaskLimits { scratch_bytes: 1 << 30, output_bytes: 1000, ..batch.limits };
        }),
        command(
            "a file with a hole of a terabyte",
            r#"(data (i32.const 100) "f")
            (func (export "_start")
                (drop (call $create (i32.const 3) (i32.const 100) (i32.const 1)))
                (i32.store (i32.const 0) (i32.const 100))
                (i32.store (i32.const 4) (i32.const 1))
                (call $proc_exit (call $fd_pwrite (i32.load (i32.const 12)) (i32.const 0) (i32.const 1)
                    (i64.const 0x10000000000) (i32.const 8))))"#,
            Exit(22),
        ),
        armed(command("folders in folders in folders", NEST, SCRATCH), |batch| {
            batch.limits.fuel = u64::MAX;
        }),
        command(
            "a file name that moves the cursor",
            r#"(data (i32.const 100) "\1b[2J")
            (func (export "_start") (drop (call $create (i32.const 4) (i32.const 100) (i32.const 4))))"#,
            Trap,
        ),
    ])
    .await;
}

/// Writes `size` bytes again and again.
fn flood(stream: u32, size: u32) -> String {
    format!(
        r#"(func (export "_start")
            (loop (call $print (i32.const {stream}) (i32.const 16) (i32.const {size})) (br 0)))"#
    )
}

fn write_once(size: &str) -> String {
    format!(r#"(func (export "_start") (call $print (i32.const 1) (i32.const 16) {size}))"#)
}

/// Makes files `AA`, `AB`, … under `/out`; each gets 100 KB `times` over, none is closed.
fn file_flood(times: u32) -> String {
    format!(
        r#"(data (i32.const 100) "A@")
        (func (export "_start") (local $i i32) (local $n i32)
            (loop $files
                (i32.store8 (i32.const 101) (i32.add (i32.const 65) (local.get $i)))
                (drop (call $create (i32.const 4) (i32.const 100) (i32.const 2)))
                (local.set $n (i32.const 0))
                (loop $writes
                    (call $print (i32.load (i32.const 12)) (i32.const 200) (i32.const 100000))
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br_if $writes (i32.lt_u (local.get $n) (i32.const {times}))))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $files (i32.lt_u (local.get $i) (i32.const 20)))))"#
    )
}

/// Makes `count` empty files with four-letter names under `/out`, closing each.
fn empty_files(count: u32) -> String {
    format!(
        r#"(func (export "_start") (local $i i32)
            (loop $files
                (i32.store (i32.const 100) (i32.add (i32.const 0x41414141)
                    (i32.or (i32.or (i32.and (local.get $i) (i32.const 15))
                        (i32.shl (i32.and (local.get $i) (i32.const 0xf0)) (i32.const 4)))
                      (i32.or (i32.shl (i32.and (local.get $i) (i32.const 0xf00)) (i32.const 8))
                        (i32.shl (i32.and (local.get $i) (i32.const 0xf000)) (i32.const 12))))))
                (drop (call $create (i32.const 4) (i32.const 100) (i32.const 4)))
                (drop (call $fd_close (i32.load (i32.const 12))))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $files (i32.lt_u (local.get $i) (i32.const {count})))))"#
    )
}

/// Makes `d`, goes into it, and again.
const NEST: &str = r#"(data (i32.const 100) "d")
    (func (export "_start") (local $dir i32) (local $next i32)
        (local.set $dir (i32.const 3))
        (loop
            (drop (call $path_create_directory (local.get $dir) (i32.const 100) (i32.const 1)))
            (local.set $next (call $path_open (local.get $dir) (i32.const 0) (i32.const 100) (i32.const 1)
                (i32.const 2) (i64.const 0x6200) (i64.const 0x1fffffff) (i32.const 0) (i32.const 12)))
            (if (local.get $next) (then (call $proc_exit (local.get $next))))
            (local.set $next (i32.load (i32.const 12)))
            (if (i32.ne (local.get $dir) (i32.const 3)) (then (drop (call $fd_close (local.get $dir)))))
            (local.set $dir (local.get $next))
            (br 0)))"#;

#[tokio::test]
async fn j1_escapes() {
    // 44: no such file; 63: not permitted; 76: outside of what the folder allows.
    run_all(vec![
        command("a path with dots", &open_path("../task/tmp/x"), Exit(63)),
        command("a path with many dots", &open_path("../../../../../../etc/passwd"), Exit(63)),
        command("an absolute path", &open_path("/etc/passwd"), Exit(63)),
        command("a path through proc", &open_path("../../../../../../proc/self/mem"), Exit(63)),
        command("a link to an absolute path", &open_link("/etc/passwd"), Exit(63)),
        command("a link with dots", &open_link("../../../../../../../etc/passwd"), Exit(63)),
        command("a path with a zero byte", &open_path(r"a\00b"), Exit(28)),
        command(
            "a socket",
            r#"(func (export "_start")
                (call $proc_exit (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 64))))"#,
            Exit(57),
        ),
        command(
            "opens a file until it may not",
            r#"(data (i32.const 100) "f")
            (func (export "_start") (local $i i32)
                (loop
                    (br_if 1 (call $create (i32.const 3) (i32.const 100) (i32.const 1)))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if 0 (i32.lt_u (local.get $i) (i32.const 100000))))
                (call $proc_exit (i32.gt_u (local.get $i) (i32.const 5000))))"#,
            Exit(0),
        ),
        command(
            "more randomness than memory",
            r#"(func (export "_start")
                (drop (call $random_get (i32.const 64) (i32.const -1))))"#,
            Trap,
        ),
        command(
            "leaves from deep inside",
            r#"(func $f (param i32)
                (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))))
                (call $proc_exit (i32.const 3)))
            (func (export "_start") (call $f (i32.const 1000)))"#,
            Exit(3),
        ),
    ])
    .await;
}

/// Opens a path below `/tmp` for reading and exits with the error.
fn open_path(path: &str) -> String {
    let size = path.replace("\\00", "0").len();
    format!(
        r#"(data (i32.const 100) "{path}")
        (func (export "_start")
            (call $proc_exit (call $open (i32.const 3) (i32.const 100) (i32.const {size}))))"#
    )
}

/// Opens a link below `/tmp` to `target`, if it can be made, and exits with the error.
fn open_link(target: &str) -> String {
    let size = target.len();
    format!(
        r#"(data (i32.const 100) "{target}") (data (i32.const 200) "link")
        (func (export "_start") (local $error i32)
            (local.set $error (call $path_symlink (i32.const 100) (i32.const {size}) (i32.const 3)
                (i32.const 200) (i32.const 4)))
            (if (local.get $error) (then (call $proc_exit (local.get $error))))
            (call $proc_exit (call $open (i32.const 3) (i32.const 200) (i32.const 4))))"#
    )
}

#[tokio::test]
async fn j1_programs_that_are_none() {
    let whole = wat::parse_str(HEALTHY).unwrap();
    let truncated = &whole[..whole.len() - 3];
    let mut junk = b"\0asm\x01\0\0\0".to_vec();
    junk.extend((0..4096_u32).map(|n| (n * 31 % 251) as u8));
    let mut huge = whole.clone();
    huge.resize(65 << 20, 0);
    run_all(vec![
        bomb("no bytes", Level::Vm, b"", Invalid),
        bomb("half a header", Level::Vm, b"\0asm", Invalid),
        bomb("a truncated module", Level::Vm, truncated, Invalid),
        bomb("junk after a header", Level::Vm, &junk, Invalid),
        bomb("a module of 65 MiB", Level::Vm, &huge, Invalid),
        bomb("a shell script", Level::Vm, b"#!/bin/sh\nrm -rf /\n", Invalid),
        bomb("a native program", Level::Vm, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", Invalid),
        bomb("an empty component", Level::Vm, b"\0asm\x0d\0\x01\0", Invalid),
        bomb("a component called as a module's function", Level::Function, b"\0asm\x0d\0\x01\0", Invalid),
        bomb("a command called as a function", Level::Function, HEALTHY, Invalid),
        bomb("a function called as a command", Level::Vm, "(module (func (export \"run\")))", Invalid),
        bomb(
            "a start with parameters",
            Level::Vm,
            "(module (func (export \"_start\") (param i32)))",
            Invalid,
        ),
        bomb("a start that is a memory", Level::Vm, "(module (memory (export \"_start\") 1))", Invalid),
        bomb(
            "a function that is a global",
            Level::Function,
            "(module (global (export \"run\") i32 (i32.const 1)))",
            Invalid,
        ),
        bomb(
            "a function of references",
            Level::Function,
            "(module (func (export \"run\") (param funcref)))",
            Invalid,
        ),
        module("an unknown import", "(import \"env\" \"system\" (func (param i32)))", Invalid),
        module(
            "an import of the wrong type",
            "(import \"wasi_snapshot_preview1\" \"fd_close\" (func (param i64)))",
            Invalid,
        ),
        module("an imported memory", "(import \"env\" \"memory\" (memory 1))", Invalid),
        module("shared memory", "(memory 1 1 shared)", Invalid),
        start("atomics", "(drop (i32.atomic.load (i32.const 0)))", Invalid),
        module("64-bit memory", "(memory i64 1)", Invalid),
        module("exceptions", "(tag $e) (func (throw $e))", Invalid),
        module("garbage collection", "(type (struct (field i32)))", Invalid),
        module("stack switching", "(type $f (func)) (type (cont $f))", Invalid),
        armed(module("arguments of ten megabytes", "", Invalid), |batch| {
            batch.program.args = vec!["x".repeat(10 << 20)];
        }),
        armed(module("an item a thousand times", "", Invalid), |batch| {
            batch.program.args = vec!["{item}".repeat(1_000)];
            batch.items[0].input.item = "x".repeat(10_000);
        }),
        armed(
            bomb(
                "values in values in values",
                Level::Function,
                "(module (func (export \"run\") (param i32)))",
                Invalid,
            ),
            |batch| batch.program.args = vec!["[".repeat(100_000)],
        ),
    ])
    .await;
}

#[tokio::test]
async fn j1_traps() {
    let hostile_name = "(module (func $run (export \"_start\") unreachable) \
        (@custom \"name\" \"\\01\\08\\01\\00\\05\\1b[31m\"))";
    run_all(vec![
        start("unreachable", "unreachable", Trap),
        start("division by zero", "(drop (i32.div_u (i32.const 1) (i32.const 0)))", Trap),
        start("integer overflow", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", Trap),
        start("float that is no integer", "(drop (i32.trunc_f32_s (f32.const nan)))", Trap),
        start("read out of bounds", "(drop (i32.load (i32.const -8)))", Trap),
        start("write out of bounds", "(i32.store offset=0xffffffff (i32.const -8) (i32.const 1))", Trap),
        start("call of nothing", "(call_indirect (i32.const 0))) (table 1 funcref) (func", Trap),
        start(
            "call of another type",
            "(call_indirect (i32.const 0))) (table 1 funcref) (elem (i32.const 0) $g) (func $g (param i32)",
            Trap,
        ),
        start("call outside of the table", "(call_indirect (i32.const 99))) (table 1 funcref) (func", Trap),
        bomb("a name that moves the cursor", Level::Vm, hostile_name, Trap),
    ])
    .await;
}

#[tokio::test]
async fn j1_bombs_for_the_compiler() {
    let blocks = format!("(func {}{})", "(block ".repeat(5_000), ")".repeat(5_000));
    let functions = "(func (param i64) (result i64) (i64.mul (local.get 0) (i64.const 3)))".repeat(60_000);
    let locals = format!("(func (local {}))", "i64 ".repeat(49_000)).repeat(20);
    let adds = format!(
        "(func (result i64) (i64.const 1) {})",
        "(i64.const 3) i64.mul (i64.const 5) i64.xor ".repeat(60_000)
    );
    let targets = format!("(func (param i32) (block (br_table {} (local.get 0))))", "0 ".repeat(100_000));
    run_all(vec![
        module("blocks in blocks", &blocks, Compiled),
        module("very many functions", &functions, Compiled),
        module("very many locals", &locals, Compiled),
        module("one huge function", &adds, Compiled),
        module("a jump table of a hundred thousand", &targets, Compiled),
    ])
    .await;
}

/// Threat J5: the executor passes on what a program writes, byte for byte; whoever shows it escapes it.
#[tokio::test]
async fn j5_output_is_passed_on_as_it_is() {
    let setup = Setup::new(1);
    let payload = "\\1b]0;owned\\07<script>alert(1)</script>\\ff\\00";
    let size = 9 + 1 + 25 + 2;
    let text = wasi(&format!(
        r#"(data (i32.const 100) "{payload}")
        (func (export "_start") (call $print (i32.const 1) (i32.const 100) (i32.const {size})))"#
    ));
    let result = setup.run_one(setup.batch(Level::Vm, text)).await;
    let expected = b"\x1b]0;owned\x07<script>alert(1)</script>\xff\0";
    assert_eq!(setup.bytes(&exited(&result).stdout), expected);
}
