//! Service files: three formats, one plan; every mistake with its line and column.

use opensky_servicefile::{
    Format::{self, Json, Toml, Yaml},
    ImageRef, Plan, SecretSource, parse, schema,
};
use opensky_types::{
    Hash,
    job::{Blob, Isolation},
    place::Region,
    service::{HealthCheck, Load, Probe, Restart, Scale, ServiceRef, Update},
};

const TOML: &str = r#"[[service]]
name = "web"
image = "docker:nginx"
env = { MODE = "production" }
ports = [80]
publish = ["8080:80"]
links = ["db:5432", "cache=redis:6379"]
health = { http = "/healthz", interval = "2s", failures = 5 }
replicas = 2
after = ["db"]
[service.resources]
memory = "128MiB"
cpu = 2
[service.constraints]
region = "europe"

[[service]]
name = "db"
image = "images/postgres.tar"
args = ["-c", "fsync=off"]
ports = [5432]
restart = "on-failure"
update = { parallel = 2, healthy = "1m", rollback = false }
stop = "1m"
"#;

const YAML: &str = "service:
  - name: web
    image: docker:nginx
    env: { MODE: production }
    ports: [80]
    publish: 8080:80
    links: [\"db:5432\", cache=redis:6379]
    health:
      http: /healthz
      interval: 2s
      failures: 5
    replicas: 2
    after: db
    resources: { memory: 128MiB, cpu: 2 }
    constraints: { region: europe }
  - name: db
    image: images/postgres.tar
    args: [-c, fsync=off]
    ports: [5432]
    restart: on-failure
    update: { parallel: 2, healthy: 1m, rollback: false }
    stop: 1m
";

const JSON: &str = r#"{ "service": [
  { "name": "web", "image": "docker:nginx", "env": { "MODE": "production" }, "ports": [80],
    "publish": ["8080:80"], "links": ["db:5432", "cache=redis:6379"],
    "health": { "http": "/healthz", "interval": "2s", "failures": 5 }, "replicas": 2, "after": ["db"],
    "resources": { "memory": "128MiB", "cpu": 2 }, "constraints": { "region": ["europe"] } },
  { "name": "db", "image": "images/postgres.tar", "args": ["-c", "fsync=off"], "ports": [5432],
    "restart": "on-failure", "update": { "parallel": 2, "healthy": "1m", "rollback": false }, "stop": "1m" }
] }
"#;

fn image() -> Blob {
    Blob { hash: Hash::of(b"image"), size_bytes: 5 }
}

/// A plan without places, so that formats can be compared.
fn shape(plan: &Plan) -> String {
    let specs = plan.services().iter().map(|service| {
        let spec = service.spec(image()).expect("a plan is checked");
        format!("{:?} {spec:?} {:?} {:?}", service.image.value, service.publish, service.after)
    });
    specs.collect::<Vec<_>>().join("\n")
}

fn minimal(more: &str) -> String {
    format!("[[service]]\nname = \"web\"\nimage = \"docker:nginx\"\n{more}\n")
}

#[test]
fn c7_three_formats_one_plan_of_services() {
    let toml = parse("web.toml", TOML, Format::Toml).unwrap();
    assert_eq!(shape(&toml), shape(&parse("web.yaml", YAML, Format::Yaml).unwrap()));
    assert_eq!(shape(&toml), shape(&parse("web.json", JSON, Format::Json).unwrap()));
    let [db, web] = toml.services() else { panic!("two services, db first") };
    assert_eq!((db.name.value.as_str(), web.name.value.as_str()), ("db", "web"));
    assert_eq!(db.image.value, ImageRef::Archive("images/postgres.tar".into()));
    assert_eq!(web.image.value, ImageRef::Engine("nginx".into()));
    let spec = web.spec(image()).unwrap();
    let probe = Probe::Http { port: 80, path: "/healthz".into() };
    assert_eq!(spec.health, Some(HealthCheck { failures_max: 5, ..HealthCheck::usual(probe) }));
    assert_eq!((spec.replicas, spec.limits.memory_bytes, spec.limits.cpu_cores), (2, 128 << 20, 2));
    assert_eq!(spec.constraints.regions, [Region::Europe]);
    assert_eq!(spec.links[1].host, "cache");
    assert_eq!(spec.links[1].service, ServiceRef { name: "redis".into(), owner: None });
    assert_eq!(web.publish[0].to_string(), "127.0.0.1:8080:80");
    assert_eq!(web.after, ["db"]);
    let spec = db.spec(image()).unwrap();
    assert_eq!((spec.restart, spec.stop_ms), (Restart::OnFailure, 60_000));
    assert_eq!(spec.update, Update { parallel: 2, healthy_ms: 60_000, rollback: false });
    assert_eq!(
        spec.health,
        Some(HealthCheck::usual(Probe::Tcp { port: 5432 })),
        "its first port, unless said"
    );
}

#[test]
fn what_is_absent_has_the_usual_value() {
    let health = |more: &str| {
        let plan = parse("web.toml", &minimal(more), Format::Toml).unwrap();
        plan.services()[0].spec(image()).unwrap().health
    };
    assert_eq!(health(""), None, "no port, nothing to try");
    assert_eq!(health("ports = [80]\nhealth = false"), None);
    assert_eq!(
        health("ports = [80, 81]\nhealth = { tcp = 81 }"),
        Some(HealthCheck::usual(Probe::Tcp { port: 81 }))
    );
    assert_eq!(health("ports = [80]\nhealth = true"), Some(HealthCheck::usual(Probe::Tcp { port: 80 })));
    let command = Probe::Command { args: vec!["ok".into()] };
    assert_eq!(health("health = { command = [\"ok\"] }"), Some(HealthCheck::usual(command)));
    let plan = parse("web.toml", &minimal("publish = [\"8080:80\", \"80\"]"), Format::Toml).unwrap();
    let web = &plan.services()[0];
    assert_eq!(web.ports, [80], "what is published is a port");
    assert_eq!(web.publish[1].local.port(), 0, "any that is free");
    let spec = web.spec(image()).unwrap();
    assert_eq!((spec.replicas, spec.restart, spec.stop_ms), (1, Restart::Always, 10_000));
    assert_eq!(spec.update, Update::default());
}

#[test]
fn services_come_after_those_they_need() {
    let services = |text: &[(&str, &str)]| {
        let one = |(name, more): &(&str, &str)| {
            let port = name.as_bytes()[0];
            format!("[[service]]\nname = \"{name}\"\nimage = \"sky:x\"\nports = [{port}]\n{more}\n")
        };
        parse("a.toml", &text.iter().map(one).collect::<String>(), Format::Toml)
    };
    let names =
        |plan: Plan| plan.services().iter().map(|service| service.name.value.clone()).collect::<Vec<_>>();
    let plan = services(&[("a", "after = ['c']"), ("b", "links = ['a:97']"), ("c", "")]).unwrap();
    assert_eq!(names(plan), ["c", "a", "b"]);
    let plan = services(&[("a", "links = ['b:98']"), ("b", "links = ['a:97']")]).unwrap();
    assert_eq!(names(plan), ["a", "b"], "both reach each other, and neither waits");
    let error =
        services(&[("a", "after = ['b']"), ("b", "after = ['c']"), ("c", "after = ['a']")]).unwrap_err();
    assert_eq!(error.problem, "services wait for each other: a → b → c → a");
    assert_eq!((error.line, error.column), (5, 10));
}

/// Replaces `old` by `new` in a good file and says where and what is wrong with the result.
fn fault(format: Format, old: &str, new: &str) -> (u32, u32, String, Option<String>) {
    let (name, good) = match format {
        Format::Toml => ("web.toml", TOML),
        Format::Yaml => ("web.yaml", YAML),
        Format::Json => ("web.json", JSON),
    };
    assert!(good.contains(old), "{old}");
    let error = parse(name, &good.replacen(old, new, 1), format).expect_err(new);
    (error.line, error.column, error.problem, error.hint)
}

/// Format, what is replaced, by what, and where that is wrong, and why.
const MISTAKES: &[(Format, &str, &str, u32, u32, &str)] = &[
    (Toml, "name = \"web\"", "name = \"Web_App\"", 2, 8, "'Web_App' cannot be a service's name"),
    (Toml, "name = \"db\"", "name = \"web\"", 18, 8, "another service has the same name"),
    (Toml, "image = \"docker:nginx\"", "image = \"docker:\"", 3, 9, "'' is no image's name"),
    (Toml, "image = \"docker:nginx\"", "image = \"docker:--output=/etc\"", 3, 9, "is no image's name"),
    (Toml, "image = \"docker:nginx\"", "image = \"\"", 3, 9, "the image's path is empty"),
    (Toml, "image = \"docker:nginx\"\n", "", 1, 1, "the key 'image' is missing"),
    (Toml, "env = { MODE", "env = { \"A=B\"", 4, 7, "'A=B' cannot be an environment variable"),
    (Toml, "ports = [80]", "ports = [80, 0]", 5, 14, "expected a port from 1 to 65535, found the number 0"),
    (Toml, "ports = [80]", "ports = [80, 65536]", 5, 14, "found the number 65536"),
    (Toml, "ports = [80]", "ports = [80, 80]", 5, 9, "each once"),
    (Toml, "ports = [80]", "ports = \"80\"", 5, 9, "found the text \"80\""),
    (Toml, "\"8080:80\"", "\"x:80\"", 6, 12, "'x:80' is no address to publish"),
    (Toml, "\"db:5432\"", "\"db\"", 7, 10, "the link 'db' has no port"),
    (Toml, "\"db:5432\"", "\"db:5433\"", 7, 10, "service 'db' has no port 5433"),
    (Toml, "\"db:5432\"", "\"d_b:5432\"", 7, 10, "'d_b' is no service to reach"),
    (Toml, "\"cache=redis:6379\"", "\"db:5432\"", 7, 9, "'db:5432' is port 0 or there twice"),
    (Toml, "\"cache=redis:6379\"", "\"cache=redis@me:6379\"", 7, 21, "'redis@me' is no service to reach"),
    (Toml, "http = \"/healthz\"", "http = \"healthz\"", 8, 10, "a path begins with '/'"),
    (
        Toml,
        "http = \"/healthz\"",
        "http = \"/healthz\", port = 81",
        8,
        38,
        "port 81 is none of the service's",
    ),
    (
        Toml,
        "http = \"/healthz\"",
        "http = \"/healthz\", tcp = 80",
        8,
        37,
        "'tcp' and 'http' both say what is tried",
    ),
    (Toml, "http = \"/healthz\"", "port = 80", 8, 19, "'port' is of 'http' alone"),
    (Toml, "interval = \"2s\"", "interval = \"50ms\"", 8, 10, "intervals and timeouts are 100 ms to a day"),
    (Toml, "failures = 5", "failures = 0", 8, 10, "at least one failure"),
    (Toml, "health = { http", "health = { htpp", 8, 12, "unknown key 'htpp'"),
    (Toml, "replicas = 2", "replicas = 0", 9, 12, "1 to 64"),
    (Toml, "replicas = 2", "replicas = 65", 9, 12, "1 to 64"),
    (Toml, "after = [\"db\"]", "after = [\"bd\"]", 10, 10, "there is no service 'bd' in this file"),
    (Toml, "after = [\"db\"]", "after = [\"web\"]", 10, 10, "services wait for each other: web → web"),
    (Toml, "cpu = 2", "cpu = 65", 13, 7, "1 to 64 cores"),
    (Toml, "memory = \"128MiB\"", "memory = \"lots\"", 12, 10, "a size such as"),
    (Toml, "region = \"europe\"", "region = \"eurpe\"", 15, 10, "eurpe"),
    (Toml, "restart = \"on-failure\"", "restart = \"on_failure\"", 22, 11, "'on_failure' is not one of"),
    (Toml, "parallel = 2", "parallel = 0", 23, 10, "at least one replica at a time"),
    (Toml, "stop = \"1m\"", "stop = \"2d\"", 24, 8, "at most a day"),
    (Toml, "stop = \"1m\"", "stop = 10", 24, 8, "a duration such as"),
    (Yaml, "name: web", "nmae: web", 2, 5, "unknown key 'nmae'"),
    (Yaml, "replicas: 2", "replicas: many", 12, 15, "found the text \"many\""),
    (Yaml, "    stop: 1m\n", "    stop: 1m\n    stop: 2m\n", 23, 5, "not valid YAML"),
    (
        Json,
        "\"replicas\": 2",
        "\"replicas\": 1000000",
        4,
        84,
        "expected a whole number from 0 to 65535, found the number 1000000",
    ),
    (Json, "\"stop\": \"1m\"", "\"stop\": \"1m\",", 7, 109, "not valid JSON"),
];

#[test]
fn c7_mistakes_in_service_files_have_line_and_column() {
    let mut wrong = Vec::new();
    for (format, old, new, line, column, problem) in MISTAKES {
        let (found_line, found_column, found, _) = fault(*format, old, new);
        if (found_line, found_column) != (*line, *column) || !found.contains(problem) {
            wrong.push(format!(
                "{format:?} {new:?}: expected {line}:{column} {problem}, found {found_line}:{found_column} {found}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn mistakes_have_hints() {
    for (old, new, hint) in [
        ("name = \"web\"", "name = \"Web_App\"", "'web-app' can"),
        ("after = [\"db\"]", "after = [\"bd\"]", "did you mean 'db'?"),
        ("replicas = 2", "replica = 2", "did you mean 'replicas'?"),
        ("\"db:5432\"", "\"db:5433\"", "its ports: 5432"),
        ("failures = 5", "failure = 5", "did you mean 'failures'?"),
    ] {
        assert_eq!(fault(Format::Toml, old, new).3.as_deref(), Some(hint), "{new}");
    }
    let none = parse("a.toml", "service = []", Format::Toml).unwrap_err();
    assert_eq!(none.problem, "a file has 1 to 64 services, this one has 0");
    let same = minimal("publish = [\"8080:80\"]")
        + &minimal("publish = [\"8080:80\"]").replace("\"web\"", "\"other\"");
    let error = parse("a.toml", &same, Format::Toml).unwrap_err();
    let any = same.replacen("\"8080:80\"", "\"0.0.0.0:8080:80\"", 1);
    assert!(parse("a.toml", &any, Format::Toml).is_err(), "one of them could not listen");
    assert_eq!((error.line, error.problem.as_str()), (8, "127.0.0.1:8080 is published by 'web' already"));
}

#[test]
fn an_error_in_a_service_file_looks_like_this() {
    let error =
        parse("web.toml", &TOML.replace("after = [\"db\"]", "after = [\"bd\"]"), Format::Toml).unwrap_err();
    let expected = "web.toml:10:10: there is no service 'bd' in this file\n   10 | after = [\"bd\"]\n      |          ^^^^\nhint: did you mean 'db'?";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn c7_hostile_service_files_are_refused_quickly() {
    let many: String =
        (0..65).map(|at| format!("[[service]]\nname = \"s{at}\"\nimage = \"sky:x\"\n")).collect();
    assert!(parse("a.toml", &many, Format::Toml).unwrap_err().problem.contains("this one has 65"));
    assert!(parse("a.toml", &"#".repeat(2 << 20), Format::Toml).is_err());
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nservice: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n";
    assert!(parse("a.yaml", bomb, Format::Yaml).is_err());
    let long = minimal(&format!("args = [\"{}\"]", "x".repeat(70_000)));
    assert!(parse("a.toml", &long, Format::Toml).unwrap_err().problem.contains("at most 65536 bytes"));
}

#[test]
fn the_file_in_the_docs_is_one() {
    let docs = include_str!("../../../docs/service-files.md");
    let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let plan = parse("docs.toml", example, Toml).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.services().len(), 2);
}

/// `docs/service.schema.json` is what the code reads. `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn c7_published_schema_of_service_files_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/service.schema.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema(), "run with UPDATE_GOLDEN=1");
}

#[test]
fn c7_secrets_say_where_their_values_are() {
    let file = |secrets: &str| {
        format!("[[service]]\nname = \"web\"\nimage = \"docker:nginx\"\n[service.secrets]\n{secrets}\n")
    };
    let text = file(
        "pw = { file = \"pw.txt\" }\ntoken = { variable = \"MY_TOKEN\", env = \"TOKEN\" }\nkey = { input = true }",
    );
    let plan = parse("web.toml", &text, Toml).expect("it is right");
    let found: Vec<_> = plan.services()[0]
        .secrets
        .iter()
        .map(|planned| {
            let secret = &planned.secret;
            (secret.name.as_str(), secret.is_file, secret.env.as_deref(), planned.source.value.clone())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("key", true, None, SecretSource::Input),
            ("pw", true, None, SecretSource::File("pw.txt".into())),
            ("token", false, Some("TOKEN"), SecretSource::Variable("MY_TOKEN".into())),
        ]
    );
    for (secrets, problem) in [
        ("pw = {}", "nothing says where its value is"),
        ("pw = { file = \"a\", input = true }", "two places"),
        ("a = { input = true }\nb = { input = true }", "standard input already"),
        ("\"../pw\" = { file = \"a\" }", "no name"),
        ("pw = { value = \"open sesame\" }", "value"),
    ] {
        let error = parse("web.toml", &file(secrets), Toml).expect_err("a mistake").to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn c7_components_and_load_are_read() {
    let text = "[[service]]\nname = \"hello\"\nimage = \"build/hello.wasm\"\npublish = [\"8080:80\"]\n\n[[service]]\n\
                name = \"web\"\nimage = \"docker:nginx\"\nports = [80]\nscale = { min = 2, max = 5, cpu = 70 }\n";
    let plan = parse("web.toml", text, Toml).expect("it is right");
    let [hello, web] = plan.services() else { panic!("there are two") };
    assert_eq!(hello.image.value, ImageRef::Component("build/hello.wasm".into()));
    assert_eq!((&hello.ports[..], hello.health.is_none(), hello.idle_ms), (&[80][..], true, Some(30_000)));
    assert_eq!((web.replicas, web.idle_ms), (2, None));
    let target = Load::Cpu { percent: 70 };
    assert_eq!(web.scale, Some(Scale { min: 2, max: 5, target }));
    let stays = text.replace("publish", "idle = false\npublish");
    assert_eq!(parse("web.toml", &stays, Toml).expect("it is right").services()[0].idle_ms, None);
    for (from, to, problem) in [
        ("cpu = 70", "cpu = 70, connections = 5", "one of 'connections' and 'cpu'"),
        ("cpu = 70", "cpu = 101", "percent"),
        ("min = 2", "min = 6", "scale"),
        ("ports = [80]", "ports = [80]\nidle = \"30s\"", "idle"),
        ("publish = [\"8080:80\"]", "ports = [80, 81]", "exactly one port"),
        ("publish = [\"8080:80\"]", "links = [\"web:80\"]\nports = [81]", "reaches no other"),
        ("publish = [\"8080:80\"]", "health = { tcp = 80 }", "health"),
        ("publish = [\"8080:80\"]", "secrets = { pw = { file = \"a\" } }", "no files"),
    ] {
        let error = parse("web.toml", &text.replace(from, to), Toml).expect_err("a mistake").to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn c7_c10_volumes_are_read() {
    let read = |more: &str| {
        let text = format!("[[service]]\nname = \"db\"\nimage = \"docker:x\"\n{more}");
        parse("db.toml", &text, Toml).map(|plan| plan.services()[0].volumes.clone())
    };
    let volumes = read("volumes = { data = \"/data\", log = { path = \"/log\", size = \"2GiB\" } }\n")
        .unwrap()
        .unwrap();
    let mounts: Vec<_> = volumes
        .mounts
        .iter()
        .map(|volume| (volume.name.as_str(), volume.path.as_str(), volume.size_bytes))
        .collect();
    assert_eq!(mounts, [("data", "/data", 1 << 30), ("log", "/log", 2 << 30)]);
    assert_eq!((volumes.save_ms, volumes.wait_ms), (60_000, 60_000));
    let volumes =
        read("volumes.data = \"/data\"\nsaving = { every = \"5s\", wait = \"0s\" }\n").unwrap().unwrap();
    assert_eq!((volumes.save_ms, volumes.wait_ms), (5_000, 0));
    assert_eq!(read("").unwrap(), None);
    for (more, line, problem) in [
        ("saving = { every = \"5s\" }\n", 4, "no volumes to save"),
        ("volumes.data = \"data\"\n", 4, "begins with '/'"),
        ("volumes.data = 5\n", 4, "a path, or a table"),
        ("volumes.data = { path = \"/data\", size = \"1kB\" }\n", 4, "less than 1 MiB"),
        ("volumes.data = { path = \"/data\", sice = \"1GiB\" }\n", 4, "sice"),
        ("volumes.data = \"/data\"\nsaving.every = \"1ms\"\n", 4, "every second"),
    ] {
        let error = read(more).expect_err(more);
        assert_eq!(error.line, line, "{more}: {error}");
        assert!(error.to_string().contains(problem), "{more}: {error}");
    }
    let component = "[[service]]\nname = \"web\"\nimage = \"hello.wasm\"\nvolumes.data = \"/data\"\n";
    let error = parse("web.toml", component, Toml).expect_err("a component has no files");
    assert!(error.to_string().contains("no files"), "{error}");
}

#[test]
fn c4_c5_what_an_image_needs_is_read() {
    let digest = "0a".repeat(32);
    let read = |lines: &str| parse("a.toml", &format!("[[service]]\nname = \"a\"\n{lines}\n"), Toml);
    let needs =
        |lines: &str| read(lines).unwrap_or_else(|error| panic!("{error}")).services()[0].needs.clone();
    let of_registry = needs(&format!("image = \"ghcr.io/owner/app:1.2@sha256:{digest}\""));
    let image = of_registry.image.expect("it is one of a registry");
    assert_eq!(image.to_string(), format!("ghcr.io/owner/app@sha256:{digest}"));
    let table = "{ count = 2, memory = \"16GiB\", vendor = \"nvidia\", model = \"A100\" }";
    let gpus = needs(&format!("image = \"docker:a\"\ngpus = {table}")).gpus.expect("it needs some");
    assert_eq!(gpus.to_string(), "2,memory=16GiB,vendor=nvidia,model=a100");
    assert_eq!(needs("image = \"docker:a\"\ngpus = 1").gpus.map(|gpus| gpus.count), Some(1));
    assert_eq!(needs("image = \"docker:a\"\nisolation = \"gvisor\"").isolation, Isolation::Gvisor);
    let wrong = [
        ("image = \"docker:a\"\ngpus = 0", "1 to 16 GPUs"),
        ("image = \"docker:a\"\ngpus = 300", "a number of GPUs"),
        ("image = \"docker:a\"\ngpus = { vendor = \"intel\" }", "a maker of GPUs: nvidia or amd"),
        ("image = \"docker:a\"\ngpus = 1\nisolation = \"gvisor\"", "no GPU reaches into gVisor"),
        ("image = \"docker:a\"\nisolation = \"walls\"", "gvisor"),
        ("image = \"a.wasm\"\ngpus = 1", "'gpus' is of images, and a component is none"),
        ("image = \"public/\"\nisolation = \"gvisor\"", "'isolation' is of images"),
        ("image = \"ghcr.io/a@sha256:00\"", "an image in a registry by its digest"),
    ];
    for (lines, expected) in wrong {
        let error = read(lines).expect_err(lines).to_string();
        assert!(error.contains(expected), "{lines}: {error}");
    }
}
