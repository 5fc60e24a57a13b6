//! What programs in containers can do, and what is known of them afterwards.

use crate::support::{Setup, Told, bytes, exited, failure, start, text};
use opensky_ports::{blobs::BlobStore, executor::Executor, testing::contract};
use opensky_types::{
    resources::{FUEL_PER_CPU_US, Limit},
    task::{Content, Failure, Outcome},
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_an_executor() {
    let Some(setup) = Setup::new("the promises of an executor").await else { return };
    let quick = setup.script("echo $1", &["a", "b", "c"]);
    let endless = setup.script("echo begun; while true; do sleep 1; done", &["a", "b"]);
    contract::executor(setup.executor.clone(), quick, endless).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_a_program_in_a_container_is_a_task_like_any_other() {
    let Some(setup) = Setup::new("a task like any other").await else { return };
    let script = "cat; echo \"$GREETING $1\"; echo aside >&2; mkdir /out/sub; echo b > /out/sub/b; echo a > /out/a; exit 3";
    let mut batch = setup.script(script, &["one", "two"]);
    let large = vec![b'x'; 300_000];
    let blob = setup.blobs.put(&large).unwrap();
    batch.items[1].input.stdin = vec![Content::Inline(b"first ".to_vec()), Content::Blob(blob)];
    let results = setup.run_batch(batch).await;

    let output = exited(&results[0]);
    assert_eq!((output.exit_code, text(&output.stdout).as_str()), (3, "hello one\n"));
    assert_eq!(text(&output.stderr), "aside\n");
    let files: Vec<_> = output.files.iter().map(|(path, content)| (path.as_str(), text(content))).collect();
    assert_eq!(files, [("a", "a\n".to_owned()), ("sub/b", "b\n".to_owned())]);

    let output = exited(&results[1]);
    let Content::Blob(stdout) = output.stdout else { panic!("300 kB are not inline") };
    let stdout = setup.blobs.get(&stdout.hash, 1 << 20).unwrap().unwrap();
    assert_eq!(stdout, [b"first ".as_slice(), &large, b"hello two\n"].concat());
    assert_eq!(output.files.len(), 2, "files of the task before are gone");
    assert_eq!(results[1].usage.input_bytes, 300_006);
    assert_eq!(results[1].usage.output_bytes, 300_006 + 10 + 6 + 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_arguments_an_image_does_what_it_usually_does() {
    let Some(setup) = Setup::new("the usual command").await else { return };
    let results = setup.run_batch(setup.batch(Vec::new(), &[""])).await;
    assert_eq!(text(&exited(&results[0]).stdout), "usual\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_use_is_counted_by_the_kernel() {
    let Some(setup) = Setup::new("use is counted").await else { return };
    let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
    let (idle, busy) = (setup.run("sleep 0.5").await.usage, setup.run(busy).await.usage);
    assert!(idle.wall_us >= 500_000 && idle.cpu_us < idle.wall_us / 2, "{idle:?}");
    assert!(busy.cpu_us > 50_000 && busy.cpu_us > idle.cpu_us, "{busy:?}");
    assert_eq!(busy.fuel, busy.cpu_us * FUEL_PER_CPU_US);
    let held = setup.run("x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ${#x}").await;
    assert_eq!(text(&exited(&held).stdout), "20000000\n");
    assert!(held.usage.memory_peak_bytes > 20_000_000, "{:?}", held.usage);
    assert!(busy.memory_peak_bytes < 20_000_000, "the count began anew: {busy:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_are_not_there_are_the_programs_fault() {
    let Some(setup) = Setup::new("programs that are not there").await else { return };
    let mut batch = setup.batch(vec!["nonsense".into()], &[""]);
    let results = setup.run_batch(batch.clone()).await;
    assert_eq!(exited(&results[0]).exit_code, 127, "busybox knows no such program");
    batch.program.env = vec![("A=B".into(), "c".into())];
    let results = setup.run_batch(batch.clone()).await;
    assert!(
        matches!(failure(&results[0]), Failure::InvalidProgram { message } if message.contains("variable"))
    );
    batch.program.env.clear();
    batch.limits.memory_bytes = 1 << 20;
    let results = setup.run_batch(batch).await;
    assert!(
        matches!(failure(&results[0]), Failure::InvalidProgram { message } if message.contains("memory"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_what_an_earlier_life_left_in_the_engine_is_removed() {
    let Some(setup) = Setup::new("what an earlier life left").await else { return };
    let batch = setup.script("while true; do sleep 1; done", &[""]);
    // A node that is killed: nobody cancels, nobody waits.
    let executor = Arc::clone(&setup.executor);
    let running = tokio::spawn(async move {
        executor.run(batch, &Told::default(), CancellationToken::new()).await;
    });
    let owned = || {
        let listed = std::process::Command::new("docker")
            .args(["ps", "-aq", "--filter", &format!("label=opensky.node={}", setup.owner)])
            .output();
        listed.map(|listed| listed.stdout.split(|byte| *byte == b'\n').filter(|id| !id.is_empty()).count())
    };
    let Ok(0) = owned() else {
        eprintln!("skipped: what an earlier life left: no docker command to look with");
        return;
    };
    while owned().unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::mem::forget(running);
    let next = start(&setup.folder.path().join("next"), &setup.owner, setup.blobs.clone()).await;
    assert_eq!(owned().unwrap(), 0);
    next.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j1_time_fuel_and_output_end_a_task() {
    let Some(setup) = Setup::new("limits end a task").await else { return };
    let spin = "echo begun; while true; do :; done";
    let result = setup.run_within(spin, |limits| limits.wall_ms = 700).await;
    assert_eq!(failure(&result), &Failure::Limit { limit: Limit::Time });
    assert_eq!(text(result.outcome.stdout()), "begun\n", "what it wrote is kept");
    let result = setup.run_within(spin, |limits| limits.fuel = 300_000 * FUEL_PER_CPU_US).await;
    assert_eq!(failure(&result), &Failure::Limit { limit: Limit::Fuel });
    assert_eq!(result.usage.fuel, 300_000 * FUEL_PER_CPU_US, "no more than was agreed is charged");
    let flood = "while true; do echo 0123456789; done";
    let result = setup.run_within(flood, |limits| limits.output_bytes = 1_000).await;
    assert_eq!(failure(&result), &Failure::Limit { limit: Limit::Output });
    assert_eq!(bytes(result.outcome.stdout()).len(), 1_000);
    let Outcome::Failed { stderr, .. } = &result.outcome else { unreachable!() };
    assert_eq!(stderr.size_bytes(), 0);
}
