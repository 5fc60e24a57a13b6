//! Service files and what other systems have in their place: any text is refused, or is a plan that can start.

use crate::Seeds;
use opensky_servicefile::{
    Format, Given, Import, Plan,
    bacalhau::{self, Work},
    compose, detect, parse, sdl,
};
use opensky_types::{Hash, job::Blob};

const FORMATS: [Format; 3] = [Format::Toml, Format::Yaml, Format::Json];

/// Panics unless what must hold of any text holds of this.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let given = Given::default();
    for format in FORMATS {
        if let Ok(plan) = parse("any", text, format) {
            check_plan(&plan);
        }
        let _ = bacalhau::needs("any", text, format);
        match bacalhau::read("any", text, format, &given).map(Import::accept) {
            Ok(Ok(Work::Services(plan))) => check_plan(&plan),
            Ok(Ok(Work::Job(job))) => check_job(&job.toml),
            _ => {}
        }
    }
    let _ = (compose::needs("any", text, &given), sdl::needs("any", text));
    let _ = compose::read("any", text, &given).map(check_import);
    let _ = sdl::read("any", text, &given).map(check_import);
    for name in ["a.toml", "a.yaml", "a.json", "compose.yaml"] {
        let _ = detect(name, text);
    }
}

fn check_plan(plan: &Plan) {
    let image = Blob { hash: Hash::of(b""), size_bytes: 0 };
    let mut started = Vec::new();
    for service in plan.services() {
        service.spec(image).expect("a plan is checked");
        assert!(service.after.iter().all(|after| started.contains(&after.as_str())), "{service:?}");
        assert!(service.publish.iter().all(|publish| service.ports.contains(&publish.port)), "{service:?}");
        started.push(service.name.value.as_str());
    }
}

/// A job may be too much for one of ours, but what is written for it is a job file.
fn check_job(toml: &str) {
    if let Err(error) = opensky_jobfile::parse("any", toml, opensky_jobfile::Format::Toml) {
        assert!(!error.problem.contains("not valid TOML"), "{error}\n{toml}");
    }
}

fn check_import(import: Import) {
    if let Ok(plan) = import.accept() {
        check_plan(&plan);
    }
}

/// First inputs: what the reader's own tests have.
pub fn seeds() -> Seeds {
    [
        ("wordpress", include_str!("../../../servicefile/tests/samples/wordpress.compose.yaml")),
        ("shop", include_str!("../../../servicefile/tests/samples/shop.compose.yaml")),
        ("vote", include_str!("../../../servicefile/tests/samples/vote.compose.yaml")),
        ("sdl", include_str!("../../../servicefile/tests/samples/web.sdl.yaml")),
        ("bacalhau_docker", include_str!("../../../servicefile/tests/samples/docker.bacalhau.yaml")),
        ("bacalhau_wasm", include_str!("../../../servicefile/tests/samples/wasm.bacalhau.json")),
        ("bacalhau_service", include_str!("../../../servicefile/tests/samples/service.bacalhau.yaml")),
        ("service", SERVICE),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .into()
}

const SERVICE: &str = r#"[[service]]
name = "web"
image = "sky:x"
ports = [80]
args = ["serve", "--port", "80"]
env = { A = "b" }
publish = ["8080:80"]
health = { http = "/", port = 80 }
replicas = 2
resources = { memory = "64MiB" }
links = ["db:5432"]

[[service]]
name = "db"
image = "sky:y"
ports = [5432]
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_inputs_are_read_where_they_need_no_other_file() {
        let given = Given::default();
        let text = |name| {
            let (_, bytes) = seeds().into_iter().find(|(found, _)| found == name).expect("it is there");
            String::from_utf8(bytes).expect("text")
        };
        parse("service.toml", &text("service"), Format::Toml).expect("a service file");
        compose::read("compose.yaml", &text("wordpress"), &given).expect("a Compose file");
        sdl::read("deploy.yaml", &text("sdl"), &given).expect("SDL");
        bacalhau::read("job.yaml", &text("bacalhau_docker"), Format::Yaml, &given).expect("a Bacalhau job");
        bacalhau::read("job.json", &text("bacalhau_wasm"), Format::Json, &given).expect("a Bacalhau job");
    }
}
