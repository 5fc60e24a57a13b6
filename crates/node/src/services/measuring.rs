//! Processor time of the replicas here. Those of an earlier revision count as well: a later one that changes nothing
//! about them may scale by it.

use super::ServiceEvent;
use crate::{event::Event, node::Node};
use opensky_services::HostInput;
use opensky_types::{Timestamp, service::ReplicaId};

impl Node {
    /// Asks what replicas have used.
    pub(super) fn measure_replicas(&self) {
        let instances = self.running().clone();
        for (replica, instance) in instances {
            let (stop, events) = (self.stop.clone(), self.events.clone());
            self.tasks.spawn(async move {
                let Some(usage) = stop.run_until_cancelled(instance.usage()).await else { return };
                let used = ServiceEvent::Used { replica, cpu_us: usage.cpu_us };
                let _ = events.send(Event::Service(Box::new(used))).await;
            });
        }
    }

    /// The cores that a replica may use.
    fn cores_of(&self, replica: ReplicaId) -> Option<u16> {
        let (_, declaration, declared, revision) = self.services.host.hosted(replica)?;
        Some(declared.spec_of(declaration, revision)?.limits.cpu_cores)
    }

    pub(super) fn on_replica_used(&mut self, now: Timestamp, replica: ReplicaId, cpu_us: u64) {
        let at_us = self.clock.monotonic_us();
        let Some(cores) = self.cores_of(replica) else { return };
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
