//! What programs in containers need, and what nodes offer of it.

use opensky_types::{
    Hash, codec,
    job::{GPUS_MAX, GpuNeed, GpuVendor, ImageRef, Isolation, Needs, Program},
    offer::{ContainerOffer, Offer},
    place::Level,
    reason::Misfit,
    resources::Gpu,
    samples,
};

const DIGEST: &str = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn image(name: &str) -> Result<String, String> {
    let read: Result<ImageRef, _> = format!("{name}@{DIGEST}").parse();
    read.map(|image| image.to_string().replace(&format!("@{DIGEST}"), "")).map_err(|error| error.to_string())
}

#[test]
fn c4_images_of_registries_are_named_in_full() {
    let good = [
        ("redis", "docker.io/library/redis"),
        ("redis:8", "docker.io/library/redis"),
        ("docker.io/redis", "docker.io/library/redis"),
        ("bitnami/redis", "docker.io/bitnami/redis"),
        ("ghcr.io/a/b/c:v1.2_3-4", "ghcr.io/a/b/c"),
        ("localhost:5000/a", "localhost:5000/a"),
        ("localhost/a", "localhost/a"),
        ("registry.example.org:443/a__b/c-d.e", "registry.example.org:443/a__b/c-d.e"),
    ];
    for (name, full) in good {
        assert_eq!(image(name).as_deref(), Ok(full));
        assert_eq!(image(full).as_deref(), Ok(full), "what was written is read");
    }
    let bad = [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "a/B",
        "ghcr.io/",
        "ghcr.io/-a",
        "ghcr.io/a-",
        "ghcr.io/a..b",
        "a b",
        "a:",
        "a:b:c",
        "localhost:0/a",
        "localhost:65536/a",
        "localhost:05/a",
        "-a.io/b",
        "a..io/b",
        "a\u{e9}",
        "user:pass@ghcr.io/a",
        "ghcr.io/a?b",
        "ghcr.io/a#b",
        "ghcr.io/../a",
    ];
    for name in bad {
        assert!(image(name).is_err(), "{name}");
    }
    let without_digest = ["redis", "redis:8", "redis@sha256:00", "redis@sha512:00", "redis@"];
    assert!(without_digest.iter().all(|text| text.parse::<ImageRef>().is_err()));
    assert!(format!("redis@{}", DIGEST.to_uppercase()).parse::<ImageRef>().is_err());
    assert!(image(&"a".repeat(256)).is_err());
}

#[test]
fn c4_an_owner_allows_registries_and_parts_of_them() {
    let image: ImageRef = format!("ghcr.io/owner/tools/name@{DIGEST}").parse().unwrap();
    for source in ["ghcr.io", "ghcr.io/", "ghcr.io/owner", "ghcr.io/owner/tools", "ghcr.io/owner/tools/name"]
    {
        assert!(image.is_from(source), "{source}");
    }
    for source in
        ["", "ghcr", "ghcr.io.example.org", "ghcr.io/own", "ghcr.io/owner/tools/nam", "docker.io", "io"]
    {
        assert!(!image.is_from(source), "{source}");
    }
}

#[test]
fn t3_programs_without_needs_are_written_as_they_always_were() {
    let program = samples::program();
    let Program { hash, size_bytes, level, function, args, env, deterministic, .. } = &program;
    let before = codec::encode(&(hash, size_bytes, level, function, args, env, deterministic));
    assert_eq!(codec::encode(&program), before);
    assert_eq!(codec::decode::<Program>(&before, 1_000), Ok(program));
    let offer = samples::offer(3);
    let with_nothing = [codec::encode(&offer), codec::encode(&ContainerOffer::default())].concat();
    assert!(codec::decode::<Offer>(&with_nothing, 10_000).is_err(), "one value, one encoding");
}

#[test]
fn c4_needs_have_one_encoding() {
    let program = samples::needy_program();
    let bytes = codec::encode(&program);
    assert_eq!(codec::decode::<Program>(&bytes, 10_000), Ok(program.clone()));
    let offer = samples::rich_offer(3);
    assert_eq!(codec::decode::<Offer>(&codec::encode(&offer), 10_000), Ok(offer));
    // The flags stand where `deterministic` stood: right before the needs.
    let at = bytes.len() - codec::encode(&program.needs).len() - 1;
    assert_eq!(bytes[at], 2);
    for flags in [4, 6, 128, 255] {
        let mut wrong = bytes.clone();
        wrong[at] = flags;
        assert!(codec::decode::<Program>(&wrong, 10_000).is_err(), "flags {flags}");
    }
    let nothing = [&bytes[..=at], &codec::encode(&Needs::default())].concat();
    assert!(codec::decode::<Program>(&nothing, 10_000).is_err(), "one value, one encoding");
    let full = String::from_utf8_lossy(&bytes).find("ghcr.io").expect("the name is there as text");
    let mut short = bytes.clone();
    short[full..full + 7].copy_from_slice(b"ghcr_io");
    assert!(codec::decode::<Program>(&short, 10_000).is_err(), "a name that is not in full");
}

#[test]
fn c5_gpus_are_chosen_by_what_is_asked_for() {
    let gpu = |model: &str, vendor: &str, memory: Option<u64>| Gpu {
        model: model.into(),
        vendor: vendor.into(),
        memory_bytes: memory.map(|gib| gib << 30),
    };
    let machine = [
        gpu("NVIDIA A100-SXM4-80GB", "nvidia", Some(80)),
        gpu("NVIDIA GeForce RTX 4090", "nvidia", Some(24)),
        gpu("AMD Instinct MI210", "amd", Some(64)),
        gpu("NVIDIA Orin", "nvidia", None),
    ];
    let chosen = |need: GpuNeed, among: &[u8]| {
        Needs { gpus: Some(need), ..Needs::default() }.choose_gpus(among.iter().copied(), &machine)
    };
    let all = [0, 1, 2, 3];
    assert_eq!(chosen(GpuNeed::any(2), &all), Some(vec![0, 1]));
    assert_eq!(chosen(GpuNeed::any(2), &[3, 1, 0]), Some(vec![3, 1]), "in the order given");
    assert_eq!(chosen(GpuNeed::any(5), &all), None);
    assert_eq!(chosen(GpuNeed { memory_bytes_min: 60 << 30, ..GpuNeed::any(2) }, &all), Some(vec![0, 2]));
    assert_eq!(chosen(GpuNeed { vendor: Some(GpuVendor::Amd), ..GpuNeed::any(1) }, &all), Some(vec![2]));
    assert_eq!(chosen(GpuNeed { model: "rtx".into(), ..GpuNeed::any(1) }, &all), Some(vec![1]));
    assert_eq!(chosen(GpuNeed::any(1), &[7]), None, "a place that the machine does not have");
    assert_eq!(Needs::default().choose_gpus([], &[]), Some(Vec::new()));
}

#[test]
fn c5_gpus_are_written_as_they_are_read() {
    for text in ["1", "2,memory=16GiB", "16,vendor=amd", "2,memory=1MiB,vendor=nvidia,model=a100 80gb, sxm"] {
        assert_eq!(text.parse::<GpuNeed>().unwrap().to_string(), text);
    }
    assert_eq!("1,model=A100".parse::<GpuNeed>().unwrap().model, "a100");
    let bad = [
        "",
        "0",
        "17",
        "x",
        "1,",
        "1,memory=",
        "1,memory=1GiB,memory=1GiB",
        "1,vendor=intel",
        "1,model=",
        "1,a",
    ];
    for text in bad {
        assert!(text.parse::<GpuNeed>().is_err(), "{text}");
    }
}

#[test]
fn c4_c5_a_program_says_what_hosts_can_rely_on() {
    let changed = |change: &dyn Fn(&mut Program)| {
        let mut job = samples::job(1);
        job.stages[0].program = samples::needy_program();
        change(&mut job.stages[0].program);
        job.validate().map_err(|invalid| invalid.problem)
    };
    assert_eq!(changed(&|_| ()), Ok(()));
    let bad: [&dyn Fn(&mut Program); 8] = [
        &|program| program.needs.isolation = Isolation::Gvisor,
        &|program| program.level = Level::Vm,
        &|program| program.hash = Hash::of(b"another"),
        &|program| program.size_bytes = 1,
        &|program| program.needs.gpus.as_mut().unwrap().count = 0,
        &|program| program.needs.gpus.as_mut().unwrap().count = GPUS_MAX + 1,
        &|program| program.needs.gpus.as_mut().unwrap().model = "A100".into(),
        &|program| program.needs.gpus.as_mut().unwrap().model = "a".repeat(65),
    ];
    for (number, change) in bad.iter().enumerate() {
        assert!(changed(change).is_err(), "change {number}");
    }
    assert_eq!(samples::needy_program().blob(), None);
    assert!(samples::program().blob().is_some());
}

#[test]
fn c4_c5_what_is_missing_is_said() {
    let program = samples::needy_program();
    let gpu =
        |model: &str| Gpu { model: model.into(), vendor: "nvidia".into(), memory_bytes: Some(80 << 30) };
    let machine = [gpu("A100"), gpu("A100")];
    let offer = ContainerOffer {
        isolations: vec![Isolation::Gvisor],
        registries: vec!["ghcr.io/owner".into()],
        gpus: vec![0, 1],
    };
    let mut program = program;
    assert_eq!(offer.misfit(&program.needs, &machine), None);
    assert_eq!(offer.misfit(&Needs::default(), &[]), None);
    let without = ContainerOffer { registries: vec!["docker.io".into()], ..offer.clone() };
    assert_eq!(without.misfit(&program.needs, &machine), Some(Misfit::Registry));
    let without = ContainerOffer { gpus: vec![1], ..offer };
    assert_eq!(without.misfit(&program.needs, &machine), Some(Misfit::Gpu));
    program.needs = Needs { gpus: None, isolation: Isolation::Gvisor, ..program.needs };
    assert_eq!(without.misfit(&program.needs, &[]), None);
    let without = ContainerOffer { isolations: Vec::new(), ..without };
    assert_eq!(without.misfit(&program.needs, &[]), Some(Misfit::Isolation));
}
