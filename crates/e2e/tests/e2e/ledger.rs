//! Money in a sky of real processes: moved, followed, proven, and agreed on by one validator and by two.

use anyhow::{Context, Result, ensure};
use opensky_e2e::{Node, until};
use std::path::Path;

/// A sky with prices: the founder, and a node that joined and may be made a validator.
async fn paid_sky(folder: &Path) -> Result<(Node, Node)> {
    let new = ["--economy", "paid", "--supply", "1000", "--epoch-blocks", "4"];
    let founder = Node::start_with(folder.join("n1"), &new).await?;
    let invite = founder.json(&["invite"])?;
    let token = invite["token"].as_str().context("an invite has a token")?.to_owned();
    let second = Node::start_with(folder.join("n2"), &["--validate", "true", "--join", &token]).await?;
    Ok((founder, second))
}

fn transfer(from: &Node, to: &str, credits: &str) -> Result<()> {
    let output = from.call(&["wallet", "transfer", to, credits, "--yes"])?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn available(node: &Node) -> Result<u64> {
    let total = &node.json(&["wallet", "balance"])?["total"];
    let part = |name: &str| total[name].as_u64().context("an amount");
    Ok(part("free_micros")? + part("granted_micros")?)
}

#[tokio::test]
async fn l4_money_moves_is_proven_and_survives_kills() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut founder, mut second) = paid_sky(folder.path()).await?;
    let to = second.id().await?.to_string();
    transfer(&founder, &to, "1.5")?;
    until("the other node to see it", async || Ok(available(&second)? == 1_500_000)).await?;
    assert_eq!(available(&founder)?, 998_500_000);
    let history = second.json(&["wallet", "history"])?;
    ensure!(history.to_string().contains("transfer"), "it is in the history: {history}");
    let too_much = founder.call(&["wallet", "transfer", &to, "5000", "--yes"])?;
    assert!(!too_much.status.success(), "there is not so much");
    let tried = founder.call(&["wallet", "transfer", &to, "1", "--dry-run"])?;
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    assert_eq!(available(&founder)?, 998_500_000, "a dry run moves nothing");

    let proof = folder.path().join("proof");
    let proof_text = proof.display().to_string();
    let proven = second.call(&["ledger", "prove", "balance", "--out", &proof_text])?;
    ensure!(proven.status.success(), "{}", String::from_utf8_lossy(&proven.stderr));
    assert!(founder.call(&["ledger", "verify", &proof_text])?.status.success());
    let mut bytes = std::fs::read(&proof)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&proof, bytes)?;
    assert!(!founder.call(&["ledger", "verify", &proof_text])?.status.success(), "a changed proof");

    founder.kill()?;
    second.kill()?;
    founder.spawn(None)?;
    second.spawn(None)?;
    founder.ready().await?;
    second.ready().await?;
    // A validator plays again what its file had not kept yet.
    until("what was said to be final to be there again", async || Ok(available(&founder)? == 998_500_000))
        .await?;
    transfer(&founder, &to, "1")?;
    until("the other node to follow again", async || Ok(available(&second)? == 2_500_000)).await
}

#[tokio::test]
async fn l2_a_second_validator_is_added_and_votes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (founder, second) = paid_sky(folder.path()).await?;
    let to = second.id().await?.to_string();
    let added = founder.call(&["validator", "add", &to, "--yes"])?;
    ensure!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let votes = async |node: &Node| -> Result<bool> {
        let info = node.json(&["ledger", "info"])?;
        let count = info["validators"].as_array().context("validators")?.len();
        Ok(count == 2 && info["role"] == "validator")
    };
    until("the founder to vote with another", async || votes(&founder).await).await?;
    until("the second to vote", async || votes(&second).await).await?;
    transfer(&founder, &to, "2")?;
    until("both to have agreed", async || Ok(available(&second)? == 2_000_000)).await
}

#[tokio::test]
async fn l4_two_validators_sign_the_checkpoint_of_an_epoch() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (founder, second) = paid_sky(folder.path()).await?;
    let to = second.id().await?.to_string();
    let none = founder.call(&["ledger", "checkpoint", "900"])?;
    assert_eq!(none.status.code(), Some(5), "{}", String::from_utf8_lossy(&none.stderr));
    let added = founder.call(&["validator", "add", &to, "--yes"])?;
    ensure!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    // Each names its key by itself, for the epochs that begin after that.
    until("an epoch of validators with keys", async || {
        transfer(&founder, &to, "0.001")?;
        let Ok(found) = founder.json(&["ledger", "checkpoint"]) else { return Ok(false) };
        let signers = found["signers"].as_array().context("a list")?;
        Ok(signers.len() == 2 && signers.iter().all(|signer| signer["address"].is_string()))
    })
    .await?;
    let mut complete = None;
    until("both to have signed", async || {
        for node in [&founder, &second] {
            let Ok(found) = node.json(&["ledger", "checkpoint"]) else { return Ok(false) };
            let signed = found["signatures"].as_array().context("a list")?.len();
            if found["is_complete"] != true || signed < 2 {
                return Ok(false);
            }
            complete = Some(found);
        }
        Ok(true)
    })
    .await?;
    let complete = complete.context("it was there")?;
    let epoch = complete["typed_data"]["message"]["epoch"].as_u64().context("an epoch")?;
    let by_number = founder.json(&["ledger", "checkpoint", &epoch.to_string()])?;
    assert_eq!(by_number["digest"], complete["digest"], "each computes the same");
    let addresses: Vec<&str> = complete["signatures"]
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|one| one["address"].as_str())
        .collect();
    assert_eq!((addresses.len(), complete["quorum"].as_u64()), (2, Some(2)));
    let shown = founder.call(&["ledger", "checkpoint"])?;
    ensure!(String::from_utf8_lossy(&shown.stdout).contains("signed by"), "for people too");
    Ok(())
}
