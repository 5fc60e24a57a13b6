//! Images on a sky of real nodes, as far as this machine has an engine and something to make an image of.

use crate::engine::sky_with_image;
use anyhow::{Context, Result};
use opensky_e2e::repository;
use std::{
    io::Write,
    process::{Output, Stdio},
};

fn screen(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn c4_an_image_behaves_like_a_local_process() -> Result<()> {
    let Some((sky, image)) = sky_with_image("an image behaves like a local process", 2, &[]).await? else {
        return Ok(());
    };
    let image = image.display().to_string();
    // On the other node, so that the image travels.
    let other = sky.nodes[1].id().await?.to_string();
    let script = "cat; echo \"$GREETING $1\"; echo aside >&2; exit 7";
    let mut run = sky.nodes[0].command()?;
    run.args(["run", &image, "--on-peer", &other, "--env", "GREETING=hello", "--memory", "64MiB"]);
    run.args(["--", "sh", "-c", script, "sh", "sky"]);
    let mut process = run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    process.stdin.take().context("piped")?.write_all(b"12345\n")?;
    let output = process.wait_with_output()?;
    assert_eq!(output.status.code(), Some(7), "{}", screen(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "12345\nhello sky\n");
    assert!(screen(&output).contains("aside"), "{}", screen(&output));

    // What the engine of this machine has is taken from there; what it has not is said.
    let output = sky.nodes[0].call(&["run", "docker:opensky-no-such-image:1"])?;
    assert_eq!(output.status.code(), Some(1), "{}", screen(&output));
    assert!(screen(&output).contains("docker pull opensky-no-such-image:1"), "{}", screen(&output));
    let brought = sky.nodes[0].json(&["jobs", "list"])?;
    assert!(!brought.to_string().contains("no-such-image"), "nothing was submitted for it");

    // What is kept by name need not be sent again, whatever becomes of the file.
    let kept = sky.nodes[0].json(&["image", "push", &image, "--name", "tools"])?;
    assert_eq!(kept["images"][0]["name"], "tools");
    let output = sky.nodes[0].call(&["run", "sky:tools", "--memory", "64MiB", "--", "echo", "kept"])?;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "kept\n", "{}", screen(&output));
    let kept = sky.nodes[0].json(&["image", "remove", "tools"])?;
    assert_eq!(kept["images"].as_array().map(Vec::len), Some(0));
    let output = sky.nodes[0].call(&["run", "sky:tools"])?;
    assert!(screen(&output).contains("keeps none of that name"), "{}", screen(&output));
    assert_eq!(sky.nodes[0].call(&["image", "remove", "tools"])?.status.code(), Some(5));

    let output = sky.nodes[0].call(&["run", &image, "--function", "f"])?;
    assert_eq!(output.status.code(), Some(7));
    assert!(screen(&output).contains("an image has no functions"), "{}", screen(&output));
    // An archive that is not an image fails as a program does, and says why.
    let wrong = sky.folder().join("wrong.tar");
    std::fs::write(&wrong, opensky_executor_container::testing::tar_of([("a", b"b".as_slice())]))?;
    let output = sky.nodes[0].call(&["run", &wrong.display().to_string()])?;
    assert_eq!(output.status.code(), Some(125), "{}", screen(&output));
    assert!(screen(&output).contains("not an image archive"), "{}", screen(&output));
    Ok(())
}

#[tokio::test]
async fn c6_programs_and_images_feed_each_other() -> Result<()> {
    let Some((sky, _)) = sky_with_image("programs and images feed each other", 2, &[]).await? else {
        return Ok(());
    };
    let program = repository("examples/programs/primes.wasm").canonicalize()?;
    let job = format!(
        r#"name = "mixed"

[[stage]]
name = "count"
program = "{program}"
args = ["range", "{{item}}", "1000"]
numbers = {{ from = 0, to = 3000, step = 1000 }}

[[stage]]
name = "double"
image = "image.tar"
args = ["sh", "-c", "read from n; echo $1 > /out/item; printf '%s\\t%s\\n' $from $((n * 2))", "sh", "{{item}}"]
each = "count"
resources = {{ memory = "64MiB" }}

[[stage]]
name = "sum"
program = "{program}"
args = ["sum"]
reduce = {{ stage = "double" }}
output = "sum.txt"
"#,
        program = program.display()
    );
    let file = sky.folder().join("mixed.toml");
    std::fs::write(&file, job)?;
    let results = sky.folder().join("results");
    let arguments = ["run", &file.display().to_string(), "--results", &results.display().to_string()];
    let output = sky.nodes[0].call(&arguments)?;
    assert!(output.status.success(), "{}", screen(&output));
    // There are 430 primes below 3,000.
    let sum = std::fs::read_to_string(sky.folder().join("sum.txt"))?;
    assert_eq!(sum.split_whitespace().next(), Some("860"), "{sum}");
    Ok(())
}
