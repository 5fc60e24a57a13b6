//! What programs of each level read and write.

use crate::support::{HEALTHY, Setup, exited, failure, items, wasi};
use opensky_ports::{BlobStore, LogStream, WorkItem, testing::contract};
use opensky_types::{
    job::INLINE_BYTES_MAX,
    place::Level,
    resources::TaskLimits,
    task::{Content, Failure, TaskInput},
};

/// Copies standard input to standard output.
const CAT: &str = r#"(func (export "_start")
    (loop $again
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 65536))
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (if (i32.load (i32.const 8))
            (then
                (call $print (i32.const 1) (i32.const 1024) (i32.load (i32.const 8)))
                (br $again)))))"#;

const ADD: &str = r#"(module
    (func (export "run") (param i32 i64) (result i64)
        (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1))))"#;

#[tokio::test]
async fn it_keeps_the_promises_of_an_executor() {
    let setup = Setup::new(2);
    let quick = wasi(
        r#"(data (i32.const 100) "hello\n")
           (func (export "_start") (call $print (i32.const 1) (i32.const 100) (i32.const 6)))"#,
    );
    let endless = wasi(
        r#"(data (i32.const 100) "hello\n")
           (func (export "_start") (call $print (i32.const 1) (i32.const 100) (i32.const 6)) (loop (br 0)))"#,
    );
    let mut quick = setup.batch(Level::Vm, quick);
    quick.items = items(5);
    let mut endless = setup.batch(Level::Vm, endless);
    endless.items = items(3);
    endless.limits = TaskLimits { fuel: u64::MAX, wall_ms: 3_600_000, ..endless.limits };
    contract::executor(setup.executor.clone(), quick, endless).await;
}

#[tokio::test]
async fn functions_of_modules_take_and_give_values_as_text() {
    let setup = Setup::new(1);
    let mut batch = setup.batch(Level::Function, ADD);
    batch.program.args = vec!["{item}".into(), "-1".into()];
    batch.items = items(300);
    let told = setup.run(batch).await;
    for (key, result) in told.results().iter().enumerate() {
        assert_eq!(result.key, key as u64);
        assert_eq!(exited(result).stdout, Content::Inline((key as i64 - 1).to_string().into_bytes()));
        assert!(result.usage.fuel > 0);
    }
    assert_eq!(told.results().len(), 300);
}

#[tokio::test]
async fn floats_and_several_results_have_text() {
    let setup = Setup::new(1);
    let text = r#"(module (func (export "run") (param f64 f32) (result f64 f32)
        (f64.div (local.get 0) (f64.const 0)) (f32.mul (local.get 1) (f32.const 2))))"#;
    let mut batch = setup.batch(Level::Function, text);
    batch.program.args = vec!["-0.5".into(), "1.25".into()];
    let result = setup.run_one(batch).await;
    assert_eq!(exited(&result).stdout, Content::Inline(b"(-inf, 2.5)".to_vec()));
}

#[tokio::test]
async fn wrong_arguments_say_what_is_wrong() {
    let setup = Setup::new(1);
    for (args, expected) in [
        (vec!["1"], "takes 2 arguments, 1 were given"),
        (vec!["one", "2"], "argument 'one' does not fit"),
        (vec!["3000000000", "2"], "argument '3000000000' does not fit"),
    ] {
        let mut batch = setup.batch(Level::Function, ADD);
        batch.program.args = args.into_iter().map(String::from).collect();
        let result = setup.run_one(batch).await;
        let text = failure(&result).to_string();
        assert!(text.contains(expected), "{text}");
        assert!(matches!(failure(&result), Failure::InvalidProgram { .. }));
    }
}

#[tokio::test]
async fn functions_of_components_take_and_give_wave() {
    let setup = Setup::new(1);
    let text = r#"(component
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            ;; doubles the first and keeps the text where it was put
            (func (export "run") (param $n i32) (param $ptr i32) (param $len i32) (result i32)
                (i32.store (i32.const 16) (i32.mul (local.get $n) (i32.const 2)))
                (i32.store (i32.const 20) (local.get $ptr))
                (i32.store (i32.const 24) (local.get $len))
                (i32.const 16)))
        (core instance $i (instantiate $m))
        (type $pair (tuple u32 string))
        (func $run (param "n" u32) (param "text" string) (result $pair)
            (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
        (export "run" (func $run))
        (instance $inst (export "twice" (func $run)))
        (export "test:demo/numbers@1.0.0" (instance $inst)))"#;
    for function in ["run", "test:demo/numbers@1.0.0#twice"] {
        let mut batch = setup.batch(Level::Function, text);
        batch.program.function = function.into();
        batch.program.args = vec!["21".into(), "\"item {item}\"".into()];
        let result = setup.run_one(batch).await;
        assert_eq!(exited(&result).stdout, Content::Inline(b"(42, \"item 0\")".to_vec()));
    }
}

#[tokio::test]
async fn commands_of_components_run() {
    let setup = Setup::new(1);
    let text = include_str!("hello_component.wat");
    let told = setup.run(setup.batch(Level::Vm, text)).await;
    assert_eq!(exited(&told.results()[0]).stdout, Content::Inline(b"hello from a component\n".to_vec()));
    let failing = r#"(component
        (core module $m (func (export "run") (result i32) (i32.const 1)))
        (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $inst (export "run" (func $run)))
        (export "wasi:cli/run@0.2.3" (instance $inst)))"#;
    let result = setup.run_one(setup.batch(Level::Vm, failing)).await;
    assert_eq!(exited(&result).exit_code, 1);
}

#[tokio::test]
async fn stdin_comes_whole_in_order_however_it_is_given() {
    let setup = Setup::new(1);
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let blob = setup.blobs.put(&large).unwrap();
    let mut batch = setup.batch(Level::Vm, wasi(CAT));
    batch.limits.output_bytes = 8 << 20;
    let inline = |text: &str| Content::Inline(text.as_bytes().to_vec());
    let inputs = [
        vec![inline("a"), inline("b")],
        vec![inline("a"), Content::Blob(blob), inline(""), Content::Blob(blob), inline("z")],
        vec![],
        vec![inline("last")],
    ];
    batch.items = inputs
        .iter()
        .zip(0..)
        .map(|(stdin, key)| WorkItem { key, input: TaskInput { item: String::new(), stdin: stdin.clone() } })
        .collect();
    let told = setup.run(batch).await;
    for (result, stdin) in told.results().iter().zip(&inputs) {
        let expected: Vec<u8> = stdin.iter().flat_map(|content| setup.bytes(content)).collect();
        let output = exited(result);
        assert!(setup.bytes(&output.stdout) == expected, "what came out is what went in");
        assert_eq!(result.usage.input_bytes, expected.len() as u64);
        assert_eq!(result.usage.output_bytes, expected.len() as u64);
        let is_inline = matches!(output.stdout, Content::Inline(_));
        assert_eq!(is_inline, expected.len() <= INLINE_BYTES_MAX);
    }
    assert_eq!(told.results().len(), inputs.len());
}

#[tokio::test]
async fn a_missing_input_fails_its_task_only() {
    let setup = Setup::new(1);
    let mut batch = setup.batch(Level::Vm, wasi(CAT));
    let gone = opensky_types::job::Blob { hash: opensky_types::Hash::of(b"gone"), size_bytes: 4 };
    batch.items = items(2);
    batch.items[0].input.stdin = vec![Content::Blob(gone)];
    let results = setup.run(batch).await.results();
    assert!(matches!(failure(&results[0]), Failure::InputUnavailable { hash, .. } if *hash == gone.hash));
    assert_eq!(exited(&results[1]).exit_code, 0);
}

#[tokio::test]
async fn a_missing_program_is_no_fault_of_the_program() {
    let setup = Setup::new(1);
    let mut batch = setup.batch(Level::Vm, HEALTHY);
    batch.program.hash = opensky_types::Hash::of(b"gone");
    assert!(matches!(failure(&setup.run_one(batch).await), Failure::InputUnavailable { .. }));
}

#[tokio::test]
async fn exit_codes_arguments_and_environment_arrive() {
    let setup = Setup::new(1);
    // Prints all arguments and variables with their zero bytes, then exits with 200.
    let text = wasi(
        r#"(func (export "_start")
            (drop (call $args_sizes_get (i32.const 64) (i32.const 68)))
            (drop (call $args_get (i32.const 1024) (i32.const 2048)))
            (call $print (i32.const 1) (i32.const 2048) (i32.load (i32.const 68)))
            (drop (call $environ_sizes_get (i32.const 64) (i32.const 68)))
            (drop (call $environ_get (i32.const 1024) (i32.const 2048)))
            (call $print (i32.const 2) (i32.const 2048) (i32.load (i32.const 68)))
            (call $proc_exit (i32.const 200)))"#,
    );
    let mut batch = setup.batch(Level::Vm, text);
    batch.program.args = vec!["--page={item}".into(), "x".into()];
    batch.program.env = vec![("B".into(), "2".into()), ("A".into(), "1".into())];
    let told = setup.run(batch).await;
    let results = told.results();
    let output = exited(&results[0]);
    assert_eq!(output.exit_code, 200);
    assert_eq!(output.stdout, Content::Inline(b"program\0--page=0\0x\0".to_vec()));
    assert_eq!(output.stderr, Content::Inline(b"A=1\0B=2\0".to_vec()));
    assert_eq!(told.log(LogStream::Stdout), b"program\0--page=0\0x\0");
    assert_eq!(told.log(LogStream::Stderr), b"A=1\0B=2\0");
}

#[tokio::test]
async fn files_under_out_come_back_and_nothing_else_stays() {
    let setup = Setup::new(1);
    // Writes /out/sub/b and /out/a and /tmp/t; the second run must find none of them.
    let text = wasi(
        r#"(data (i32.const 100) "sub") (data (i32.const 104) "sub/b") (data (i32.const 110) "a")
        (data (i32.const 112) "t")
        (func $put (param $dir i32) (param $ptr i32) (param $len i32)
            (if (call $create (local.get $dir) (local.get $ptr) (local.get $len))
                (then (call $proc_exit (i32.const 9))))
            (call $print (i32.load (i32.const 12)) (local.get $ptr) (local.get $len)))
        (func (export "_start")
            (if (i32.eqz (call $open (i32.const 4) (i32.const 110) (i32.const 1)))
                (then (call $proc_exit (i32.const 8))))
            (drop (call $path_create_directory (i32.const 4) (i32.const 100) (i32.const 3)))
            (call $put (i32.const 4) (i32.const 104) (i32.const 5))
            (call $put (i32.const 4) (i32.const 110) (i32.const 1))
            (call $put (i32.const 3) (i32.const 112) (i32.const 1)))"#,
    );
    let mut batch = setup.batch(Level::Vm, text);
    batch.items = items(2);
    for result in setup.run(batch).await.results() {
        let output = exited(&result);
        assert_eq!(output.exit_code, 0);
        let inline = |text: &[u8]| Content::Inline(text.to_vec());
        assert_eq!(output.files, [("a".into(), inline(b"a")), ("sub/b".into(), inline(b"sub/b"))]);
    }
}

#[tokio::test]
async fn functions_have_no_folders() {
    let setup = Setup::new(1);
    let text = wasi(
        r#"(data (i32.const 100) "a")
        (func (export "run") (result i32) (call $create (i32.const 3) (i32.const 100) (i32.const 1)))"#,
    );
    let result = setup.run_one(setup.batch(Level::Function, text)).await;
    assert_eq!(exited(&result).stdout, Content::Inline(b"8".to_vec()), "errno 8 is a bad descriptor");
}
