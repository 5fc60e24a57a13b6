//! `opensky doctor`

use crate::{commands::Context, fail::Exit, terminal::clean};
use anyhow::Result;
use opensky_api::doctor::{Check, DoctorReport, Standing};
use std::process::ExitCode;

pub async fn run(context: &Context) -> Result<ExitCode> {
    let here = if context.is_elsewhere() { None } else { Some(data_folder(context)?) };
    let mut report = DoctorReport { checks: here.into_iter().collect() };
    match context.client() {
        Ok(client) => match client.doctor().await {
            Ok(found) => {
                let found_at = format!("answers at {}", client.address());
                report.checks.push(check("node", Standing::Ok, found_at, None));
                report.checks.extend(found.checks);
            }
            Err(error) => {
                let next = "see `opensky logs`, or stop it with `opensky down` and start it again";
                report.checks.push(check("node", Standing::Broken, error.to_string(), Some(next)));
            }
        },
        Err(error) => {
            let next = "start it with `opensky up`; more is checked while it runs";
            report.checks.push(check("node", Standing::Warning, error.to_string(), Some(next)));
        }
    }
    context.format.print(&report, show)?;
    Ok(if report.worst() == Standing::Broken { Exit::Failed.into() } else { ExitCode::SUCCESS })
}

/// A report for people.
pub fn show(report: &DoctorReport) -> String {
    let width = report.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for check in &report.checks {
        let mark = match check.standing {
            Standing::Ok => "ok     ",
            Standing::Skipped => "skipped",
            Standing::Warning => "warning",
            Standing::Broken => "BROKEN ",
        };
        text += &format!("{mark}  {:width$}  {}\n", clean(&check.name), clean(&check.found));
        if let Some(next) = &check.next {
            text += &format!("{:7}  {:width$}  -> {}\n", "", "", clean(next));
        }
    }
    text
}

fn check(name: &str, standing: Standing, found: String, next: Option<&str>) -> Check {
    Check { name: name.into(), standing, found, next: next.map(str::to_owned) }
}

fn data_folder(context: &Context) -> Result<Check> {
    use std::os::unix::fs::PermissionsExt;
    let path = context.data_dir()?;
    let shown = path.display();
    Ok(match std::fs::metadata(&path) {
        Err(_) => check(
            "data folder",
            Standing::Skipped,
            format!("{shown} is not there yet"),
            Some("`opensky up` makes it"),
        ),
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            let next = format!("close it with: chmod 700 '{shown}'");
            check("data folder", Standing::Broken, format!("others can look into {shown}"), Some(&next))
        }
        Ok(_) => check("data folder", Standing::Ok, shown.to_string(), None),
    })
}
