//! The container engine of this machine, as far as there is one.

use anyhow::{Context, Result};
use opensky_e2e::Sky;
use opensky_executor_container::testing::{BUSYBOX, busybox};
use std::path::PathBuf;

/// A sky whose nodes run containers, started with `arguments`, and the file of an image beside it. None, with the
/// reason on the screen, where no container can be run.
pub async fn sky_with_image(test: &str, nodes: usize, arguments: &[&str]) -> Result<Option<(Sky, PathBuf)>> {
    let Some(archive) = busybox() else {
        eprintln!("skipped: {test}: there is no {BUSYBOX}");
        return Ok(None);
    };
    let sky = Sky::start_with(nodes, arguments).await?;
    let doctor = sky.nodes[0].json(&["doctor"])?;
    let checks = doctor["checks"].as_array().context("doctor lists checks")?;
    let containers =
        checks.iter().find(|check| check["name"] == "containers").context("one is on containers")?;
    if containers["standing"] != "ok" {
        eprintln!("skipped: {test}: {}", containers["found"]);
        return Ok(None);
    }
    let image = sky.folder().join("image.tar");
    std::fs::write(&image, archive)?;
    Ok(Some((sky, image)))
}
