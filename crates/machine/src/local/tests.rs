use super::*;
use crate::roots::fixture::Tree;
use std::time::Duration;

fn data_folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn this_machine_has_what_every_machine_has() {
    let folder = data_folder();
    let machine = LocalMachine::open(folder.path());
    let profile = machine.profile();
    assert!(!profile.cpu_model.is_empty());
    assert_eq!(profile.cpu_arch, std::env::consts::ARCH);
    assert!(profile.cpu_cores >= 1);
    assert!(profile.memory_bytes > 0);
    assert!(profile.disk_free_bytes > 0);
    assert!(profile.disk_write_mb_s >= 1);

    let readings = machine.readings();
    assert!(readings.cpu_busy_percent <= 100);
    assert!(readings.memory_available_bytes <= profile.memory_bytes);
    assert!(readings.disk_free_bytes > 0);
    assert!(readings.minute_of_day < 24 * 60);
}

#[test]
fn made_up_sensors_and_limits_show() {
    let folder = data_folder();
    let tree = Tree::new(&[
        ("proc/self/cgroup", "0::/\n"),
        ("proc/stat", "cpu 0 0 0 100 0 0 0 0 0 0\n"),
        ("sys/fs/cgroup/memory.max", "100000000\n"),
        ("sys/fs/cgroup/memory.current", "99000000\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "71000\n"),
    ]);
    let machine = LocalMachine::open_at(folder.path(), tree.roots());
    assert_eq!(machine.profile().memory_bytes, 100_000_000);

    tree.write("proc/stat", "cpu 25 0 0 175 0 0 0 0 0 0\n");
    let readings = machine.readings();
    assert_eq!(readings.cpu_busy_percent, 25);
    assert_eq!(readings.memory_available_bytes, 1_000_000);
    assert_eq!(readings.temperature_celsius, Some(71));
    assert_eq!(readings.idle_ms, None);
}

#[test]
fn a_score_is_measured_once_for_a_processor_and_engine() {
    let folder = data_folder();
    let run = ScoreRun { fuel: 550_000_000, took: Duration::from_millis(100) };
    let machine = LocalMachine::open(folder.path());
    assert_eq!(machine.known_score("engine 1"), None);
    assert_eq!(machine.profile().score_per_core, 0);
    assert_eq!(machine.keep_score("engine 1", run).expect("a writable folder"), 5_500);
    assert_eq!(machine.profile().score_per_core, 5_500);

    let restarted = LocalMachine::open(folder.path());
    assert_eq!(restarted.known_score("engine 2"), None);
    assert_eq!(restarted.known_score("engine 1"), Some(5_500));
    assert_eq!(restarted.profile().score_per_core, 5_500);
}

#[test]
fn f4_a_folder_that_takes_no_bytes_still_gives_a_machine() {
    let folder = data_folder();
    let machine = LocalMachine::open(&folder.path().join("missing"));
    assert_eq!(machine.profile().disk_write_mb_s, 0);
    assert_eq!(machine.readings().disk_free_bytes, 0);
    let run = ScoreRun { fuel: 1_000_000, took: Duration::from_secs(1) };
    assert!(machine.keep_score("engine", run).is_err());
    assert_eq!(machine.profile().score_per_core, 1);
}
