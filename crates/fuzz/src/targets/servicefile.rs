//! Service files and what other systems have in their place: any text is refused, or is a plan that can start.

use crate::Seeds;
use opensky_servicefile::testing::{self, SAMPLES};

/// Panics unless what must hold of any text holds of this.
pub fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        testing::check(text, check_job);
    }
}

/// A job may be too much for one of ours, but what is written for it is a job file.
fn check_job(toml: &str) {
    if let Err(error) = opensky_jobfile::parse("any", toml, opensky_jobfile::Format::Toml) {
        assert!(!error.problem.contains("not valid TOML"), "{error}\n{toml}");
    }
}

/// First inputs: what the reader's own tests have.
pub fn seeds() -> Seeds {
    let all = SAMPLES.into_iter().chain([("service", SERVICE)]);
    all.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
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
    use opensky_servicefile::{Format, Given, bacalhau, compose, parse, sdl};

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
