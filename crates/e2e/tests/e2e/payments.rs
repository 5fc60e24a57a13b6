//! Work for money in a sky of real processes: put aside before it begins, signed for as it is accepted,
//! settled in a handful of transactions, and the rest given back.

use anyhow::{Context, Result, ensure};
use opensky_client::{Overrides, api::progress::StateView};
use opensky_e2e::{Node, Sky, repository, until};
use opensky_types::{JobId, Micros};

/// Credits of the sky, all with the founder at first.
const SUPPLY: u64 = 1_000_000_000;

fn available(node: &Node) -> Result<u64> {
    let total = &node.json(&["wallet", "balance"])?["total"];
    let part = |name: &str| total[name].as_u64().context("an amount");
    Ok(part("free_micros")? + part("granted_micros")?)
}

async fn paid_sky(count: usize) -> Result<Sky> {
    Sky::start_with(count, &["--economy", "paid", "--supply", "1000"]).await
}

async fn run(node: &Node, budget: Option<Micros>) -> Result<JobId> {
    let file = repository("examples/jobs/word-frequency.toml");
    let overrides = Overrides { budget, ..Overrides::default() };
    Ok(node.client()?.submit_file(&file, &overrides).await?.job)
}

async fn end(node: &Node, job: JobId) -> Result<StateView> {
    let client = node.client()?;
    until("the job to end", async || Ok(client.job(job).await?.summary.state.is_final())).await?;
    Ok(client.job(job).await?.summary.state)
}

#[tokio::test]
async fn l5_work_is_paid_and_the_rest_comes_back() -> Result<()> {
    let sky = paid_sky(3).await?;
    let consumer = &sky.nodes[0];
    let job = run(consumer, None).await?;
    assert_eq!(end(consumer, job).await?, StateView::Succeeded);
    let detail = consumer.client()?.job(job).await?;
    let earned: u64 = detail.nodes.iter().map(|node| node.cost_micros).sum();
    ensure!(detail.cost_micros > 0 && detail.cost_micros == earned, "{detail:?}");
    let own = consumer.id().await?;
    let of_own = detail.nodes.iter().find(|node| node.node == own).map_or(0, |node| node.cost_micros);
    assert_eq!(of_own, 0, "nobody pays itself");
    until("all of it to be settled", async || {
        let spent = SUPPLY - available(consumer)?;
        Ok(spent == detail.cost_micros)
    })
    .await?;
    for node in &sky.nodes[1..] {
        let id = node.id().await?;
        let cost = detail.nodes.iter().find(|of| of.node == id).map_or(0, |of| of.cost_micros);
        until("each to have what it earned", async || Ok(available(node)? == cost)).await?;
    }
    let transactions = consumer.json(&["wallet", "history", "--limit", "1000"])?;
    let count = transactions["lines"].as_array().context("a history")?.len();
    ensure!(count <= 24, "{count} lines of history for two agreements of two stages: {transactions}");
    Ok(())
}

#[tokio::test]
async fn m3_a_quote_starts_nothing_and_wrong_amounts_are_refused() -> Result<()> {
    let sky = paid_sky(2).await?;
    let node = &sky.nodes[0];
    let file = repository("examples/jobs/word-frequency.toml").display().to_string();
    let quote = node.json(&["run", &file, "--dry-run"])?;
    assert_eq!((&quote["economy_free"], quote["stages"].as_array().map(Vec::len)), (&false.into(), Some(2)));
    ensure!(quote["cost_max_micros"].as_u64().is_some_and(|cost| cost > 0), "{quote}");
    let bounded = node.json(&["run", &file, "--dry-run", "--budget", "0.000005"])?;
    assert_eq!(bounded["cost_max_micros"], 5);
    let program = repository("examples/programs/hello.wasm").display().to_string();
    assert_eq!(node.json(&["run", &program, "--dry-run"])?["stages"][0]["runs"], 1);
    assert_eq!(
        node.json(&["jobs", "list"])?["jobs"].as_array().map(Vec::len),
        Some(0),
        "nothing was started"
    );
    for wrong in [&["run", &file, "--budget", "lots"][..], &["limits", "set", "--price", "-1"]] {
        let output = node.call(wrong)?;
        assert!(!output.status.success(), "{wrong:?}");
    }
    let output = node.call(&["limits", "set", "--price", "0.0003"])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(node.json(&["limits", "show"])?["limits"]["price_per_gfuel"], 300);
    Ok(())
}

#[tokio::test]
async fn a_job_without_money_or_budget_says_so() -> Result<()> {
    let sky = paid_sky(2).await?;
    // The second node has no money, and the first one is to do the work.
    let poor = &sky.nodes[1];
    let file = repository("examples/jobs/word-frequency.toml");
    let rich = sky.nodes[0].id().await?;
    let overrides = Overrides {
        peers: vec![rich],
        verify: Some(opensky_types::job::Verify::None),
        ..Overrides::default()
    };
    let job = poor.client()?.submit_file(&file, &overrides).await?.job;
    assert_eq!(end(poor, job).await?, StateView::Failed);
    let reason = poor.client()?.job(job).await?.summary.reason;
    ensure!(reason.contains("in the account"), "{reason}");

    let overrides = Overrides {
        peers: vec![poor.id().await?],
        budget: Some(Micros::new(50)),
        verify: Some(opensky_types::job::Verify::None),
        ..Overrides::default()
    };
    let job = sky.nodes[0].client()?.submit_file(&file, &overrides).await?.job;
    assert_eq!(end(&sky.nodes[0], job).await?, StateView::Failed);
    let reason = sky.nodes[0].client()?.job(job).await?.summary.reason;
    ensure!(reason.contains("budget"), "{reason}");
    assert_eq!(available(&sky.nodes[0])?, SUPPLY, "nothing was spent");
    Ok(())
}

#[tokio::test]
async fn f1_a_provider_killed_before_it_claims_is_paid_for_what_was_accepted() -> Result<()> {
    let mut sky = paid_sky(3).await?;
    let job = run(&sky.nodes[0], None).await?;
    assert_eq!(end(&sky.nodes[0], job).await?, StateView::Succeeded);
    sky.nodes[1].kill()?;
    sky.nodes[1].spawn(None)?;
    sky.nodes[1].ready().await?;
    let detail = sky.nodes[0].client()?.job(job).await?;
    let id = sky.nodes[1].id().await?;
    let cost = detail.nodes.iter().find(|of| of.node == id).map_or(0, |of| of.cost_micros);
    until("it to have what it earned", async || Ok(available(&sky.nodes[1])? == cost)).await?;
    until("the consumer to have the rest", async || {
        Ok(SUPPLY - available(&sky.nodes[0])? == detail.cost_micros)
    })
    .await
}

#[tokio::test]
async fn v4_audited_work_raises_the_reputation_of_who_did_it() -> Result<()> {
    let sky = paid_sky(3).await?;
    let consumer = &sky.nodes[0];
    let file = repository("examples/jobs/word-frequency.toml");
    let peers = vec![sky.nodes[1].id().await?, sky.nodes[2].id().await?];
    let verify = Some(opensky_types::job::Verify::Reputation);
    let overrides = Overrides { peers, verify, ..Overrides::default() };
    let job = consumer.client()?.submit_file(&file, &overrides).await?.job;
    assert_eq!(end(consumer, job).await?, StateView::Succeeded);
    for node in &sky.nodes[1..] {
        until("an audit to be praised", async || {
            let history = node.json(&["wallet", "history", "--limit", "1000"])?;
            Ok(history.to_string().contains("an audit of"))
        })
        .await?;
        let balance = node.json(&["wallet", "balance"])?;
        let score = balance["accounts"][0]["reputation"]["score"].as_u64().context("a score")?;
        assert_eq!(score, 105, "a newcomer has 100, and one consumer gives 5 a day");
    }
    Ok(())
}
