//! What images need beside a processor, memory and files, as job files say it.

use opensky_jobfile::{Format, parse, plan::StagePlan};
use opensky_types::{
    job::{Isolation, LevelReason},
    place::Level,
    resources::{FUEL_PER_GPU_US, TaskLimits},
};

fn read(lines: &str) -> Result<StagePlan, String> {
    let text = format!("name = \"n\"\n[[stage]]\nname = \"s\"\n{lines}\n");
    let plan = parse("job.toml", &text, Format::Toml).map_err(|error| error.to_string())?;
    Ok(plan.job().stages[0].clone())
}

#[test]
fn c4_c5_needs_of_images_are_read() {
    let stage =
        read("image = \"docker:a\"\ngpus = { count = 2, memory = \"16GiB\", model = \"A100\" }").unwrap();
    let gpus = stage.needs.gpus.as_ref().map(ToString::to_string);
    assert_eq!(gpus.as_deref(), Some("2,memory=16GiB,model=a100"));
    // Time ends it, not fuel, unless the file says otherwise.
    assert!(stage.limits.fuel > stage.limits.wall_ms * 1_000 * 2 * FUEL_PER_GPU_US);
    let stage = read("image = \"docker:a\"\ngpus = 1\nresources = { fuel = \"5G\" }").unwrap();
    assert_eq!(stage.limits.fuel, 5_000_000_000);
    let stage = read("image = \"docker:a\"\nisolation = \"gvisor\"").unwrap();
    assert_eq!((stage.needs.isolation, stage.limits), (Isolation::Gvisor, TaskLimits::default()));
    let name = format!("ghcr.io/a/b@sha256:{}", "0a".repeat(32));
    let stage = read(&format!("image = \"{name}\"")).unwrap();
    assert_eq!(stage.needs.image.map(|image| image.to_string()), Some(name));
    let engines = read(&format!("image = \"docker:b@sha256:{}\"", "0a".repeat(32))).unwrap();
    assert_eq!(engines.needs.image, None, "one of this machine's engine");
    // A wish for GPUs decides between a program and an image.
    let stage = read("program = \"a.wasm\"\nimage = \"docker:a\"\ngpus = 1").unwrap();
    assert_eq!((stage.level, stage.level_reason), (Level::Container, LevelReason::SpecialHardware));
}

#[test]
fn c4_c5_mistakes_in_needs_are_shown() {
    let wrong = [
        ("program = \"a.wasm\"\ngpus = 1", "'gpus' is of images"),
        ("program = \"a.wasm\"\nisolation = \"gvisor\"", "'isolation' is of images"),
        ("image = \"docker:a\"\ngpus = 17", "1 to 16 GPUs"),
        ("image = \"docker:a\"\ngpus = -1", "a number of GPUs"),
        ("image = \"docker:a\"\ngpus = 1\nisolation = \"gvisor\"", "no GPU reaches into gVisor"),
        ("image = \"ghcr.io/a/b@sha256:12\"", "by its digest"),
        ("image = \"docker:a\"\ngpus = { number = 1 }", "number"),
    ];
    for (lines, expected) in wrong {
        let error = read(lines).expect_err(lines);
        assert!(error.contains(expected) && error.contains("job.toml:"), "{lines}: {error}");
    }
}
