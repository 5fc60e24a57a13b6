//! Keeps a comparison with what is needed to judge it later.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde::Serialize;
use std::{fs, process::Command};

/// One comparison.
#[derive(Serialize)]
struct Comparison<'a> {
    area: &'a str,
    peer: &'a str,
    unit: &'a str,
    commit: String,
    processor: String,
    ours: &'a [f64],
    theirs: &'a [f64],
    /// Above 1 where ours is better.
    ratios: &'a [f64],
}

/// Writes `benches/results/AREA.json`.
pub fn write(workspace: &Workspace, area: &str, peer: &str, unit: &str, figures: [&[f64]; 3]) -> Result<()> {
    let folder = workspace.root.join("benches/results");
    fs::create_dir_all(&folder)?;
    let [ours, theirs, ratios] = figures;
    let comparison =
        Comparison { area, peer, unit, commit: commit()?, processor: processor(), ours, theirs, ratios };
    let path = folder.join(format!("{area}.json"));
    let text = serde_json::to_string_pretty(&comparison)? + "\n";
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}

/// The commit, with a mark where the working tree differs from it.
fn commit() -> Result<String> {
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = text.lines().filter(|line| line.starts_with("processor")).count();
    format!("{} × {}", cores, model.map_or("not known", |(_, name)| name))
}
