//! The example of the Rust client, as its reader would run it, on a real sky.

use anyhow::{Result, ensure};
use opensky_e2e::{Sky, binary, repository};
use std::process::Command;

#[tokio::test]
async fn u3_the_example_of_the_client_runs() -> Result<()> {
    let example = binary()?.with_file_name("examples").join("sum_of_squares");
    let missing = "build it first: cargo build -p opensky-client --examples";
    ensure!(example.exists(), "{} is missing; {missing}", example.display());
    let sky = Sky::start(2).await?;
    let program = repository("examples/programs/square.wasm");
    let output = Command::new(example).arg(program).env("OPENSKY_DATA_DIR", &sky.nodes[1].folder).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "328350\n", "{said}");
    Ok(())
}
