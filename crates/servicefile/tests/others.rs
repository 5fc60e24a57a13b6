//! Akash SDL and Bacalhau jobs: what they come to, what of them is refused, and where mistakes are; and which file is
//! which.

use opensky_servicefile::{
    Format, Given, Import, Kind, Plan,
    bacalhau::{self, Work},
    detect, sdl,
};
use opensky_types::{
    Hash,
    job::Blob,
    place::Level,
    service::{Probe, Restart},
};

const WEB: &str = include_str!("samples/web.sdl.yaml");
const DOCKER: &str = include_str!("samples/docker.bacalhau.yaml");
const WASM: &str = include_str!("samples/wasm.bacalhau.json");
const SERVICE: &str = include_str!("samples/service.bacalhau.yaml");

fn read_sdl(text: &str) -> Import {
    sdl::read("deploy.yaml", text, &Given::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn read_bacalhau(text: &str) -> Import<Work> {
    bacalhau::read("job.yaml", text, Format::Yaml, &Given::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn refused<T>(import: &Import<T>) -> Vec<(&str, u32)> {
    import.refused().iter().map(|refused| (refused.path.as_str(), refused.line)).collect()
}

fn services(import: Import<Work>) -> Plan {
    match import.accept().expect("nothing is refused") {
        Work::Services(plan) => plan,
        Work::Job(job) => panic!("a service, not {job:?}"),
    }
}

/// The job file that a Bacalhau job comes to, read again.
fn job(text: &str) -> (String, opensky_jobfile::Plan) {
    match read_bacalhau(text).accept().expect("nothing is refused") {
        Work::Job(job) => {
            let plan = opensky_jobfile::parse("job.toml", &job.toml, opensky_jobfile::Format::Toml);
            (job.toml.clone(), plan.unwrap_or_else(|error| panic!("{error}\n{}", job.toml)))
        }
        Work::Services(plan) => panic!("a job, not {plan:?}"),
    }
}

#[test]
fn c7_an_akash_deployment_becomes_services() {
    let import = read_sdl(WEB);
    assert_eq!(refused(&import), []);
    let notes: Vec<&str> = import.notes().iter().map(|note| note.path.as_str()).collect();
    for path in [
        "profiles.placement.westcoast.pricing",
        "services.web.expose.accept",
        "profiles.compute.web.resources.cpu",
    ] {
        assert!(notes.contains(&path), "{path} is not in {notes:?}");
    }
    let plan = import.accept().unwrap();
    let [store, web] = plan.services() else { panic!("the store first") };
    let spec = web.spec(Blob { hash: Hash::of(b"image"), size_bytes: 5 }).unwrap();
    assert_eq!(web.image.value.to_string(), "docker:nginx:1.27");
    assert_eq!((spec.replicas, spec.limits.cpu_cores, spec.restart), (3, 1, Restart::Always));
    assert_eq!((spec.limits.memory_bytes, spec.limits.scratch_bytes), (512 << 20, 1 << 30));
    assert_eq!(spec.program.env[0], ("EMPTY".to_owned(), String::new()));
    assert_eq!(spec.links[0].host, "store");
    assert_eq!((spec.links[0].port, spec.links.len()), (6379, 1));
    let publish: Vec<String> = web.publish.iter().map(ToString::to_string).collect();
    assert_eq!(publish, ["127.0.0.1:0:3000", "127.0.0.1:9090:9090"], "80 is not this machine's to give");
    assert_eq!(web.after, ["store"]);
    assert_eq!((store.ports.as_slice(), store.links.len(), store.publish.len()), (&[6379][..], 0, 0));
    assert_eq!((store.limits.memory_bytes, store.limits.scratch_bytes), (128_000_000, 128 << 20));
    assert_eq!(store.health.as_ref().unwrap().probe, Probe::Tcp { port: 6379 });
}

#[test]
fn c7_what_an_akash_deployment_needs_more_is_refused() {
    for (old, new, path, line) in [
        (
            "        gpu: { units: 0 }",
            "        gpu: { units: 1, attributes: { vendor: { intel: } } }",
            "profiles.compute.store.resources.gpu",
            46,
        ),
        (
            "            size: 28Mi",
            "            size: 28Mi\n            attributes: { persistent: true }",
            "profiles.compute.store.resources.storage",
            46,
        ),
        ("    args: [\"nginx\"", "    command: [\"sh\"]\n    args: [\"nginx\"", "services.web.command", 6),
        ("      - port: 6379", "      - port: 6379\n        as: 80", "services.store.expose.to", 28),
        ("      - port: 6379", "      - port: 6379\n        proto: udp", "services.store.expose.proto", 26),
        ("profile: store, count: 1", "profile: store, count: 0", "deployment.store.westcoast", 62),
        (
            "    env:\n",
            "    params: { storage: { data: { mount: /data } } }\n    env:\n",
            "services.web.params",
            7,
        ),
        ("version: \"2.0\"", "version: \"2.0\"\nendpoints: { ip: { kind: ip } }", "endpoints", 3),
    ] {
        assert!(WEB.contains(old), "{old}");
        let import = read_sdl(&WEB.replacen(old, new, 1));
        assert_eq!(refused(&import), [(path, line)], "{new}");
        assert!(import.accept().is_err());
    }
}

#[test]
fn c7_mistakes_in_an_sdl_have_line_and_column() {
    for (old, new, line, column, problem) in [
        ("version: \"2.0\"\n", "", 1, 1, "the key 'version' is missing"),
        ("version: \"2.0\"", "version: \"3.0\"", 2, 10, "version 3.0 of SDL is not known"),
        (
            "  web:\n    image: nginx:1.27",
            "  Web:\n    image: nginx:1.27",
            4,
            3,
            "'Web' cannot be a service's name",
        ),
        ("    image: nginx:1.27\n", "", 4, 3, "service 'web' has no image"),
        ("      - port: 3000", "      - port: 0", 11, 15, "expected a port from 1 to 65535"),
        ("      - port: 3000\n        as", "      - as", 11, 9, "the key 'port' is missing"),
        ("          - service: web", "          - service: wbe", 27, 22, "there is no service 'wbe'"),
        ("          units: 100m", "          units: fast", 33, 18, "'fast' is no number of cores"),
        ("          size: 512Mi", "          size: big", 35, 17, "'big' is no size"),
        ("profile: web, count: 2", "profile: wbe, count: 2", 59, 27, "there is no compute profile 'wbe'"),
        ("    europe: { profile", "    europ: { profile", 60, 5, "there is no placement profile 'europ'"),
        ("  store:\n    westcoast: {", "  stor:\n    westcoast: {", 22, 3, "service 'store' is not deployed"),
        ("    args:", "    argss:", 6, 5, "unknown key 'argss'"),
    ] {
        assert!(WEB.contains(old), "{old}");
        let text = WEB.replacen(old, new, 1);
        let error = sdl::read("deploy.yaml", &text, &Given::default()).expect_err(new);
        assert_eq!((error.line, error.column), (line, column), "{error}");
        assert!(error.problem.contains(problem), "{error}");
    }
}

#[test]
fn c7_bacalhau_jobs_become_job_files() {
    let (toml, plan) = job(DOCKER);
    let stage = &plan.job().stages[0];
    assert_eq!(
        (plan.job().name.as_str(), stage.name.as_str(), stage.level),
        ("word-count", "count", Level::Container)
    );
    assert_eq!(stage.program.value, "docker:ubuntu:24.04");
    assert_eq!(stage.args, ["/bin/bash", "-c", "echo \"$GREETING\" | wc -w > /out/words.txt"], "{toml}");
    assert_eq!(stage.env[0], ("GREETING".to_owned(), "a \"good\" day".to_owned()));
    assert_eq!((stage.limits.memory_bytes, stage.limits.scratch_bytes), (1_000_000_000, 200_000_000));
    assert_eq!((stage.limits.wall_ms, plan.job().deadline_ms), (1_800_000, Some(7_200_000)));
    assert!(toml.contains("memory = \"1GB\"") && toml.contains("scratch = \"200MB\""), "{toml}");
    assert!(toml.contains("numbers = { from = 0, to = 3 }"), "{toml}");

    let (_, plan) = job(WASM);
    let stage = &plan.job().stages[0];
    assert_eq!((stage.level, stage.program.value.as_str()), (Level::Vm, "primes.wasm"));
    assert_eq!((stage.args.len(), stage.limits.wall_ms, plan.job().wait_ms), (2, 60_000, Some(30_000)));
}

#[test]
fn c7_a_bacalhau_service_becomes_a_service() {
    let plan = services(read_bacalhau(SERVICE));
    let [page] = plan.services() else { panic!("one service") };
    assert_eq!((page.name.value.as_str(), page.replicas, page.ports.as_slice()), ("page", 2, &[80][..]));
    assert_eq!(page.publish[0].to_string(), "127.0.0.1:8080:80");
    assert_eq!(page.limits.memory_bytes, 256 << 20);
}

#[test]
fn c7_what_a_bacalhau_job_needs_more_is_refused() {
    let inputs = "    InputSources:\n      - Source: { Type: urlDownload, Params: { URL: \"http://x\" } }\n        Target: /in\n    Env:\n";
    for (old, new, path, line) in [
        ("Type: batch", "Type: ops", "Type", 2),
        ("Type: batch", "Type: daemon", "Type", 2),
        (
            "        Image: ubuntu:24.04",
            "        Image: somebody/tool",
            "Tasks.0.Engine.Params.Entrypoint",
            13,
        ),
        ("    Env:\n", inputs, "Tasks.0.InputSources", 17),
        ("        Path: /out\n", "        Path: /outputs\n", "Tasks.0.ResultPaths", 22),
        ("      CPU: \"0.5\"", "      GPU: \"40\"", "Tasks.0.Resources.GPU", 24),
        ("      Type: None", "      Type: HTTP", "Tasks.0.Network", 28),
        ("      LEVEL: 3", "      LEVEL: env:LEVEL", "Tasks.0.Env", 17),
        (
            "        Parameters: [-c",
            "        WorkingDirectory: /app\n        Parameters: [-c",
            "Tasks.0.Engine.Params.WorkingDirectory",
            14,
        ),
        ("Parameters: [-c", "Parameters: [\"{item}\", -c", "Tasks.0.Engine", 8),
    ] {
        assert!(DOCKER.contains(old), "{old}");
        let import = read_bacalhau(&DOCKER.replacen(old, new, 1));
        assert_eq!(refused(&import), [(path, line)], "{new}");
    }
    for (old, new, path) in [
        ("\"_start\"", "\"run\"", "Tasks.0.Engine.Params.Entrypoint"),
        ("\"ImportModules\": []", "\"ImportModules\": [{}]", "Tasks.0.Engine.Params.ImportModules"),
        ("localDirectory", "s3", "Tasks.0.Engine.Params.EntryModule"),
        ("\"batch\"", "\"service\"", "Tasks.0.Engine"),
    ] {
        assert_eq!(refused(&read_bacalhau(&WASM.replacen(old, new, 1)))[0].0, path, "{new}");
    }
}

#[test]
fn c7_mistakes_in_bacalhau_jobs_have_line_and_column() {
    for (old, new, line, column, problem) in [
        ("Type: batch", "Type: bach", 2, 7, "expected batch, ops, service or daemon"),
        ("      Type: docker", "      Type: qemu", 10, 13, "expected docker or wasm"),
        ("Count: 3", "Count: 0", 4, 8, "runs nothing"),
        ("        Image: ubuntu:24.04\n", "", 12, 9, "the key 'Image' is missing"),
        ("    Env:\n", "    Enviro:\n", 16, 5, "unknown key 'Enviro'"),
        ("      Memory: 1Gb", "      Memory: 1Xb", 25, 15, "'1Xb' is no size"),
        ("Tasks:", "Spec: {}\nNope:", 1, 1, "before version 1.1"),
    ] {
        assert!(DOCKER.contains(old), "{old}");
        let text = DOCKER.replacen(old, new, 1);
        let error = bacalhau::read("job.yaml", &text, Format::Yaml, &Given::default()).expect_err(new);
        assert_eq!((error.line, error.column), (line, column), "{error}");
        assert!(error.problem.contains(problem), "{error}");
    }
}

#[test]
fn c7_files_are_told_apart_by_what_they_say() {
    let compose = include_str!("samples/shop.compose.yaml");
    for (name, text, kind) in [
        ("compose.yaml", compose, Some(Kind::Compose)),
        ("deploy.yaml", WEB, Some(Kind::Sdl)),
        ("job.yaml", DOCKER, Some(Kind::Bacalhau)),
        ("job.json", WASM, Some(Kind::Bacalhau)),
        ("page.yml", SERVICE, Some(Kind::Bacalhau)),
        ("web.toml", "[[service]]\nname = \"web\"\n", Some(Kind::ServiceFile)),
        ("web.json", "{\"service\": []}", Some(Kind::ServiceFile)),
        ("job.toml", "name = \"a\"\n[[stage]]\n", Some(Kind::JobFile)),
        // With mistakes in them.
        ("web.toml", "[[service]]\nname = web\n", Some(Kind::ServiceFile)),
        ("job.toml", "[[stage]]\nname = \n", Some(Kind::JobFile)),
        ("a.yaml", "services:\n  web:\n   - a\n  b: [\n", Some(Kind::Compose)),
        ("a.yaml", "services:\n  web: [\ndeployment:\n", Some(Kind::Sdl)),
        ("compose.yaml", "services :\n\t- [", Some(Kind::Compose)),
        ("docker-compose.override.yml", "include: [a.yaml]\n", Some(Kind::Compose)),
        // Nothing of ours.
        ("Cargo.toml", "[package]\nname = \"a\"\n", None),
        ("values.yaml", "replicas: 2\n", None),
        ("readme.md", "services:\n", None),
        ("empty.yaml", "", None),
    ] {
        assert_eq!(detect(name, text), kind, "{name}: {text}");
    }
}

#[test]
fn c5_c7_gpus_of_an_akash_deployment_are_asked_for() {
    let with = |gpu: &str| {
        let text = WEB.replace("        gpu: { units: 0 }", &format!("        gpu: {gpu}"));
        let import = sdl::read("deploy.yaml", &text, &Given::default())
            .unwrap_or_else(|error| panic!("{gpu}: {error}"));
        let plan = import.accept().unwrap_or_else(|refused| panic!("{gpu}: {refused:?}"));
        let store = plan.services().iter().find(|service| service.name.value == "store").unwrap();
        store.needs.gpus.as_ref().map(ToString::to_string)
    };
    assert_eq!(with("{ units: 0 }"), None);
    assert_eq!(with("{ units: 2 }").as_deref(), Some("2"));
    assert_eq!(with("{ units: 1, attributes: { vendor: { nvidia: } } }").as_deref(), Some("1,vendor=nvidia"));
    let model = "{ units: 1, attributes: { vendor: { nvidia: [{ model: A100, ram: 80Gi }] } } }";
    assert_eq!(with(model).as_deref(), Some("1,memory=80GiB,vendor=nvidia,model=a100"));
    let any = "{ units: 1, attributes: { vendor: { amd: [{ model: \"*\" }] } } }";
    assert_eq!(with(any).as_deref(), Some("1,vendor=amd"));
}
