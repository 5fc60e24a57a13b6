//! Timeouts, factors and caps.

/// How the scheduler behaves. Times are in milliseconds.
#[derive(Clone)]
pub struct Config {
    /// 32 random bytes that only this node knows: with them it draws audits and pairs replicas, so
    /// that no provider can tell which runs are compared, and with whose. Keep it over restarts.
    pub secret: [u8; 32],
    /// Time between two searches for one stage that lacks nodes.
    pub find_interval_ms: u64,
    /// Time after which a proposal without an answer counts as refused.
    pub proposal_timeout_ms: u64,
    /// Most agreements of one stage at a time.
    pub agreements_per_stage_max: u16,
    /// Work that is kept queued at a provider, in milliseconds of its measured pace.
    pub window_ms: u64,
    /// Time that a lost provider has to come back before its tasks go elsewhere.
    pub lost_grace_ms: u64,
    /// Time after which a run that its provider's standing does not name is taken for lost: it covers
    /// an assignment that crossed the standing on the wire.
    pub standing_slack_ms: u64,
    /// Time without any word on an agreement after which its provider counts as lost: standings come
    /// every few seconds.
    pub silence_ms: u64,
    /// Time after which a result that was asked to be shown, and was not, is taken for lost.
    pub reveal_timeout_ms: u64,
    /// Time after which an agreement without work is closed.
    pub idle_ms: u64,
    /// A run may take this many times the stage's mean before it gets a second copy.
    pub hedge_factor: u32,
    /// No run gets a second copy earlier than this.
    pub hedge_floor_ms: u64,
    /// First rest of a node that refused or failed; doubles with each strike in a row.
    pub rest_ms: u64,
    /// Longest rest after refusals and failures.
    pub rest_max_ms: u64,
    /// Rest of a node whose result was rejected; also doubles, up to eight times this.
    pub rest_rejected_ms: u64,
    /// Most notes of one job.
    pub notes_max: u32,
    /// Jobs up to this many tasks get a note for each placement.
    pub placed_notes_tasks_max: u32,
}

impl Config {
    /// The defaults, with this node's secret.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self {
            secret,
            find_interval_ms: 1_000,
            proposal_timeout_ms: 5_000,
            agreements_per_stage_max: 64,
            window_ms: 100,
            lost_grace_ms: 2_000,
            standing_slack_ms: 3_000,
            silence_ms: 20_000,
            reveal_timeout_ms: 10_000,
            idle_ms: 500,
            hedge_factor: 3,
            hedge_floor_ms: 500,
            rest_ms: 1_000,
            rest_max_ms: 300_000,
            rest_rejected_ms: 600_000,
            notes_max: 4_096,
            placed_notes_tasks_max: 1_000,
        }
    }
}

impl std::fmt::Debug for Config {
    /// Everything but the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("find_interval_ms", &self.find_interval_ms)
            .field("agreements_per_stage_max", &self.agreements_per_stage_max)
            .field("window_ms", &self.window_ms)
            .field("lost_grace_ms", &self.lost_grace_ms)
            .field("hedge_floor_ms", &self.hedge_floor_ms)
            .finish_non_exhaustive()
    }
}
