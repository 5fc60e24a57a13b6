//! What the monitor knows of the node, and what happened between two looks at it.

use crate::terminal::clean;
use opensky_api::{
    network::PeerView,
    progress::{JobSummary, JobsQuery},
    service::ServiceView,
    status::Status,
};
use opensky_client::{Client, ClientError};
use serde::Serialize;
use std::collections::VecDeque;

/// Jobs that are asked for.
const JOBS_MAX: u32 = 100;
/// Happenings that are remembered.
const NEWS_MAX: usize = 200;

/// The node at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    pub status: Status,
    pub jobs: Vec<JobSummary>,
    pub services: Vec<ServiceView>,
    pub peers: Vec<PeerView>,
    /// What happened lately, newest first: when, and what.
    pub news: VecDeque<(String, String)>,
}

impl Seen {
    /// Asks the node.
    pub async fn ask(client: &Client) -> Result<Self, ClientError> {
        let query = JobsQuery { before: None, limit: Some(JOBS_MAX) };
        let (status, jobs, services, peers) =
            tokio::try_join!(client.status(), client.jobs(&query), client.services(), client.peers())?;
        Ok(Self {
            status,
            jobs: jobs.jobs,
            services: services.services,
            peers: peers.peers,
            news: VecDeque::new(),
        })
    }

    /// This moment with all that is known from before, and what happened in between.
    pub fn after(mut self, before: &Self) -> Self {
        let at = clock(self.status.now.as_millis());
        let news = news(before, &self).into_iter().map(|what| (at.clone(), what));
        self.news = news.chain(before.news.iter().cloned()).take(NEWS_MAX).collect();
        self
    }
}

/// The time of day, by the world's clock.
fn clock(millis: u64) -> String {
    let seconds = millis / 1_000 % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// What is different, a sentence each.
fn news(before: &Seen, now: &Seen) -> Vec<String> {
    let mut news = Vec::new();
    for job in &now.jobs {
        let known = before.jobs.iter().find(|known| known.job == job.job);
        if known.is_none_or(|known| known.state != job.state) {
            let why = if job.reason.is_empty() { String::new() } else { format!(": {}", clean(&job.reason)) };
            news.push(format!("job {} ({}) is {}{why}", job.job, clean(&job.name), job.state.as_str()));
        }
    }
    for service in &now.services {
        let known = before.services.iter().find(|known| known.service == service.service);
        if known.is_none_or(|known| known.state != service.state) {
            news.push(format!("service {} is {}", clean(&service.name), service.state.as_str()));
        }
    }
    let of_peers = |these: &Seen, others: &Seen, what: &str| -> Vec<String> {
        let is_new = |peer: &&PeerView| !others.peers.iter().any(|other| other.node == peer.node);
        these.peers.iter().filter(is_new).map(|peer| format!("peer {} {what}", peer.node.short())).collect()
    };
    news.extend(of_peers(now, before, "is connected"));
    news.extend(of_peers(before, now, "is gone"));
    let reason = &now.status.sharing.closed_reason;
    if before.status.sharing.closed_reason != *reason {
        news.push(if reason.is_empty() {
            "the machine is shared again".into()
        } else {
            format!("not shared: {}", clean(reason))
        });
    }
    let (old, new) = (before.status.ledger.available_micros, now.status.ledger.available_micros);
    if let (Some(old), Some(new)) = (old, new)
        && old != new
    {
        news.push(format!("credits from {old} to {new}"));
    }
    news
}
