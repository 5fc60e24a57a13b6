//! `opensky image`

use crate::{
    commands::Context,
    output::{ago, now, size, table},
};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use opensky_api::image::{ImageQuery, Images, KeepImageRequest};
use opensky_client::ImageSource;
use std::path::PathBuf;

/// Keep images on this node, for jobs that name them
#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Keep an image: from Docker or Podman on this machine, or from an archive
    #[command(after_help = "\
Examples:
  opensky image push docker:python:3.13-slim         then: opensky run sky:python:3.13-slim -- ...
  opensky image push tools.tar --name tools          then, in a job file: image = \"sky:tools\"
The node sends it to others by hash as jobs need it; no registry is asked.")]
    Push(PushArgs),
    /// List the images that the node keeps
    List,
    /// Keep an image no longer; jobs that use it go on
    #[command(after_help = "Example:\n  opensky image remove tools")]
    Remove {
        /// Its name
        name: String,
    },
}

/// Which image
#[derive(Debug, Args)]
pub struct PushArgs {
    /// docker:NAME, or the path of an archive as `docker save` writes it
    image: PathBuf,
    /// What jobs call it [default: its name in the engine, or the file's without .tar]
    #[arg(long)]
    name: Option<String>,
}

pub async fn run(context: &Context, command: ImageCommand) -> Result<()> {
    let client = context.client()?;
    let images = match command {
        ImageCommand::Push(args) => {
            let source = args.image.to_str().and_then(ImageSource::of);
            let stem = || args.image.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            let name = source.map(|source| source.name().to_owned()).or_else(stem);
            let name = args.name.or(name).context("the file has no name; give one with --name")?;
            let blob = match source {
                Some(source) => client.image(source).await?,
                None => client.upload_file(&args.image).await?,
            };
            context.say(format!("kept as sky:{name}, {}", size(blob.size_bytes)));
            client.keep_image(&KeepImageRequest { name, hash: blob.hash }).await?
        }
        ImageCommand::List => client.images().await?,
        ImageCommand::Remove { name } => client.remove_image(&ImageQuery { name }).await?,
    };
    context.format.print(&images, show)
}

fn show(images: &Images) -> String {
    if images.images.is_empty() {
        return "no images are kept; keep one with: opensky image push docker:NAME".to_owned();
    }
    let rows = images.images.iter().map(|image| {
        vec![image.name.clone(), size(image.size_bytes), ago(now(), image.kept_at), image.hash.to_string()]
    });
    table(&["NAME", "SIZE", "KEPT", "HASH"], rows)
}
