//! Processor time of the replicas here, for services that scale by it.

use super::ServiceEvent;
use crate::{event::Event, node::Node};
use opensky_services::HostInput;
use opensky_types::{
    Timestamp,
    service::{Load, ReplicaId, Scale},
};

impl Node {
    /// Asks what replicas have used, where somebody wants to know: an engine may have to be asked for it.
    pub(super) fn measure_replicas(&self) {
        let instances = self.running().clone();
        let wanted = instances.into_iter().filter(|(replica, _)| self.cores_measured(*replica).is_some());
        for (replica, instance) in wanted {
            let (stop, events) = (self.stop.clone(), self.events.clone());
            self.tasks.spawn(async move {
                let Some(usage) = stop.run_until_cancelled(instance.usage()).await else { return };
                let used = ServiceEvent::Used { replica, cpu_us: usage.cpu_us };
                let _ = events.send(Event::Service(Box::new(used))).await;
            });
        }
    }

    /// The cores of a replica whose processor time counts. What is declared now says whether it does: a replica of an
    /// earlier revision goes on where the new one changes nothing about how it runs.
    fn cores_measured(&self, replica: ReplicaId) -> Option<u16> {
        let (_, declaration, declared, revision) = self.services.host.hosted(replica)?;
        let scale = declared.spec.as_ref().and_then(|spec| spec.scale);
        let counts = matches!(scale, Some(Scale { target: Load::Cpu { .. }, .. }));
        counts.then(|| declared.spec_of(declaration, revision).map(|spec| spec.limits.cpu_cores)).flatten()
    }

    pub(super) fn on_replica_used(&mut self, now: Timestamp, replica: ReplicaId, cpu_us: u64) {
        let at_us = self.clock.monotonic_us();
        let Some(cores) = self.cores_measured(replica) else { return };
        let Some((before_us, before_cpu_us)) = self.services.used.insert(replica, (at_us, cpu_us)) else {
            return;
        };
        let (wall_us, used_us) = (at_us.saturating_sub(before_us), cpu_us.saturating_sub(before_cpu_us));
        let percent = percent_of(used_us, wall_us.saturating_mul(u64::from(cores)));
        self.host_service(now, HostInput::Cpu { replica, percent });
    }
}

fn percent_of(part: u64, whole: u64) -> u8 {
    let percent = part.saturating_mul(100).checked_div(whole).unwrap_or_default();
    u8::try_from(percent.min(100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::percent_of;

    #[test]
    fn processor_time_is_at_most_all_there_is() {
        assert_eq!(
            [percent_of(0, 10), percent_of(5, 10), percent_of(30, 10), percent_of(1, 0)],
            [0, 50, 100, 0]
        );
    }
}
