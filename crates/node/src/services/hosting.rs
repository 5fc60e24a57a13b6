//! The host's orders carried out.

use super::{Asker, ServiceEvent, Target, keeping::fetch_from_any, probing::probe, volumes::fetch_saved};
use crate::{event::Event, fetch::Fetcher, node::Node};
use opensky_ports::{Instance, InstanceEnd, Pin, ServiceRun};
use opensky_protocol::service::{PlacedReport, REPORTS_MAX, ServiceReply, TOPIC_ADVERTS};
use opensky_provider::Reserved;
use opensky_services::{Heard, HostEffect, HostInput, KeeperInput, Taken};
use opensky_types::{
    NodeId, Signed, Timestamp, codec,
    job::Blob,
    service::{
        Advert, Declared, HealthCheck, LAST_WORDS_BYTES_MAX, Refusal, ReplicaId, ReplicaReport, ReplicaState,
        ServiceSpec, Volume,
    },
    task::Failure,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

/// How long an advert counts, in milliseconds: three times the pause between two.
const ADVERT_TTL_MS: u64 = 30_000;

impl Node {
    pub(super) fn perform_hosted(&mut self, now: Timestamp, effect: HostEffect) {
        match effect {
            HostEffect::Answer { ask, answer } => self.answer_asker(ask, answer),
            HostEffect::AnswerReports { ask, reports } => self.answer_reports(now, ask, reports),
            HostEffect::Prepare { replica, blob, saved, sources } => {
                self.prepare_replica(replica, (blob, saved), sources);
            }
            HostEffect::Launch { replica, launch } => self.launch_replica(replica, launch),
            HostEffect::Probe { replica, launch, check } => self.probe_replica(replica, launch, check),
            HostEffect::Stop { replica, launch, grace_ms } => self.stop_replica(replica, launch, grace_ms),
            HostEffect::Save { replica } => self.save_volumes(replica),
            HostEffect::Advertise { replica, state } => self.advertise_replica(now, replica, state),
            HostEffect::Gone { replica, is_last, is_handed_over } => {
                self.let_go_of_volumes(replica, is_handed_over);
                self.running().remove(&replica);
                self.services.used.remove(&replica);
                tracing::info!(%replica, "a replica has ended");
                if is_last {
                    self.unpin_service(replica.service);
                }
            }
            HostEffect::Reserve(Taken { slots, memory_bytes, disk_bytes, gpus }) => {
                self.reserve_for_services(now, Reserved { slots, memory_bytes, disk_bytes, gpus });
            }
        }
    }

    pub(super) fn remember_asker(&mut self, asker: Asker) -> u64 {
        self.services.asks += 1;
        self.services.askers.insert(self.services.asks, asker);
        self.services.asks
    }

    fn answer_asker(&mut self, ask: u64, answer: Result<(), Refusal>) {
        match self.services.askers.remove(&ask) {
            Some(Asker::Remote(stream)) => {
                let reply = match answer {
                    Ok(()) => ServiceReply::Done,
                    Err(refusal) => ServiceReply::Refused { refusal },
                };
                self.reply_on(stream, reply);
            }
            Some(Asker::Placement(replica)) => {
                self.soon(ServiceEvent::Keeper(KeeperInput::PlacedAt { replica, answer: Some(answer) }));
            }
            Some(Asker::Reports(_) | Asker::Nobody) | None => {}
        }
    }

    fn answer_reports(&mut self, now: Timestamp, ask: u64, reports: Vec<ReplicaReport>) {
        let Some(asker) = self.services.askers.remove(&ask) else { return };
        let placed = reports.into_iter().take(REPORTS_MAX).filter_map(|report| {
            let (placement, ..) = self.services.host.hosted(report.replica)?;
            Some(PlacedReport { report: self.with_last_words(report), placement: placement.clone() })
        });
        let reports: Vec<PlacedReport> = placed.collect();
        match asker {
            Asker::Remote(stream) => self.reply_on(stream, ServiceReply::Reports { reports }),
            Asker::Reports(service) => self.on_replicas_reported(now, service, self.own, Some(reports)),
            Asker::Placement(_) | Asker::Nobody => {}
        }
    }

    /// What a program that is not well wrote last: it says more than the check that failed.
    fn with_last_words(&self, report: ReplicaReport) -> ReplicaReport {
        let is_well = report.state.answers() || report.problem.is_empty();
        let running = self.running().get(&report.replica).cloned();
        match running.filter(|_| !is_well) {
            Some(instance) => {
                let words = instance.last_words(LAST_WORDS_BYTES_MAX);
                ReplicaReport { last_words: text_of(&words), ..report }
            }
            None => report,
        }
    }

    pub(super) fn running(&self) -> MutexGuard<'_, BTreeMap<ReplicaId, Arc<dyn Instance>>> {
        self.services.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prepare_replica(
        &mut self,
        replica: ReplicaId,
        (program, saved): (Option<Blob>, Option<Blob>),
        sources: Vec<NodeId>,
    ) {
        let fetcher =
            Fetcher { own: self.own, transport: Arc::clone(&self.transport), blobs: Arc::clone(&self.blobs) };
        let (stop, events) = (self.stop.clone(), self.events.clone());
        self.tasks.spawn(async move {
            let fetching = async {
                if let Some(program) = program {
                    fetch_from_any(&fetcher, &sources, &[program], Pin::Service(replica.service)).await?;
                }
                match saved {
                    Some(saved) => fetch_saved(&fetcher, &sources, saved, replica).await,
                    None => Ok(()),
                }
            };
            let Some(result) = stop.run_until_cancelled(fetching).await else { return };
            let prepared = ServiceEvent::Host(HostInput::Prepared { replica, result });
            let _ = events.send(Event::Service(Box::new(prepared))).await;
        });
    }

    fn launch_replica(&mut self, replica: ReplicaId, launch: u32) {
        let ready = self.services.engine.clone().zip(self.run_of(replica));
        let stopped = || Failure::ProviderStopped { message: "nothing here runs services".to_owned() };
        let ready = ready.ok_or_else(stopped).and_then(|(engine, run)| Ok((engine, run?)));
        let (engine, (run, targets)) = match ready {
            Ok(ready) => ready,
            Err(failure) => {
                let launched = HostInput::Launched { replica, launch, result: Err(failure) };
                return self.soon(ServiceEvent::Host(launched));
            }
        };
        let outlet = Arc::new(self.reacher().outlet(targets));
        let events = self.events.clone();
        tracing::info!(%replica, launch, "a replica starts");
        self.tasks.spawn(async move {
            let result = engine.start(run, outlet).await;
            let launched = ServiceEvent::Launched { replica, launch, result };
            let _ = events.send(Event::Service(Box::new(launched))).await;
        });
    }

    /// What the engine is told of a replica, and what its outlets lead to.
    fn run_of(&self, replica: ReplicaId) -> Option<Result<(ServiceRun, Vec<Target>), Failure>> {
        let (_, declaration, declared, revision) = self.services.host.hosted(replica)?;
        let spec = declared.spec_of(declaration, revision)?;
        let targets = spec.links.iter().map(|link| Target {
            // Whoever else has a service of that name gets nothing of this one's.
            service: link.service.of(declaration.owner),
            port: link.port,
        });
        let secrets = match self.opened_secrets(declaration, spec) {
            Ok(secrets) => secrets,
            Err(failure) => return Some(Err(failure)),
        };
        let run = ServiceRun {
            replica,
            program: spec.program.clone(),
            limits: spec.limits,
            ports: spec.ports.clone(),
            outlets: spec.links.iter().map(|link| (link.host.clone(), link.port)).collect(),
            secrets,
            idle: spec.idle_ms.map(Duration::from_millis),
            volumes: spec.volumes.as_ref().map(|volumes| volumes.mounts.clone()).unwrap_or_default(),
            other_volumes: other_volumes(declared, spec),
            begin: self.services.host.begins_with(replica),
            gpus: self.services.host.gpus_of(replica).to_vec(),
        };
        Some(Ok((run, targets.collect())))
    }

    pub(super) fn on_launched(
        &mut self,
        now: Timestamp,
        replica: ReplicaId,
        launch: u32,
        result: Result<Arc<dyn Instance>, Failure>,
    ) {
        let result = result.map(|instance| {
            self.running().insert(replica, Arc::clone(&instance));
            self.wait_for_end(replica, launch, instance);
        });
        self.host_service(now, HostInput::Launched { replica, launch, result });
    }

    fn wait_for_end(&self, replica: ReplicaId, launch: u32, instance: Arc<dyn Instance>) {
        let (stop, events) = (self.stop.clone(), self.events.clone());
        self.tasks.spawn(async move {
            let Some(end) = stop.run_until_cancelled(instance.ended()).await else { return };
            let end = match end {
                InstanceEnd::Exited(code) => Ok(code),
                InstanceEnd::Failed(failure) => Err(failure),
            };
            let last_words = text_of(&instance.last_words(LAST_WORDS_BYTES_MAX));
            // Clears away what the program has left.
            instance.stop(Duration::ZERO).await;
            let ended = ServiceEvent::Host(HostInput::Ended { replica, launch, end, last_words });
            let _ = events.send(Event::Service(Box::new(ended))).await;
        });
    }

    fn probe_replica(&self, replica: ReplicaId, launch: u32, check: HealthCheck) {
        let Some(instance) = self.running().get(&replica).cloned() else { return };
        let (stop, events) = (self.stop.clone(), self.events.clone());
        self.tasks.spawn(async move {
            let patience = Duration::from_millis(check.timeout_ms);
            let Some(result) =
                stop.run_until_cancelled(probe(instance.as_ref(), &check.probe, patience)).await
            else {
                return;
            };
            let probed = ServiceEvent::Host(HostInput::Probed { replica, launch, result });
            let _ = events.send(Event::Service(Box::new(probed))).await;
        });
    }

    fn stop_replica(&mut self, replica: ReplicaId, launch: u32, grace_ms: u64) {
        let stopped = ServiceEvent::Host(HostInput::Stopped { replica, launch });
        let Some(instance) = self.running().remove(&replica) else { return self.soon(stopped) };
        let events = self.events.clone();
        self.tasks.spawn(async move {
            instance.stop(Duration::from_millis(grace_ms)).await;
            let _ = events.send(Event::Service(Box::new(stopped))).await;
        });
    }

    /// Tells everybody how a replica stands, this node included.
    fn advertise_replica(&mut self, now: Timestamp, replica: ReplicaId, state: ReplicaState) {
        let Some((placement, _, declared, _)) = self.services.host.hosted(replica) else { return };
        let (placement, declaration) = (placement.clone(), declared.declaration.clone());
        // Grows over restarts too, since time does.
        self.services.sequence = (self.services.sequence + 1).max(now.as_millis());
        let expires_at = now.plus_ms(ADVERT_TTL_MS);
        let advert = Advert { declaration, placement, sequence: self.services.sequence, state, expires_at };
        let signed = Signed::sign(&advert, &self.key);
        self.hear_advert(now, &signed);
        self.transport.gossip(TOPIC_ADVERTS, codec::encode(&signed));
    }

    /// Takes an advert into the directory, and tells the keeper of it.
    pub(super) fn hear_advert(&mut self, now: Timestamp, signed: &Signed<Advert>) -> Heard {
        let heard = self.services.directory.hear(now, signed);
        if let Heard::New { replica, node, revision, state } = heard {
            self.keep_up(now, KeeperInput::Seen { replica, node, revision, state });
        }
        heard
    }
}

/// Volumes that the other revision of a declaration has and this one does not.
fn other_volumes(declared: &Declared, spec: &ServiceSpec) -> Vec<Volume> {
    let mounts =
        |spec: &ServiceSpec| spec.volumes.as_ref().map(|volumes| volumes.mounts.clone()).unwrap_or_default();
    let own = mounts(spec);
    let mut others: Vec<Volume> = Vec::new();
    for volume in declared.spec.iter().chain(&declared.fallback).flat_map(mounts) {
        if own.iter().chain(&others).all(|known| known.name != volume.name) {
            others.push(volume);
        }
    }
    others
}

/// What a program wrote, as text: control characters but line ends are left out, since it ends up in terminals
/// and pages.
fn text_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect()
}
