//! No text makes a reader panic, and what a reader accepts is sound.

use opensky_servicefile::{
    Given, compose, sdl,
    testing::{SAMPLES, check},
};
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn read_all(text: &str) {
    check(text, |toml| {
        if let Err(error) = opensky_jobfile::parse("any", toml, opensky_jobfile::Format::Toml) {
            assert!(!error.problem.contains("not valid TOML"), "{error}\n{toml}");
        }
    });
}

/// A sample with some of its lines changed: cut, doubled, moved in, with a part of another line put in.
fn changed(sample: &str, changes: &[(usize, u8, usize)]) -> String {
    let mut lines: Vec<String> = sample.lines().map(str::to_owned).collect();
    for (at, kind, other) in changes {
        let at = at % lines.len();
        let other = lines[other % lines.len()].clone();
        let value = |line: &str| line.split_once(':').map_or("", |(_, value)| value).to_owned();
        match kind % 6 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, other),
            2 => lines[at].insert_str(0, "  "),
            3 => {
                let key = lines[at].split_once(':').map_or(lines[at].clone(), |(key, _)| key.to_owned());
                lines[at] = format!("{key}:{}", value(&other));
            }
            4 => {
                let half = lines[at].chars().count() / 2;
                lines[at] = lines[at].chars().take(half).collect();
            }
            _ => lines[at] = lines[at].chars().rev().collect(),
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join("\n")
}

proptest! {
    #[test]
    fn c7_any_text_is_read_or_refused(text in "\\PC{0,200}") {
        read_all(&text);
    }

    #[test]
    fn c7_samples_with_changed_lines_are_read_or_refused(
        sample in 0usize..SAMPLES.len(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>(), any::<usize>()), 1..6),
    ) {
        read_all(&changed(SAMPLES[sample].1, &changes));
    }

    #[test]
    fn services_with_any_values_are_read_or_refused(
        key in prop::sample::select(vec![
            "image", "command", "entrypoint", "ports", "expose", "environment", "healthcheck", "deploy", "restart",
            "links", "depends_on", "networks", "env_file", "user", "tmpfs", "mem_limit", "cpus", "scale", "platform",
            "args", "env", "publish", "health", "replicas", "resources", "update", "stop", "after", "to", "port",
        ]),
        value in "([-0-9a-z.:/${}\\[\\]\"' ,]{0,24}|[0-9]{1,25}[a-zA-Z]{0,2}|-?[0-9]*\\.[0-9]+|~|true)",
    ) {
        read_all(&format!("services:\n  web:\n    image: x\n    {key}: {value}\n"));
        read_all(&format!("service:\n  - name: web\n    image: sky:x\n    {key}: {value}\n"));
        read_all(&format!("service:\n  - name: web\n    image: sky:x\n    ports: [1]\n    health: {{ http: / }}\n    {key}: {value}\n"));
    }
}

/// Large files that are as much work as they can be. Time by the square of the size would be minutes.
#[test]
fn c7_no_file_takes_long() {
    const BYTES: usize = 1 << 18;
    let repeated = |line: &str| line.repeat(BYTES / line.len());
    let numbered = |line: &str| {
        let lines = (0..BYTES / (line.len() + 6)).map(|at| line.replace('#', &at.to_string()));
        lines.collect::<String>()
    };
    let web = "services:\n  web:\n    image: x\n";
    let task = "Type: service\nTasks:\n- Engine: {Type: docker, Params: {Image: x}}\n";
    let texts = [
        format!("services:\n{}", numbered("  a#: {image: x}\n")),
        format!("services:\n{}", numbered("  a#: {build: x}\n")),
        format!("service:\n{}", numbered("  - {name: a#, image: x, links: [\"a:1\"]}\n")),
        format!("{web}    ports:\n{}", repeated("    - 1-64\n")),
        format!("{web}    expose:\n{}", numbered("    - #\n")),
        format!("{web}    volumes:\n{}", repeated("    - a:/b\n")),
        format!("{web}    depends_on:\n{}", repeated("    - web\n")),
        format!("{web}    tmpfs:\n{}", numbered("    - /a#\n")),
        format!("{web}    links:\n{}  db: {{image: redis}}\n", repeated("    - db:b\n")),
        format!("{web}    environment:\n{}", numbered("      A#: $B$C\n")),
        format!("{web}{}", numbered("    x-a#: 1\n")),
        format!("{web}    networks: {{default: {{aliases: [{}]}}}}\n  db: {{image: x}}\n", numbered("a#,")),
        format!("version: '2.0'\n{web}    expose:\n{}", numbered("    - {port: #, to: [{global: true}]}\n")),
        format!("{task}  Network:\n    Ports:\n{}", numbered("    - {Target: #}\n")),
        format!("command: {}", repeated("${A:-")),
        repeated("[[service]]\n"),
        repeated("- "),
    ];
    let started = Instant::now();
    texts.iter().for_each(|text| read_all(text));
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn c7_alias_bombs_and_huge_files_are_refused() {
    let mut bomb = String::from("x-a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        bomb += &format!("x-a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(","));
    }
    bomb += "services: { web: { image: x } }\n";
    let given = Given::default();
    assert!(compose::read("compose.yaml", &bomb, &given).is_err());
    let huge = "#".repeat(2 << 20);
    assert!(compose::read("compose.yaml", &huge, &given).unwrap_err().problem.contains("larger than"));
    assert!(sdl::read("deploy.yaml", &huge, &given).is_err());
    let many: String = (0..65).map(|at| format!("  s{at}: {{ image: x }}\n")).collect();
    let error = compose::read("compose.yaml", &format!("services:\n{many}"), &given).unwrap_err();
    assert!(error.problem.contains("this one has 65"), "{error}");
    // Variables that hold each other's values grow without end in nobody's reading but ours.
    let mut given = Given::default();
    given.vars.insert("A".into(), "x".repeat(60_000));
    let error = compose::read("compose.yaml", "services: { web: { image: x, command: $A$A$A } }", &given)
        .unwrap_err();
    assert!(error.problem.contains("longer than"), "{error}");
}
