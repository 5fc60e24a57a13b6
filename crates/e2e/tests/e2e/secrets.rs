//! Secrets of services, as their users give them: found by the program, and nowhere else.

use crate::engine::sky_with_image;
use anyhow::{Result, ensure};
use std::{path::Path, process::Output};

const FIRST: &str = "open-sesame-0817";
const SECOND: &str = "close-sesame-0818";

fn screen(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Files below `folder` that hold one of the values.
fn files_with_secrets(folder: &Path, found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            files_with_secrets(&path, found)?;
        } else if kind.is_file() {
            let bytes = std::fs::read(&path)?;
            let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            if has(FIRST) || has(SECOND) {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn k1_c10_a_secret_reaches_its_program_and_no_disk_log_or_answer() -> Result<()> {
    let test = "a secret reaches its program";
    let Some((sky, image)) = sky_with_image(test, 3, &["--log", "debug"]).await? else { return Ok(()) };
    // The user's own folder, apart from those of the nodes.
    let user = tempfile::tempdir()?;
    let image = image.display().to_string();
    let kept = sky.nodes[0].call(&["image", "push", &image, "--name", "tools"])?;
    ensure!(kept.status.success(), "{}", screen(&kept));
    // Each secret is told from the others by its length, so that the log shows none.
    let script = "busybox mkdir /tmp/www; busybox wc -c < /run/secrets/password; echo -n \"$TOKEN\" | busybox wc -c; \
                  exec busybox httpd -f -p 8080 -h /tmp/www";
    let file = user.path().join("web.toml");
    let text = format!(
        "[[service]]\nname = \"web\"\nimage = \"sky:tools\"\nargs = [\"busybox\", \"sh\", \"-c\", {script:?}]\n\
         ports = [8080]\nreplicas = 2\nresources = {{ memory = \"32MiB\" }}\nstop = \"1s\"\n[service.secrets]\n\
         password = {{ file = \"password\" }}\ntoken = {{ variable = \"WEB_TOKEN\", env = \"TOKEN\" }}\n"
    );
    std::fs::write(&file, text)?;
    let run = |password: &str| -> Result<String> {
        std::fs::write(user.path().join("password"), password)?;
        let mut command = sky.nodes[0].command()?;
        let output = command.env("WEB_TOKEN", FIRST).args(["service", "run"]).arg(&file).output()?;
        ensure!(output.status.success(), "{}", screen(&output));
        Ok(screen(&output))
    };
    let said = run(FIRST)?;
    assert!(
        said.contains("web: revision 1") && said.contains("its secrets can be read here and by"),
        "{said}"
    );
    let again = run(FIRST)?;
    assert!(again.contains("web: is as it should be"), "{again}");
    let rotated = run(SECOND)?;
    assert!(rotated.contains("web: revision 2"), "{rotated}");
    let log = screen(&sky.nodes[0].call(&["service", "logs", "web"])?);
    let lines: Vec<&str> = log.lines().filter_map(|line| Some(line.split_once("| ")?.1)).collect();
    assert_eq!(lines.iter().filter(|line| **line == SECOND.len().to_string()).count(), 2, "{log}");
    assert_eq!(lines.iter().filter(|line| **line == FIRST.len().to_string()).count(), 2, "{log}");

    let shown = [&["service", "show", "web"][..], &["service", "list"]];
    let mut answers = vec![said, again, rotated, log];
    for line in shown {
        answers.push(screen(&sky.nodes[0].call(line)?));
        answers.push(screen(&sky.nodes[0].call(&[line, &["--json"]].concat())?));
    }
    assert!(answers.iter().any(|answer| answer.contains("\"secrets\"")), "their names are shown");
    assert!(!answers.iter().any(|answer| answer.contains(FIRST) || answer.contains(SECOND)));
    let mut found = Vec::new();
    // Journals, blobs and logs of all nodes.
    files_with_secrets(sky.folder(), &mut found)?;
    assert_eq!(found, Vec::<String>::new());
    Ok(())
}
