//! `opensky new`: a job or a service that runs as it is, to begin one's own with.

use crate::{
    commands::Context,
    fail::{Exit, Fail},
};
use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Make a job or a service that runs as it is, to begin your own with
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky new map-reduce              a folder map-reduce/ with a job, its program and inputs
  opensky new render pictures/first
  opensky run map-reduce/job.toml
  opensky new static-site             a folder static-site/ with a web site
  opensky service run static-site/service.toml")]
pub struct NewArgs {
    /// What to begin with
    #[arg(value_enum)]
    template: Template,
    /// Where to [default: a folder of the template's name]
    folder: Option<PathBuf>,
}

/// What to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Count over many files, and add up
    MapReduce,
    /// A picture in parts, put together
    Render,
    /// A program over a range of numbers
    Sweep,
    /// An image over many files
    Batch,
    /// Pictures into another format
    Transcode,
    /// A program that answers HTTP
    WebService,
    /// A folder of pages
    StaticSite,
}

impl Template {
    /// Its files, by path in the folder.
    fn files(self) -> &'static [(&'static str, &'static [u8])] {
        match self {
            Self::MapReduce => &[
                ("job.toml", include_bytes!("../../templates/map-reduce/job.toml")),
                ("wordcount.wasm", include_bytes!("../../../../examples/programs/wordcount.wasm")),
                ("texts/ruth.txt", include_bytes!("../../../../examples/data/08-ruth.txt")),
                ("texts/jonah.txt", include_bytes!("../../../../examples/data/32-jonah.txt")),
                ("texts/jude.txt", include_bytes!("../../../../examples/data/65-jude.txt")),
            ],
            Self::Render => &[
                ("job.toml", include_bytes!("../../templates/render/job.toml")),
                ("picture.wasm", include_bytes!("../../../../examples/programs/picture.wasm")),
            ],
            Self::Sweep => &[
                ("job.toml", include_bytes!("../../templates/sweep/job.toml")),
                ("primes.wasm", include_bytes!("../../../../examples/programs/primes.wasm")),
            ],
            Self::Batch => &[
                ("job.toml", include_bytes!("../../templates/batch/job.toml")),
                ("input/one.txt", b"the first file\n"),
                ("input/two.txt", b"the second file\n"),
            ],
            Self::Transcode => &[
                ("job.toml", include_bytes!("../../templates/transcode/job.toml")),
                ("transcode.wasm", include_bytes!("../../../../examples/programs/transcode.wasm")),
                ("pictures/dunes.ppm", include_bytes!("../../templates/transcode/pictures/dunes.ppm")),
                ("pictures/rings.ppm", include_bytes!("../../templates/transcode/pictures/rings.ppm")),
            ],
            Self::WebService => &[
                ("service.toml", include_bytes!("../../templates/web-service/service.toml")),
                ("hello.wasm", include_bytes!("../../../../examples/services/hello-http.wasm")),
                ("hello.wat", include_bytes!("../../../../examples/services/hello-http.wat")),
            ],
            Self::StaticSite => &[
                ("service.toml", include_bytes!("../../templates/static-site/service.toml")),
                ("site/index.html", include_bytes!("../../templates/static-site/site/index.html")),
                ("site/about.html", include_bytes!("../../templates/static-site/site/about.html")),
                ("site/404.html", include_bytes!("../../templates/static-site/site/404.html")),
                ("site/style.css", include_bytes!("../../templates/static-site/site/style.css")),
            ],
        }
    }

    /// The file that says what runs, and the command that takes it.
    const fn main(self) -> (&'static str, &'static str) {
        match self {
            Self::MapReduce | Self::Render | Self::Sweep | Self::Batch | Self::Transcode => {
                ("job.toml", "run")
            }
            Self::WebService | Self::StaticSite => ("service.toml", "service run"),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

pub fn run(context: &Context, args: &NewArgs) -> Result<()> {
    let folder = args.folder.clone().unwrap_or_else(|| args.template.name().into());
    let is_taken = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken || folder.is_file() {
        let what = format!("{} is there already", folder.display());
        return Err(Fail::new(Exit::Failed, what).next("name another folder").into());
    }
    for (path, bytes) in args.template.files() {
        write(&folder.join(path), bytes)?;
    }
    let (main, command) = args.template.main();
    let file = folder.join(main);
    context.say(format!("run it: opensky {command} {}", file.display()));
    let shown = serde_json::json!({ "template": args.template.name(), "file": file });
    context.format.print(&shown, |_| file.display().to_string())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("every file of a template is in its folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_jobfile::{Format, parse};

    fn jobs() -> impl Iterator<Item = &'static Template> {
        Template::value_variants().iter().filter(|template| template.main().0 == "job.toml")
    }

    #[test]
    fn c7_templates_of_services_say_what_is_there() {
        for template in
            Template::value_variants().iter().filter(|template| template.main().0 == "service.toml")
        {
            let files = template.files();
            let (path, text) = files[0];
            let text = std::str::from_utf8(text).unwrap();
            let plan = opensky_servicefile::parse(path, text, opensky_servicefile::Format::Toml).unwrap();
            for service in plan.services() {
                let image = service.image.value.to_string();
                assert!(files.iter().any(|(path, _)| path.starts_with(&image)), "{template:?}: {image}");
                assert!(!service.publish.is_empty(), "it can be looked at");
            }
        }
    }

    #[test]
    fn c7_every_template_is_a_job_whose_files_are_there() {
        for template in jobs() {
            let files = template.files();
            let (_, job) = files.iter().find(|(path, _)| *path == "job.toml").expect("each has a job");
            let plan = parse("job.toml", std::str::from_utf8(job).unwrap(), Format::Toml).unwrap();
            for stage in &plan.job().stages {
                let program = stage.program.value.as_str();
                let is_there = files.iter().any(|(path, _)| *path == program);
                assert!(is_there || program.starts_with("docker:"), "{template:?}: {program}");
            }
        }
    }
}
