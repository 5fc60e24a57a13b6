//! What must hold of any text, for this crate's tests and the fuzz target; and texts to begin with.

use crate::{
    Format, Given, Import, Plan,
    bacalhau::{self, Work},
    compose, detect, parse, sdl,
};
use opensky_types::{Hash, job::Blob};

const FORMATS: [Format; 3] = [Format::Toml, Format::Yaml, Format::Json];

/// Files of each kind that is read beside our own, by name.
pub const SAMPLES: [(&str, &str); 7] = [
    ("wordpress", include_str!("../tests/samples/wordpress.compose.yaml")),
    ("shop", include_str!("../tests/samples/shop.compose.yaml")),
    ("vote", include_str!("../tests/samples/vote.compose.yaml")),
    ("sdl", include_str!("../tests/samples/web.sdl.yaml")),
    ("bacalhau_docker", include_str!("../tests/samples/docker.bacalhau.yaml")),
    ("bacalhau_wasm", include_str!("../tests/samples/wasm.bacalhau.json")),
    ("bacalhau_service", include_str!("../tests/samples/service.bacalhau.yaml")),
];

/// Reads a text by every reader: it is refused, or is a plan that can start. `check_job` gets each job file that is
/// written for a job of another system.
pub fn check(text: &str, check_job: impl Fn(&str)) {
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

fn check_import(import: Import) {
    if let Ok(plan) = import.accept() {
        check_plan(&plan);
    }
}
