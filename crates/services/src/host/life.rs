//! One replica, from its order to its end.

use super::{Capacity, HostConfig, HostEffect, HostInput, Newest, data::Data};
use opensky_types::{
    Signed, Timestamp,
    service::{
        Declaration, Declared, LAST_WORDS_BYTES_MAX, PROBLEM_BYTES_MAX, Placement, ReplicaId, ReplicaReport,
        ReplicaState, Restart, Saved, ServiceSpec,
    },
    task::Failure,
};

/// Tries to start a program that does not start for reasons of its host.
const STARTS_MAX: u32 = 3;

/// What is going on with a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// It is on its way.
    Fetching,
    /// It starts once this time has come.
    Due(Timestamp),
    /// The engine was told to start it.
    Starting,
    /// It runs since then.
    Running(Timestamp),
    /// It is to end.
    Stopping,
    /// Nothing runs, and nothing is to.
    Over,
}

/// A replica.
#[derive(Debug)]
pub(super) struct Hosted {
    pub declared: Declared,
    pub declaration: Declaration,
    pub signed: Signed<Placement>,
    pub placement: Placement,
    pub spec: ServiceSpec,
    pub state: ReplicaState,
    since: Timestamp,
    run: Run,
    /// Counts starts, so that late words of an earlier run change nothing.
    launch: u32,
    restarts: u32,
    /// Ends in a row, for the waits between them.
    streak: u32,
    /// Since when it answers in this run.
    healthy_since: Option<Timestamp>,
    failed_probes: u8,
    is_probing: bool,
    probe_at: Timestamp,
    leaving_since: Option<Timestamp>,
    connections: u32,
    cpu_percent: u8,
    advertised: Option<(ReplicaState, Timestamp)>,
    problem: String,
    last_words: String,
    /// Its volumes, where it has some.
    pub data: Option<Data>,
    /// Its own GPUs, by their places among those of the machine.
    pub gpus: Vec<u8>,
}

impl Hosted {
    pub fn new(
        now: Timestamp,
        (declared, declaration): (Declared, Declaration),
        (signed, placement): (Signed<Placement>, Placement),
        spec: ServiceSpec,
        (saved, gpus): (Option<Saved>, Vec<u8>),
    ) -> Self {
        let every_ms = spec.volumes.as_ref().map(|volumes| volumes.save_ms);
        let data = every_ms.map(|every_ms| Data::new(now, placement.replica, every_ms, saved));
        Self {
            data,
            gpus,
            declared,
            declaration,
            signed,
            placement,
            spec,
            state: ReplicaState::Preparing,
            since: now,
            run: Run::Fetching,
            launch: 0,
            restarts: 0,
            streak: 0,
            healthy_since: None,
            failed_probes: 0,
            is_probing: false,
            probe_at: now,
            leaving_since: None,
            connections: 0,
            cpu_percent: 0,
            advertised: None,
            problem: String::new(),
            last_words: String::new(),
        }
    }

    /// A keeper wants it for longer: one of those whom the newest declaration names.
    pub fn renew(&mut self, signed: &Signed<Placement>, newest: Option<&Newest>) {
        let newest = newest.filter(|newest| newest.declaration.revision > self.declaration.revision);
        let declaration = newest.map_or(&self.declaration, |newest| &newest.declaration);
        let Ok(placement) = signed.check(declaration) else { return };
        // What is shown with the placement has to name what runs.
        let spec =
            |newest: &Newest| newest.declared.spec_of(&newest.declaration, placement.revision).cloned();
        if newest.is_some_and(|newest| spec(newest).as_ref() != Some(&self.spec)) {
            return;
        }
        let is_this = placement.node == self.placement.node && placement.revision == self.placement.revision;
        if is_this && placement.expires_at > self.placement.expires_at {
            (self.placement, self.signed) = (placement, signed.clone());
            if let Some(newest) = newest {
                (self.declaration, self.declared) = (newest.declaration.clone(), newest.declared.clone());
            }
        }
    }

    /// It is not wanted any more.
    pub fn leave(&mut self, now: Timestamp) {
        if self.leaving_since.is_none() {
            self.leaving_since = Some(now);
            self.turn(now, ReplicaState::Leaving);
        }
    }

    /// Its host may close, or must end everything.
    pub fn look_at_capacity(&mut self, now: Timestamp, capacity: &Capacity) {
        let has_its_gpus = self.gpus.iter().all(|place| capacity.containers.gpus.contains(place));
        if capacity.must_end || self.placement.expires_at <= now || !has_its_gpus {
            self.leave(now);
        } else if capacity.is_closed && self.state == ReplicaState::Healthy {
            self.turn(now, ReplicaState::Moving);
        } else if !capacity.is_closed && self.state == ReplicaState::Moving {
            self.turn(now, ReplicaState::Healthy);
        }
    }

    /// Whether nothing of it is left to do here, and if so, whether others have what is in its volumes.
    pub fn is_gone(&self, now: Timestamp, config: &HostConfig) -> Option<bool> {
        if self.leaving_since.is_none() || self.run != Run::Over {
            return None;
        }
        let is_handed_over = self.data.as_ref().is_none_or(Data::is_handed_over);
        let is_given_up =
            || self.data.as_ref().is_some_and(|data| data.is_given_up(now, config.hand_over_ms));
        (is_handed_over || is_given_up()).then_some(is_handed_over)
    }

    pub fn report(&self, now: Timestamp, replica: ReplicaId) -> ReplicaReport {
        ReplicaReport {
            replica,
            revision: self.placement.revision,
            state: self.state,
            for_ms: now.ms_since(self.since),
            restarts: self.restarts,
            connections: self.connections,
            cpu_percent: self.cpu_percent,
            problem: cut(self.problem(), PROBLEM_BYTES_MAX),
            last_words: self.last_words.clone(),
            saved: self.data.as_ref().and_then(Data::told),
        }
    }

    /// What is wrong: with its program first, then with its volumes.
    fn problem(&self) -> &str {
        match &self.data {
            Some(data) if self.problem.is_empty() => &data.problem,
            _ => &self.problem,
        }
    }

    pub fn on_fact(&mut self, now: Timestamp, config: &HostConfig, input: HostInput) {
        match input {
            HostInput::Prepared { result: Ok(()), .. } if self.run == Run::Fetching => {
                self.run = Run::Due(now)
            }
            HostInput::Prepared { result: Err(problem), .. } if self.run == Run::Fetching => {
                self.fail(now, format!("what it needs cannot be had: {problem}"));
            }
            HostInput::Launched { launch, result, .. } if launch == self.launch => {
                self.on_launched(now, config, result);
            }
            HostInput::Probed { launch, result, .. } if launch == self.launch => {
                self.on_probed(now, result);
            }
            HostInput::Ended { launch, end, last_words, .. } if launch == self.launch => {
                self.last_words = tail(&last_words, LAST_WORDS_BYTES_MAX);
                self.on_ended(now, config, end);
            }
            HostInput::Stopped { launch, .. } if launch == self.launch && self.run == Run::Stopping => {
                self.on_stopped(now, config);
            }
            HostInput::Saved { result, .. } => {
                if let Some(data) = &mut self.data {
                    data.on_saved(now, result);
                }
            }
            HostInput::Connections { count, .. } => self.connections = count,
            HostInput::Cpu { percent, .. } => self.cpu_percent = percent,
            _ => {}
        }
    }

    fn on_launched(&mut self, now: Timestamp, config: &HostConfig, result: Result<(), Failure>) {
        if self.run != Run::Starting {
            return;
        }
        match result {
            Ok(()) => {
                self.run = Run::Running(now);
                if let Some(data) = &mut self.data {
                    data.on_launched(now);
                }
                self.failed_probes = 0;
                self.is_probing = false;
                self.probe_at = now;
                if self.spec.health.is_some() {
                    self.turn(now, ReplicaState::Starting);
                } else {
                    self.problem.clear();
                    self.turn(now, ReplicaState::Healthy);
                }
            }
            Err(failure @ Failure::InvalidProgram { .. }) => self.fail(now, failure.to_string()),
            Err(failure) if self.streak >= STARTS_MAX => self.fail(now, failure.to_string()),
            Err(failure) => {
                self.problem = failure.to_string();
                self.start_again(now, config);
            }
        }
    }

    fn on_probed(&mut self, now: Timestamp, result: Result<(), String>) {
        let (Run::Running(since), Some(check)) = (self.run, &self.spec.health) else { return };
        self.is_probing = false;
        self.probe_at = now.plus_ms(check.interval_ms);
        match result {
            Ok(()) => {
                self.failed_probes = 0;
                self.problem.clear();
                if matches!(self.state, ReplicaState::Starting | ReplicaState::Unhealthy) {
                    self.turn(now, ReplicaState::Healthy);
                }
            }
            // A program that stands still answers nobody.
            Err(_) if self.is_saving() => {}
            Err(problem) => {
                let is_young = self.state == ReplicaState::Starting && now.ms_since(since) < check.start_ms;
                self.problem = format!("its health check failed: {problem}");
                if is_young {
                    // A program that starts is asked more often, so that it is of use soon.
                    self.probe_at = now.plus_ms(check.interval_ms.min(250));
                    return;
                }
                self.failed_probes = self.failed_probes.saturating_add(1);
                if self.failed_probes >= check.failures_max && self.state != ReplicaState::Leaving {
                    self.turn(now, ReplicaState::Unhealthy);
                }
            }
        }
    }

    fn on_ended(&mut self, now: Timestamp, config: &HostConfig, end: Result<i32, Failure>) {
        match self.run {
            // It may be over before it is known that it runs.
            Run::Starting | Run::Running(_) => self.run = Run::Over,
            // It was to end, and did so by itself.
            Run::Stopping => return self.on_stopped(now, config),
            Run::Fetching | Run::Due(_) | Run::Over => return,
        }
        if self.leaving_since.is_some() {
            return;
        }
        let is_good = end == Ok(0);
        self.problem = match end {
            Ok(code) => format!("its program ended with exit code {code}"),
            Err(failure) => failure.to_string(),
        };
        match self.spec.restart {
            Restart::Always => self.start_again(now, config),
            Restart::OnFailure if !is_good => self.start_again(now, config),
            Restart::OnFailure | Restart::Never if is_good => self.turn(now, ReplicaState::Ended),
            Restart::OnFailure | Restart::Never => self.fail(now, self.problem.clone()),
        }
    }

    fn on_stopped(&mut self, now: Timestamp, config: &HostConfig) {
        self.run = Run::Over;
        if self.leaving_since.is_none() {
            self.start_again(now, config);
        }
    }

    fn start_again(&mut self, now: Timestamp, config: &HostConfig) {
        if self.healthy_since.is_some_and(|since| now.ms_since(since) >= config.forgive_ms) {
            self.streak = 0;
        }
        self.healthy_since = None;
        let wait_ms = (config.restart_ms << self.streak.min(16)).min(config.restart_ms_max);
        self.streak = self.streak.saturating_add(1);
        self.restarts = self.restarts.saturating_add(1);
        self.run = Run::Due(now.plus_ms(wait_ms));
        self.turn(now, ReplicaState::Waiting);
    }

    fn fail(&mut self, now: Timestamp, problem: String) {
        self.problem = problem;
        self.run = Run::Over;
        self.turn(now, ReplicaState::Failed);
    }

    fn turn(&mut self, now: Timestamp, state: ReplicaState) {
        // Whoever leaves stays so.
        let may = self.leaving_since.is_none() || state == ReplicaState::Leaving;
        if may && state != self.state {
            (self.state, self.since) = (state, now);
            if state.answers() {
                self.healthy_since.get_or_insert(now);
            }
        }
    }

    /// Orders what is due.
    pub fn advance(
        &mut self,
        now: Timestamp,
        config: &HostConfig,
        replica: ReplicaId,
        effects: &mut Vec<HostEffect>,
    ) {
        if let Some(since) = self.leaving_since {
            self.advance_leaving(now, config, (replica, since), effects);
        } else {
            self.advance_running(now, replica, effects);
        }
        self.advance_data(now, replica, effects);
        let is_due = self.advertised.is_none_or(|(state, at)| {
            state != self.state || (self.state.answers() && now.ms_since(at) >= config.advert_ms)
        });
        if is_due {
            self.advertised = Some((self.state, now));
            effects.push(HostEffect::Advertise { replica, state: self.state });
        }
    }

    /// Saves its volumes from time to time while it runs, and once more when it has ended for good.
    fn advance_data(&mut self, now: Timestamp, replica: ReplicaId, effects: &mut Vec<HostEffect>) {
        let Some(data) = &mut self.data else { return };
        let is_due = match self.run {
            Run::Running(_) => data.begin_meanwhile(now),
            Run::Over => data.begin_last(now, self.leaving_since.is_some()),
            _ => false,
        };
        if is_due {
            effects.push(HostEffect::Save { replica });
        }
    }

    /// Whether its volumes are saved right now: its program stands still.
    fn is_saving(&self) -> bool {
        self.data.as_ref().is_some_and(Data::is_saving)
    }

    fn advance_running(&mut self, now: Timestamp, replica: ReplicaId, effects: &mut Vec<HostEffect>) {
        match self.run {
            // What is being saved is written by nobody.
            Run::Due(at) if at <= now && !self.is_saving() => {
                self.launch += 1;
                self.run = Run::Starting;
                if self.state != ReplicaState::Waiting {
                    self.turn(now, ReplicaState::Starting);
                }
                effects.push(HostEffect::Launch { replica, launch: self.launch });
            }
            Run::Running(_) if self.state == ReplicaState::Unhealthy && !self.is_saving() => {
                self.run = Run::Stopping;
                let grace_ms = self.spec.stop_ms;
                effects.push(HostEffect::Stop { replica, launch: self.launch, grace_ms });
            }
            Run::Running(_) if !self.is_probing && self.probe_at <= now && !self.is_saving() => {
                if let Some(check) = &self.spec.health {
                    self.is_probing = true;
                    effects.push(HostEffect::Probe { replica, launch: self.launch, check: check.clone() });
                }
            }
            _ => {}
        }
    }

    /// Others hear of it first; then its connections may end; then its program does.
    fn advance_leaving(
        &mut self,
        now: Timestamp,
        config: &HostConfig,
        (replica, since): (ReplicaId, Timestamp),
        effects: &mut Vec<HostEffect>,
    ) {
        match self.run {
            Run::Fetching | Run::Due(_) => self.run = Run::Over,
            Run::Running(_) => {
                let left_ms = now.ms_since(since);
                let is_quiet = self.connections == 0 && left_ms >= config.leave_ms;
                let is_over = is_quiet || left_ms >= config.leave_ms.saturating_add(self.spec.stop_ms);
                if is_over && !self.is_saving() {
                    self.run = Run::Stopping;
                    let grace_ms = self.spec.stop_ms;
                    effects.push(HostEffect::Stop { replica, launch: self.launch, grace_ms });
                }
            }
            // An order to start is answered first.
            Run::Starting | Run::Stopping | Run::Over => {}
        }
    }
}

fn cut(text: &str, bytes_max: usize) -> String {
    let end = text.floor_char_boundary(bytes_max.min(text.len()));
    text[..end].to_owned()
}

/// The end of a text.
fn tail(text: &str, bytes_max: usize) -> String {
    let start = text.ceil_char_boundary(text.len().saturating_sub(bytes_max));
    text[start..].to_owned()
}
