//! GPUs in containers, as far as a machine without one can tell: device files stand for those of an AMD GPU.

use crate::support::{Setup, exited, failure, text};
use opensky_ports::{Executor, GpuDevice};
use opensky_types::{
    job::GpuNeed,
    resources::{FUEL_PER_GPU_US, Limit},
    task::Failure,
};
use std::{os::unix::fs::PermissionsExt, path::Path, process::Command};

/// A group that nobody is in.
const GROUP: u32 = 42_424;

/// A device file like that of `/dev/zero`, which only a group may open.
fn device(path: &Path, minor: &str) -> bool {
    let made = Command::new("mknod").arg(path).args(["c", "1", minor]).status();
    made.is_ok_and(|status| status.success())
        && std::os::unix::fs::chown(path, Some(0), Some(GROUP)).is_ok()
        && std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).is_ok()
}

/// A node with one made-up AMD GPU; none where device files cannot be made.
async fn with_gpu(test: &str) -> Option<(Setup, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let (kfd, render) = (folder.path().join("kfd"), folder.path().join("renderD128"));
    if !device(&kfd, "3") || !device(&render, "5") {
        eprintln!("skipped: {test}: this user cannot make device files");
        return None;
    }
    let none = GpuDevice::None;
    let setup = Setup::with(test, |config| config.gpus = vec![none, GpuDevice::Amd { kfd, render }]).await?;
    Some((setup, folder))
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_a_program_opens_the_devices_of_its_gpu_and_others_do_not_see_them() {
    let Some((setup, _folder)) = with_gpu("devices of a GPU").await else { return };
    assert_eq!(setup.executor.engines()[0].containers.gpus, [1], "the one that has a way");
    let script = "head -c 4 /dev/dri/renderD128 | wc -c; echo x > /dev/kfd && echo written; id -u; sleep 0.2";
    let mut batch = setup.script(script, &["item"]);
    batch.gpus = vec![1];
    batch.program.needs.gpus = Some(GpuNeed::any(1));
    batch.limits.fuel = u64::MAX;
    let result = setup.run_batch(batch.clone()).await.remove(0);
    assert_eq!(text(&exited(&result).stdout), "4\nwritten\n65534\n", "it is nobody: {result:?}");
    let least = result.usage.wall_us * FUEL_PER_GPU_US;
    assert!(result.usage.fuel >= least, "all the time that the GPU was its own counts");
    // Without it there is no device, and its group means nothing.
    let without = setup.run("ls /dev/kfd /dev/dri; cat /proc/self/status | grep Groups").await;
    let said = text(&exited(&without).stdout);
    assert!(!said.contains("/dev/kfd") && !said.contains("renderD") && !said.contains("42424"), "{said}");
    // One that is gone is this node's fault.
    batch.gpus = vec![0];
    let gone = setup.run_batch(batch).await.remove(0);
    assert!(matches!(failure(&gone), Failure::ProviderStopped { .. }), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_a_gpu_that_idles_is_paid_for_and_ends_with_the_fuel() {
    let Some((setup, _folder)) = with_gpu("fuel of a GPU").await else { return };
    let mut batch = setup.script("sleep 30", &["item"]);
    batch.gpus = vec![1];
    batch.limits.fuel = FUEL_PER_GPU_US * 1_000_000;
    let result = setup.run_batch(batch).await.remove(0);
    assert_eq!(failure(&result), &Failure::Limit { limit: Limit::Fuel });
    assert_eq!(result.usage.fuel, FUEL_PER_GPU_US * 1_000_000, "no more than was agreed");
    assert!(result.usage.cpu_us < 1_000_000, "it did nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_no_program_gets_a_gpu_by_a_variable() {
    let Some(setup) = Setup::new("a GPU by a variable").await else { return };
    let mut batch = setup.script("env | grep NVIDIA", &["item"]);
    batch.program.env.push(("NVIDIA_VISIBLE_DEVICES".into(), "all".into()));
    let result = setup.run_batch(batch).await.remove(0);
    assert_eq!(text(&exited(&result).stdout), "NVIDIA_VISIBLE_DEVICES=void\n");
}

/// With an NVIDIA GPU and the engine's runtime for it, the driver's own tool sees exactly one GPU.
#[tokio::test(flavor = "multi_thread")]
async fn c5_a_real_gpu_computes() {
    let listed = Command::new("nvidia-smi").args(["--query-gpu=uuid", "--format=csv,noheader"]).output();
    let listed = listed.map(|listed| String::from_utf8_lossy(&listed.stdout).trim().to_owned());
    let Some(uuid) = listed.ok().and_then(|listed| listed.lines().next().map(str::to_owned)) else {
        eprintln!("skipped: a real GPU: there is none on this machine");
        return;
    };
    let device = GpuDevice::Nvidia { uuid: uuid.clone() };
    let Some(setup) = Setup::with("a real GPU", |config| config.gpus = vec![device]).await else { return };
    if setup.executor.engines()[0].containers.gpus.is_empty() {
        eprintln!("skipped: a real GPU: the container engine has no way to it");
        return;
    }
    let mut batch = setup.batch(["nvidia-smi", "-L"].map(String::from).to_vec(), &["item"]);
    batch.gpus = vec![0];
    batch.program.needs.gpus = Some(GpuNeed::any(1));
    let result = setup.run_batch(batch).await.remove(0);
    let said = text(&exited(&result).stdout);
    assert!(said.lines().count() == 1 && said.contains(&uuid), "{said}");
}
