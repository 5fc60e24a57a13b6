//! A host to try things on, and what its keeper, its owner and strangers say.

use opensky_services::{Capacity, Host, HostConfig, HostEffect, HostInput};
use opensky_types::{
    Hash, Keypair, NodeId, Signed, Timestamp,
    offer::ContainerOffer,
    place::Level,
    samples,
    service::{
        Declaration, Declared, Earlier, HealthCheck, Placement, Probe, Refusal, ReplicaId, ReplicaReport,
        ReplicaState, Restart, ServiceSpec,
    },
    task::Failure,
};

pub const NOW: Timestamp = samples::NOW;

pub fn sky() -> Hash {
    samples::declaration().sky
}

/// A spec of one replica without a health check; the owner is the consumer, its keepers are nodes 4 and 5.
pub fn spec(restart: Restart) -> ServiceSpec {
    ServiceSpec {
        health: None,
        restart,
        stop_ms: 5_000,
        replicas: 1,
        secrets: None,
        scale: None,
        volumes: None,
        ..samples::service()
    }
}

/// The same, tried each second; three failures are too many, none counts in the first five seconds.
pub fn checked() -> ServiceSpec {
    let probe = Probe::Tcp { port: 80 };
    let health = HealthCheck { probe, interval_ms: 1_000, timeout_ms: 500, failures_max: 3, start_ms: 5_000 };
    ServiceSpec { health: Some(health), ..spec(Restart::Always) }
}

/// Revision `revision` runs `spec`, kept by these.
pub fn declare(revision: u64, spec: &ServiceSpec, keepers: &[NodeId]) -> Declared {
    let earlier = (revision > 1).then(|| spec.clone());
    let declaration = Declaration {
        revision,
        keepers: keepers.to_vec(),
        ports: spec.ports.clone(),
        spec: Some(spec.hash()),
        fallback: earlier.as_ref().map(|spec| Earlier { revision: revision - 1, spec: spec.hash() }),
        ..samples::declaration()
    };
    let declaration = Signed::sign(&declaration, &samples::consumer());
    Declared { declaration, spec: Some(spec.clone()), fallback: earlier }
}

pub fn declared(revision: u64, spec: &ServiceSpec) -> Declared {
    declare(revision, spec, &[samples::node(4), samples::node(5)])
}

pub fn replica(slot: u16, generation: u64) -> ReplicaId {
    ReplicaId { slot, generation, ..samples::replica() }
}

pub fn place(key: &Keypair, change: impl FnOnce(&mut Placement)) -> Signed<Placement> {
    let mut placement = Placement { replica: replica(0, 1), revision: 1, ..samples::placement() };
    change(&mut placement);
    Signed::sign(&placement, key)
}

/// Room for four small replicas.
pub fn room() -> Capacity {
    Capacity {
        slots: 8,
        memory_bytes: 256 << 20,
        disk_bytes: 128 << 20,
        levels: vec![Level::Container],
        containers: ContainerOffer::default(),
        gpus: Vec::new(),
        is_free: true,
        is_closed: false,
        must_end: false,
    }
}

/// The host on node 3.
pub struct Bench {
    pub host: Host,
    pub now: Timestamp,
    pub effects: Vec<HostEffect>,
}

impl Bench {
    pub fn new() -> Self {
        let host = Host::new(HostConfig::new(sky(), samples::node(3)));
        let mut bench = Self { host, now: NOW, effects: Vec::new() };
        bench.tell(HostInput::Capacity(room()));
        bench
    }

    /// One that runs a replica of `spec`.
    pub fn running(spec: &ServiceSpec) -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.place(&declared(1, spec), place(&samples::keeper(), |_| {})), Ok(()));
        bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Ok(()) });
        assert_eq!(bench.launches(), [1]);
        bench.launched(1);
        bench
    }

    /// Tells it something, and says what it ordered.
    pub fn tell(&mut self, input: HostInput) -> &[HostEffect] {
        self.effects.clear();
        self.host.handle(self.now, input, &mut self.effects);
        &self.effects
    }

    pub fn after(&mut self, ms: u64) -> &[HostEffect] {
        self.now = self.now.plus_ms(ms);
        self.tell(HostInput::Tick)
    }

    pub fn answer(&self) -> Result<(), Refusal> {
        let answer = self.effects.iter().find_map(|effect| match effect {
            HostEffect::Answer { answer, .. } => Some(*answer),
            _ => None,
        });
        answer.expect("it answers")
    }

    pub fn place(&mut self, declared: &Declared, placement: Signed<Placement>) -> Result<(), Refusal> {
        self.place_from(placement.signer(), declared, placement)
    }

    pub fn place_from(
        &mut self,
        from: NodeId,
        declared: &Declared,
        placement: Signed<Placement>,
    ) -> Result<(), Refusal> {
        let declared = Box::new(declared.clone());
        self.tell(HostInput::Place { ask: 1, from, declared, placement, saved: None });
        self.answer()
    }

    pub fn withdraw(&mut self, from: NodeId) -> Result<(), Refusal> {
        self.tell(HostInput::Withdraw { ask: 1, from, replica: replica(0, 1) });
        self.answer()
    }

    pub fn ask_report(
        &mut self,
        from: NodeId,
        renewed: Vec<Signed<Placement>>,
    ) -> Result<Vec<ReplicaReport>, Refusal> {
        let service = replica(0, 1).service;
        self.tell(HostInput::Report { ask: 1, from, service, renewed, held: Vec::new() });
        let reports = self.effects.iter().find_map(|effect| match effect {
            HostEffect::AnswerReports { reports, .. } => Some(reports.clone()),
            _ => None,
        });
        reports.map_or_else(|| Err(self.answer().expect_err("no reports are no yes")), Ok)
    }

    pub fn launched(&mut self, launch: u32) {
        self.tell(HostInput::Launched { replica: replica(0, 1), launch, result: Ok(()) });
    }

    pub fn ended(&mut self, launch: u32, end: Result<i32, Failure>) {
        let last_words = "bye".to_owned();
        self.tell(HostInput::Ended { replica: replica(0, 1), launch, end, last_words });
    }

    pub fn probed(&mut self, launch: u32, is_good: bool) {
        let result = if is_good { Ok(()) } else { Err("no answer".to_owned()) };
        self.tell(HostInput::Probed { replica: replica(0, 1), launch, result });
    }

    pub fn stopped(&mut self, launch: u32) {
        self.tell(HostInput::Stopped { replica: replica(0, 1), launch });
    }

    /// The report of the replica in slot 0; none once it is gone.
    pub fn report(&self) -> Option<ReplicaReport> {
        self.host.views(self.now).map(|view| view.report).find(|report| report.replica == replica(0, 1))
    }

    pub fn state(&self) -> ReplicaState {
        self.report().expect("it is here").state
    }

    /// Launches just ordered.
    pub fn launches(&self) -> Vec<u32> {
        let launch = |effect: &HostEffect| match effect {
            HostEffect::Launch { launch, .. } => Some(*launch),
            _ => None,
        };
        self.effects.iter().filter_map(launch).collect()
    }

    /// Stops just ordered, with the time each is given.
    pub fn stops(&self) -> Vec<(u32, u64)> {
        let stop = |effect: &HostEffect| match effect {
            HostEffect::Stop { launch, grace_ms, .. } => Some((*launch, *grace_ms)),
            _ => None,
        };
        self.effects.iter().filter_map(stop).collect()
    }

    pub fn probes(&self) -> usize {
        self.effects.iter().filter(|effect| matches!(effect, HostEffect::Probe { .. })).count()
    }

    pub fn adverts(&self) -> Vec<ReplicaState> {
        let state = |effect: &HostEffect| match effect {
            HostEffect::Advertise { state, .. } => Some(*state),
            _ => None,
        };
        self.effects.iter().filter_map(state).collect()
    }

    /// Waits until it launches again, in steps of 100 ms; says how long that took.
    pub fn wait_for_launch(&mut self, most_ms: u64) -> Option<u64> {
        let begin = self.now;
        while self.launches().is_empty() {
            if self.now.ms_since(begin) >= most_ms {
                return None;
            }
            self.after(100);
        }
        Some(self.now.ms_since(begin))
    }
}
