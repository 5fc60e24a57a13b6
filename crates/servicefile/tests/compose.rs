//! Compose files as people have them: what they come to, what of them is refused, and where mistakes are.

use opensky_servicefile::{Given, ImageFacts, Import, PlannedService, SecretSource, Unsupported, compose};
use opensky_types::{
    Hash,
    job::Blob,
    service::{Probe, Restart, ServiceSpec, Update},
};

const WORDPRESS: &str = include_str!("samples/wordpress.compose.yaml");
const SHOP: &str = include_str!("samples/shop.compose.yaml");
const VOTE: &str = include_str!("samples/vote.compose.yaml");

fn given() -> Given {
    let mut given = Given::default();
    given.vars.insert("REGISTRY".into(), "registry.example:5000".into());
    given.files.insert("app.env".into(), "LEVEL=info # as usual\nSESSIONS=memory\n".into());
    given
}

fn read(text: &str) -> Import {
    compose::read("compose.yaml", text, &given()).unwrap_or_else(|error| panic!("{error}"))
}

fn planned(text: &str) -> Vec<PlannedService> {
    read(text).accept().expect("nothing is refused").services().to_vec()
}

fn spec(service: &PlannedService) -> ServiceSpec {
    service.spec(Blob { hash: Hash::of(b"image"), size_bytes: 5 }).expect("a plan is checked")
}

fn links(service: &PlannedService) -> Vec<String> {
    service.links.iter().map(|link| format!("{}={}:{}", link.host, link.service, link.port)).collect()
}

fn paths(list: &[Unsupported]) -> Vec<(&str, u32)> {
    list.iter().map(|unsupported| (unsupported.path.as_str(), unsupported.line)).collect()
}

/// A file with one service that has these lines.
fn one(lines: &str) -> String {
    format!("services:\n  web:\n    image: nginx\n{lines}")
}

#[test]
fn c7_wordpress_and_its_database_become_two_services() {
    let import = read(WORDPRESS);
    assert_eq!(import.refused(), []);
    let noted = paths(import.notes());
    assert!(
        noted.contains(&("services.wordpress.container_name", 30)),
        "no host is called my_blog: {noted:?}"
    );
    assert!(noted.contains(&("services.db.cpus", 26)), "cores are whole: {noted:?}");
    assert!(noted.contains(&("services.db.volumes", 6)), "they begin empty: {noted:?}");
    let plan = import.accept().unwrap();
    let [db, wordpress] = plan.services() else { panic!("the database first") };
    let (db_spec, spec) = (spec(db), spec(wordpress));
    let kept = |spec: &ServiceSpec| {
        let volumes = spec.volumes.clone().expect("it has volumes");
        volumes
            .mounts
            .into_iter()
            .map(|volume| (volume.name, volume.path, volume.size_bytes))
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(&db_spec), [("db_data".to_owned(), "/var/lib/mysql".to_owned(), 4 << 30)]);
    assert_eq!(kept(&spec), [("wp_data".to_owned(), "/var/www/html".to_owned(), 1 << 30)]);
    assert_eq!(db_spec.program.args[1], "--max-connections=50");
    assert_eq!(db_spec.program.env[1], ("MYSQL_PASSWORD".to_owned(), "wordpress".to_owned()), "by default");
    assert_eq!((db_spec.limits.cpu_cores, db_spec.limits.memory_bytes), (2, 768 << 20));
    assert_eq!((db_spec.restart, db_spec.ports), (Restart::Always, vec![3306, 33060]));
    let health = db_spec.health.unwrap();
    let args = ["healthcheck.sh", "--connect", "--innodb_initialized"].map(str::to_owned).to_vec();
    assert_eq!(health.probe, Probe::Command { args });
    assert_eq!((health.interval_ms, health.timeout_ms, health.failures_max), (10_000, 5_000, 5));
    assert_eq!(health.start_ms, 90_000);
    assert_eq!(links(wordpress), ["db=db:3306", "db=db:33060"]);
    assert_eq!(links(db), ["wordpress=wordpress:80"], "in a Compose network all reach all");
    assert_eq!((wordpress.after.as_slice(), wordpress.ports.as_slice()), (&["db".to_owned()][..], &[80][..]));
    assert_eq!(wordpress.publish[0].to_string(), "127.0.0.1:8080:80");
    let version = spec.program.env.iter().find(|(name, _)| name == "WORDPRESS_VERSION").unwrap();
    assert_eq!(version.1, "6.10", "as it is written");
    assert_eq!((spec.stop_ms, spec.restart), (20_000, Restart::Always));
    assert_eq!(spec.health.unwrap().start_ms, 300_000, "there, a slow start ends nothing");
}

#[test]
fn c7_a_shop_of_three_has_its_variables_files_and_names() {
    let mut given = given();
    let needs = compose::needs("compose.yaml", SHOP, &given).unwrap();
    assert_eq!(needs.files, ["app.env", "secrets.env"]);
    assert_eq!(needs.images.len(), 3, "debug is not asked for: {:?}", needs.images);
    let services = planned(SHOP);
    let [cache, app, proxy] = services.as_slice() else { panic!("what is needed first") };
    assert_eq!(app.image.value.to_string(), "docker:registry.example:5000/shop/app:latest");
    let env = [("LEVEL", "info"), ("PRICE", "$5"), ("SESSIONS", "redis://cache:6379/0")];
    assert_eq!(app.env, env.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((app.replicas, app.restart), (3, Restart::Always));
    assert_eq!(app.update, Update { parallel: 2, healthy_ms: 300_000, rollback: false });
    assert_eq!(
        links(app),
        [
            "cache=cache:6379",
            "sessions=cache:6379",
            "proxy=proxy:8080",
            "proxy=proxy:9000",
            "proxy=proxy:9001"
        ]
    );
    assert_eq!(proxy.constraints.arch.as_deref(), Some("aarch64"));
    let publish: Vec<String> = proxy.publish.iter().map(ToString::to_string).collect();
    assert_eq!(publish, ["0.0.0.0:8443:8080", "127.0.0.1:9000:9000", "127.0.0.1:9001:9001"]);
    let Probe::Command { args } = spec(proxy).health.unwrap().probe else { panic!("a command") };
    assert_eq!(args, ["/bin/sh", "-c", "curl --fail http://localhost:8080/ || exit 1"]);
    assert_eq!(
        (cache.ports.as_slice(), &cache.health, cache.limits.memory_bytes),
        (&[6379][..], &None, 64 << 20)
    );
    assert_eq!(cache.args, ["redis-server", "--save", ""]);
    assert_eq!(cache.restart, Restart::OnFailure);

    let without = compose::read("compose.yaml", SHOP, &given).unwrap().accept().unwrap();
    assert!(without.left_out().contains("debug"), "it is still a service of the file");
    given.profiles.insert("debug".into());
    let with_debug = compose::read("compose.yaml", SHOP, &given).unwrap().accept().unwrap();
    assert!(with_debug.left_out().is_empty());
    let debug = with_debug.services().iter().find(|service| service.name.value == "debug").unwrap();
    assert_eq!(debug.args, ["sleep", "infinity"], "busybox has no entry point of its own");
}

#[test]
fn c7_what_a_voting_application_needs_more_is_said_before_anything_starts() {
    let import = read(VOTE);
    assert_eq!(
        paths(import.refused()),
        [
            ("services.result.entrypoint", 16),
            ("services.result.volumes", 24),
            ("services.redis.volumes", 42),
            ("services.db.volumes", 55),
        ]
    );
    let notes = paths(import.notes());
    assert!(notes.contains(&("services.worker.build", 30)), "{notes:?}");
    assert!(notes.contains(&("services.vote", 4)), "where its name stands: {notes:?}");
    assert!(import.refused()[0].to_string().starts_with("line 16: services.result.entrypoint: "));
    assert_eq!(import.accept().unwrap_err().len(), 4, "there is no plan to start by mistake");

    // Without what is refused.
    let mut lines: Vec<&str> = VOTE.lines().collect();
    lines.retain(|line| {
        let is_mount =
            line.starts_with("      - ./") || line.contains("healthchecks:/") || line.contains("db-data:/");
        !is_mount && !line.contains("entrypoint:") && *line != "    volumes:"
    });
    let services = planned(&lines.join("\n"));
    let service = |name: &str| services.iter().find(|service| service.name.value == name).unwrap();
    assert_eq!(service("redis").ports, [6379], "as usual for the image");
    let mut worker = links(service("worker"));
    worker.sort();
    assert_eq!(
        worker,
        [
            "database=db:5432",
            "db=db:5432",
            "redis=redis:6379",
            "result=result:80",
            "result=result:9229",
            "vote=vote:80"
        ]
    );
    assert!(!links(service("vote")).contains(&"result=result:80".to_owned()), "both listen on port 80");
    assert!(links(service("vote")).contains(&"result=result:9229".to_owned()), "in front, both");
    let import = read(&lines.join("\n"));
    let said = import.notes().iter().any(|note| note.to_string().contains("port 80 of 'result'"));
    assert!(said, "{:?}", import.notes());
}

#[test]
fn networks_keep_services_apart() {
    let text = "services:
  a: { image: x, expose: [1], networks: [front] }
  b: { image: x, expose: [2], networks: [front, back] }
  c: { image: x, expose: [3], networks: [back], container_name: see }
networks: { front: {}, back: { driver: bridge } }
";
    let services = planned(text);
    let of = |name: &str| links(services.iter().find(|service| service.name.value == name).unwrap());
    assert_eq!(
        (of("a"), of("b"), of("c")),
        (
            vec!["b=b:2".to_owned()],
            vec!["a=a:1".to_owned(), "c=c:3".to_owned(), "see=c:3".to_owned()],
            vec!["b=b:2".to_owned()],
        )
    );
}

#[test]
fn more_ports_than_one_may_reach_ask_for_links() {
    let mut text = String::from("services:\n  web: { image: nginx, depends_on: [s3] }\n");
    for at in 0..17 {
        text += &format!("  s{at}: {{ image: x, expose: [81], links: [web] }}\n");
    }
    let error = compose::read("compose.yaml", &text, &given()).unwrap_err();
    assert_eq!((error.line, error.column), (2, 3));
    assert!(error.problem.contains("'web' may reach 17 ports of other services, 16 at most"), "{error}");
    let text = text.replace("depends_on: [s3]", "depends_on: [s3], links: [s1]");
    let import = read(&text);
    assert!(import.notes().iter().any(|note| note.path == "services.web"));
    let plan = import.accept().unwrap();
    let web = plan.services().iter().find(|service| service.name.value == "web").unwrap();
    assert_eq!(links(web), ["s1=s1:81", "s3=s3:81"]);
}

#[test]
fn c7_every_key_that_would_change_behaviour_is_refused() {
    for (lines, path) in [
        ("    volumes: [./data:/data]", "volumes"),
        ("    volumes: [\"/etc:/etc:ro\"]", "volumes"),
        ("    volumes: [{ type: bind, source: ./x, target: /data }]", "volumes"),
        ("    volumes: [{ type: tmpfs, target: /cache }]", "volumes"),
        ("    volumes_from: [db]", "volumes_from"),
        ("    build: .\n    image:", "build"),
        ("    privileged: true", "privileged"),
        ("    cap_add: [NET_ADMIN]", "cap_add"),
        ("    devices: [/dev/fuse]", "devices"),
        ("    network_mode: host", "network_mode"),
        ("    network_mode: service:db", "network_mode"),
        ("    pid: host", "pid"),
        ("    ipc: host", "ipc"),
        ("    configs: [key]", "configs"),
        ("    extends: { service: base }", "extends"),
        ("    entrypoint: /start.sh", "entrypoint"),
        ("    entrypoint: []", "entrypoint"),
        ("    command: []", "command"),
        ("    working_dir: /app", "working_dir"),
        ("    user: root", "user"),
        ("    user: \"0:0\"", "user"),
        ("    user: 0", "user"),
        ("    tmpfs: [/tmp, /run]", "tmpfs"),
        ("    extra_hosts: [host.docker.internal:host-gateway]", "extra_hosts"),
        ("    security_opt: [seccomp:unconfined]", "security_opt"),
        ("    sysctls: { net.core.somaxconn: 1024 }", "sysctls"),
        ("    gpus: all", "gpus"),
        ("    ports: [\"53:53/udp\"]", "ports"),
        ("    ports: [{ target: 53, protocol: udp }]", "ports"),
        ("    expose: [53/udp]", "expose"),
        ("    deploy: { mode: global }", "deploy.mode"),
        ("    deploy: { replicas: 0 }", "replicas"),
        (
            "    deploy: { resources: { reservations: { devices: [{ capabilities: [gpu] }] } } }",
            "deploy.resources.reservations.devices",
        ),
        ("    depends_on: { db: { condition: service_completed_successfully } }", "depends_on"),
    ] {
        let text = one(lines).replace("    image: nginx\n    build", "    build");
        let import =
            compose::read("compose.yaml", &text, &given()).unwrap_or_else(|error| panic!("{lines}: {error}"));
        let refused: Vec<&str> = import.refused().iter().map(|refused| refused.path.as_str()).collect();
        assert_eq!(refused, [format!("services.web.{path}")], "{lines}");
        assert!(import.refused()[0].instead.is_some(), "{lines}");
        assert!(import.accept().is_err(), "{lines}");
    }
    let include = one("include: [other.yaml]\n");
    assert_eq!(paths(read(&include).refused()), [("include", 4)]);
    let external = one("networks: { default: { external: true } }\n");
    assert_eq!(paths(read(&external).refused()), [("networks.default.external", 4)]);
    // What asks for nothing is no matter.
    let nothing = one(
        "    privileged: false\n    volumes: []\n    cap_add:\n    security_opt: [no-new-privileges:true]\n    tmpfs: /tmp\n",
    );
    assert_eq!(read(&nothing).refused(), []);
}

#[test]
fn c7_volumes_are_one_services_own() {
    let text = "services:
  db: { image: x, volumes: [\"data:/data\", \"logs:/logs\", /cache, /x/data, /app/@x] }
  web: { image: y, volumes: [\"data:/files\"] }
volumes: { data: {}, logs: { driver: local }, far: { driver: nfs }, others: { external: true } }
";
    let import = read(text);
    let refused = paths(import.refused());
    assert_eq!(
        refused,
        [("services.web.volumes", 3), ("volumes.far.driver", 4), ("volumes.others.external", 4)]
    );
    let text = text.replace(", volumes: [\"data:/files\"]", "");
    let text = text.replace(", far: { driver: nfs }, others: { external: true }", "");
    let services = planned(&text);
    let db = services.iter().find(|service| service.name.value == "db").unwrap();
    let volumes = db.volumes.clone().unwrap();
    let mounts: Vec<_> =
        volumes.mounts.iter().map(|volume| (volume.name.as_str(), volume.path.as_str())).collect();
    assert_eq!(
        mounts,
        [
            ("data", "/data"),
            ("logs", "/logs"),
            ("cache", "/cache"),
            ("x-data", "/x/data"),
            ("app--x", "/app/@x")
        ]
    );
    // Without a name they are of one service each, whatever others call theirs.
    let text = "services:\n  a: { image: x, volumes: [/data] }\n  b: { image: y, volumes: [/data] }\n  \
                c: { image: z, volumes: [\"data:/keep\", /data] }\nvolumes: { data: { x-size: 2GiB } }\n";
    let names: Vec<Vec<String>> = planned(text)
        .iter()
        .map(|service| {
            service.volumes.iter().flat_map(|all| &all.mounts).map(|one| one.name.clone()).collect()
        })
        .collect();
    assert_eq!(names, [vec!["data-2"], vec!["data-2"], vec!["data", "data-2"]]);
    assert_eq!((volumes.save_ms, volumes.wait_ms), (60_000, 60_000));
}

#[test]
fn an_entry_point_is_kept_where_it_is_known_what_the_image_has() {
    let text = one("    entrypoint: [/start.sh, -v]\n    command: [serve]\n");
    let with = |entry_point: &[&str]| {
        let mut given = given();
        let entry_point = entry_point.iter().map(|word| (*word).to_owned()).collect();
        given.images.insert("nginx".into(), ImageFacts { ports: vec![8080], entry_point });
        compose::read("compose.yaml", &text, &given).unwrap().accept()
    };
    let none = with(&[]).unwrap();
    assert_eq!(none.services()[0].args, ["/start.sh", "-v", "serve"]);
    assert_eq!(none.services()[0].ports, [8080], "what the image says it listens on");
    assert_eq!(with(&["/start.sh", "-v"]).unwrap().services()[0].args, ["serve"]);
    assert!(with(&["/other.sh"]).is_err());
}

#[test]
fn c7_mistakes_in_compose_files_have_line_and_column() {
    let table: &[(&str, u32, u32, &str)] = &[
        ("services:\n  my_app: { image: x }\n", 2, 3, "'my_app' cannot be a service's name"),
        ("services:\n  Web: { image: x }\n", 2, 3, "'Web' cannot be a service's name"),
        ("services:\n  web: {}\n", 2, 3, "service 'web' has no image"),
        ("services: {}\n", 1, 1, "the file has no services"),
        ("version: '3'\n", 1, 1, "the file has no services"),
        ("services: [web]\n", 1, 11, "expected a table, found a list"),
        ("servces:\n  web: { image: x }\nservices: { web: { image: x } }", 1, 1, "unknown key 'servces'"),
        (&one("    imagee: x\n"), 4, 5, "unknown key 'imagee'"),
        (&one("    ports: [\"x:80\"]\n"), 4, 13, "'x:80' is no port"),
        (&one("    ports: [\"80:\"]\n"), 4, 13, "'80:' is no port"),
        (&one("    ports: [\"8000-8002:80-81\"]\n"), 4, 13, "8000-8002 and 80-81 are not of one length"),
        (&one("    ports: [{ published: 80 }]\n"), 4, 13, "expected a port with the key 'target'"),
        (&one("    ports: [{ target: 80, publish: 80 }]\n"), 4, 27, "unknown key 'publish'"),
        (&one("    expose: [0]\n"), 4, 14, "'0' is no port"),
        (&one("    expose: [1-17]\n"), 2, 3, "at most 16 ports"),
        (&one("    environment: [\"=x\"]\n"), 4, 18, "'' cannot be an environment variable"),
        (&one("    environment: x\n"), 4, 18, "expected a table or a list such as NAME=value"),
        (&one("    environment: { A: [1] }\n"), 4, 23, "expected a text, found a list"),
        (&one("    env_file: gone.env\n"), 4, 15, "the file 'gone.env' is not there"),
        (&one("    depends_on: [db]\n"), 4, 18, "there is no service 'db' in this file"),
        (
            &one("    depends_on: { web: { condition: ready } }\n"),
            4,
            37,
            "expected service_started or service_healthy",
        ),
        (&one("    depends_on: [web]\n"), 4, 18, "services wait for each other: web → web"),
        (
            &one("    volumes: [\"date:/data\"]\nvolumes: { data: {} }\n"),
            4,
            15,
            "the file has no volume 'date'",
        ),
        (&one("    volumes: [\"data:/tmp\"]\nvolumes: { data: {} }\n"), 4, 14, "not the program's"),
        (&one("    volumes: [\"a:/a:rw:x\"]\n"), 4, 15, "expected NAME:/PATH"),
        (&one("volumes: { data: { x-size: much } }\n"), 4, 28, "'much' is no size"),
        (&one("    links: [\"db:x\"]\n"), 4, 13, "there is no service 'db'"),
        (&one("    healthcheck: { test: [curl] }\n"), 4, 26, "begins with NONE, CMD or CMD-SHELL"),
        (&one("    healthcheck: { test: [CMD, x], interval: 5 }\n"), 4, 46, "'5' is no time"),
        (&one("    healthcheck: { test: [CMD, x], interval: 5ms }\n"), 4, 18, "100 ms to a day"),
        (&one("    healthcheck: { test: [CMD, x], retries: 300 }\n"), 4, 45, "300 is too large"),
        (&one("    healthcheck: { tests: [CMD, x] }\n"), 4, 20, "unknown key 'tests'"),
        (&one("    deploy: { replicas: many }\n"), 4, 25, "expected a whole number"),
        (&one("    deploy: { replicas: 65 }\n"), 4, 13, "1 to 64"),
        (&one("    deploy: { resources: { limits: { memory: lots } } }\n"), 4, 46, "'lots' is no size"),
        (&one("    cpus: fast\n"), 4, 11, "'fast' is no number of cores"),
        (&one("    restart: sometimes\n"), 4, 14, "expected no, always, on-failure or unless-stopped"),
        (&one("    platform: windows/amd64\n"), 4, 15, "no node has the platform"),
        (&one("    command: \"echo 'a\"\n"), 4, 14, "not a command line: a quote is not closed"),
        (&one("    networks: [back]\n"), 2, 3, "is in the network 'back', which the file does not have"),
        (&one("    command: $\n"), 4, 14, "'$' stands before no variable"),
        (&one("    command: ${A:?say A}\n"), 4, 14, "the variable 'A' is not set: say A"),
        (&one("    image: other\n"), 4, 5, "not valid YAML"),
        (&one("   command: x\n"), 4, 4, "not valid YAML"),
    ];
    let mut wrong = Vec::new();
    for (text, line, column, problem) in table {
        let found = match compose::read("compose.yaml", text, &given()) {
            Ok(import) => format!("nothing; {:?}", import.refused()),
            Err(error)
                if (error.line, error.column) == (*line, *column) && error.problem.contains(problem) =>
            {
                continue;
            }
            Err(error) => format!("{}:{} {}", error.line, error.column, error.problem),
        };
        wrong.push(format!("{text:?}: expected {line}:{column} {problem}, found {found}"));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn mistakes_in_compose_files_have_hints() {
    for (text, hint) in [
        ("services:\n  My_App: { image: x }\n", "'my-app' can"),
        (&one("    enviroment: {}\n"), "did you mean 'environment'?"),
        ("services:\n  web: { image: x, depends_on: [dbb] }\n  db: { image: x }\n", "did you mean 'db'?"),
        (&one("    command: $\n"), "write '$$' for a plain '$'"),
    ] {
        let error = compose::read("compose.yaml", text, &given()).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some(hint), "{text}");
    }
    let text =
        "services:\n  web: { image: x, depends_on: [debug] }\n  debug: { image: x, profiles: [debug] }\n";
    let error = compose::read("compose.yaml", text, &given()).unwrap_err();
    assert_eq!(error.problem, "'debug' is needed, and nobody asked for its profile");
}

#[test]
fn values_are_taken_as_they_are_written() {
    let text = one(
        "    environment: { A: yes, B: 1.10, C: true, D: 0x10, E: 1e3, F: ~, G: 007, H: \"a: b\", I: on }\n    ports:\n      - 22:22\n      - 81\n",
    );
    let web = &planned(&text)[0];
    let env: Vec<String> = web.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(env, ["A=yes", "B=1.10", "C=true", "D=16", "E=1e3", "G=007", "H=a: b", "I=on"]);
    let publish: Vec<String> = web.publish.iter().map(ToString::to_string).collect();
    assert_eq!(publish, ["127.0.0.1:22:22", "127.0.0.1:0:81"]);
}

#[test]
fn restart_policies_are_those_of_compose() {
    for (lines, restart) in [
        ("", Restart::OnFailure),
        ("    restart: no\n", Restart::Never),
        ("    restart: \"no\"\n", Restart::Never),
        ("    restart: always\n", Restart::Always),
        ("    restart: unless-stopped\n", Restart::Always),
        ("    restart: on-failure:3\n", Restart::OnFailure),
        ("    deploy: { restart_policy: { condition: none } }\n", Restart::Never),
        ("    deploy: { restart_policy: {} }\n", Restart::Always),
    ] {
        assert_eq!(planned(&one(lines))[0].restart, restart, "{lines}");
    }
}

#[test]
fn c7_secrets_of_compose_files_are_named_and_never_in_the_plan() {
    let file = |service: &str, secrets: &str| format!("{}secrets:\n{secrets}", one(service));
    let text = file(
        "    secrets:\n      - pw\n      - { source: key, target: /run/secrets/tls.key, mode: 0440 }\n",
        "  pw: { file: ./pw.txt }\n  key: { environment: TLS_KEY, name: other }\n",
    );
    let mut given = given();
    given.vars.insert("TLS_KEY".into(), "open sesame".into());
    let import = compose::read("compose.yaml", &text, &given).expect("it is right");
    // The first is on the ports that are usual for the image.
    assert_eq!(paths(import.notes()), [("services.web", 2), ("services.web.secrets.mode", 6)]);
    let plan = import.accept().expect("nothing is refused");
    assert!(!format!("{plan:?}").contains("sesame"));
    let found: Vec<_> = plan.services()[0]
        .secrets
        .iter()
        .map(|planned| (planned.secret.name.as_str(), planned.secret.is_file, planned.source.value.clone()))
        .collect();
    let file_source = SecretSource::File("./pw.txt".into());
    let variable = SecretSource::Variable("TLS_KEY".into());
    assert_eq!(found, [("pw", true, file_source), ("tls.key", true, variable)]);
    for (service, secrets, path) in [
        ("    secrets: [pw]\n", "  pw: { external: true }\n", "secrets.pw.external"),
        ("    secrets: [{ source: pw, target: /etc/pw }]\n", "  pw: { file: a }\n", "services.web.secrets"),
    ] {
        let refused = read(&file(service, secrets)).refused().to_vec();
        assert_eq!(refused.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), [path]);
    }
    for (service, secrets, word) in [
        ("    secrets: [pq]\n", "  pw: { file: a }\n", "did you mean 'pw'"),
        ("    secrets: [pw]\n", "  pw: {}\n", "nothing says where its value is"),
        ("    secrets: [pw]\n", "  pw: { file: a, environment: B }\n", "two places"),
        ("    secrets: [pw, pw]\n", "  pw: { file: a }\n", "twice"),
    ] {
        let error = compose::read("compose.yaml", &file(service, secrets), &given).expect_err("a mistake");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn c5_c7_gpus_of_compose_files_are_asked_for() {
    let device =
        |device: &str| format!("    deploy: {{ resources: {{ reservations: {{ devices: [{device}] }} }} }}");
    let import = |lines: &str| compose::read("compose.yaml", &one(lines), &given()).expect("it is read");
    let plan =
        import(&device("{ driver: nvidia, count: 2, capabilities: [gpu] }")).accept().expect("it is kept");
    let gpus = plan.services()[0].needs.gpus.as_ref().map(ToString::to_string);
    assert_eq!(gpus.as_deref(), Some("2,vendor=nvidia"));
    let refused = [
        "{ count: all, capabilities: [gpu] }",
        "{ count: 1, capabilities: [tpu] }",
        "{ count: 1, driver: other, capabilities: [gpu] }",
        "{ device_ids: [\"0\"], count: 1, capabilities: [gpu] }",
    ];
    for lines in refused.map(device) {
        assert_eq!(import(&lines).refused().len(), 1, "{lines}");
    }
}
