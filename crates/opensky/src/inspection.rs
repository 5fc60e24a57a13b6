//! What only the node's own process can look at, for `opensky doctor`.

use crate::{executors::Executors, output::size};
use opensky_api::doctor::{Check, Standing};
use opensky_machine::{Interface, InterfaceKind, interfaces};
use opensky_network::Network;
use opensky_node::{Handle, Status};
use opensky_ports::{
    Executor,
    transport::{NetworkView, Path as PeerPath},
};
use std::sync::Arc;

/// What is looked at.
pub struct Inspector {
    pub handle: Handle,
    pub executors: Arc<Executors>,
    pub network: Arc<Network>,
    pub loopback_only: bool,
    pub mdns: bool,
}

impl Inspector {
    /// All checks as one call, which blocks and is made off the loop.
    pub fn into_doctor(self) -> Arc<dyn Fn() -> Vec<Check> + Send + Sync> {
        let runtime = tokio::runtime::Handle::current();
        Arc::new(move || runtime.block_on(self.checks()))
    }

    async fn checks(&self) -> Vec<Check> {
        let mut checks = self.sandbox().await;
        checks.push(self.containers());
        let (Ok(status), Ok(network)) = (self.handle.status().await, self.handle.network().await) else {
            return checks;
        };
        checks.extend(reached(&network));
        checks.push(self.local_network(&interfaces()).await);
        checks.extend(machine(&status));
        checks
    }

    async fn sandbox(&self) -> Vec<Check> {
        match self.executors.wasm.sandbox_report().await {
            Ok(report) => {
                let layers = report.layers.iter().map(|layer| {
                    let standing = if layer.active { Standing::Ok } else { Standing::Warning };
                    let next = (!layer.active)
                        .then_some("tasks still run in a process of their own, with WASM's own walls");
                    check(&format!("sandbox: {}", layer.name), standing, layer.detail.clone(), next)
                });
                layers.collect()
            }
            Err(error) => {
                let next = "no task can run here; `opensky logs` says more";
                vec![check("sandbox", Standing::Broken, format!("no worker starts: {error}"), Some(next))]
            }
        }
    }

    fn containers(&self) -> Check {
        const NAME: &str = "containers";
        let Some(executor) = &self.executors.container else {
            let next = Some("to run images: opensky config set containers true, then start the node again");
            return check(NAME, Standing::Skipped, "not wanted: containers is false".into(), next);
        };
        match (executor.engines().first(), executor.problem()) {
            (Some(engine), _) => check(NAME, Standing::Ok, format!("{} runs them", engine.name), None),
            (None, Some(problem)) => {
                let next = "once that is mended, the engine is found within seconds";
                check(
                    NAME,
                    Standing::Warning,
                    format!("an engine is there and not used: {problem}"),
                    Some(next),
                )
            }
            (None, None) => {
                let next = "start Docker or Podman on this machine; it is found within seconds";
                check(NAME, Standing::Skipped, "no engine answers".into(), Some(next))
            }
        }
    }

    /// Where `--lan` and mDNS look for others. They look everywhere; which interfaces that are, and
    /// which of them only lead to containers, is what people need to know when nobody is found.
    async fn local_network(&self, interfaces: &[Interface]) -> Check {
        const NAME: &str = "local network";
        if self.loopback_only {
            let found = "not searched: this node listens on this machine only".to_owned();
            return check(NAME, Standing::Skipped, found, None);
        }
        if !self.mdns {
            let next = Some("to search it: opensky config set mdns true, then start the node again");
            return check(NAME, Standing::Skipped, "not searched: mdns is false".into(), next);
        }
        let heard = self.network.nearby().await.len();
        let found = format!("{}; {heard} other nodes heard", describe(interfaces));
        if heard == 0 && !interfaces.iter().any(|one| one.kind == InterfaceKind::Network) {
            let next = "connect this machine to a network, or let others join by token: opensky invite";
            return check(NAME, Standing::Warning, found, Some(next));
        }
        check(NAME, Standing::Ok, found, None)
    }
}

/// Interfaces with one address each, and a word where one leads to no other machines.
fn describe(interfaces: &[Interface]) -> String {
    if interfaces.is_empty() {
        return "no interface has an address".into();
    }
    let one = |interface: &Interface| {
        let address = interface.addresses.first().map(ToString::to_string).unwrap_or_default();
        let word = match interface.kind {
            InterfaceKind::Network => "",
            InterfaceKind::Containers => " (containers)",
            InterfaceKind::Tunnel => " (tunnel)",
        };
        format!("{} {address}{word}", interface.name)
    };
    format!("searched on {}", interfaces.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn check(name: &str, standing: Standing, found: String, next: Option<&str>) -> Check {
    Check { name: name.into(), standing, found, next: next.map(str::to_owned) }
}

/// Where others find this node, and who has.
fn reached(network: &NetworkView) -> Vec<Check> {
    let mut checks = Vec::new();
    let listening = if network.listening.is_empty() { Standing::Broken } else { Standing::Ok };
    checks.push(check("listening", listening, network.listening.join(", "), None));
    let relayed = network.peers.iter().filter(|peer| peer.path == PeerPath::Relayed).count();
    let peers = format!("{} connected, {relayed} through a relay", network.peers.len());
    let lonely = network.peers.is_empty().then_some("let another machine join: opensky invite");
    checks.push(check(
        "peers",
        if lonely.is_some() { Standing::Skipped } else { Standing::Ok },
        peers,
        lonely,
    ));
    let (standing, next) = match network.reachability.as_str() {
        "public" => (Standing::Ok, None),
        "private" => (
            Standing::Warning,
            Some("others reach this node through relays; forward its port for a direct path"),
        ),
        _ => (Standing::Skipped, Some("known once other members have tried to reach this node")),
    };
    checks.push(check("reachability", standing, network.reachability.clone(), next));
    checks
}

/// What the node gives.
fn machine(status: &Status) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.push(if status.sharing_note.is_empty() {
        check("sharing", Standing::Ok, format!("{} tasks at a time", status.slots_total), None)
    } else {
        check("sharing", Standing::Warning, status.sharing_note.clone(), Some("see `opensky limits show`"))
    });
    checks.push(match &status.disk_problem {
        None => check("disk", Standing::Ok, format!("{} free", size(status.hardware.disk_free_bytes)), None),
        Some(problem) => {
            check("disk", Standing::Broken, problem.clone(), Some("free some space, then restart the node"))
        }
    });
    checks.push(gpus(status));
    let score = format!("{} million fuel a second on one core", status.hardware.score_per_core);
    checks.push(match status.hardware.score_per_core {
        0 => check("score", Standing::Skipped, "not measured yet".into(), None),
        _ => check("score", Standing::Ok, score, None),
    });
    checks
}

/// GPUs that are there, and whether programs of others can have them.
fn gpus(status: &Status) -> Check {
    let models: Vec<&str> = status.hardware.gpus.iter().map(|gpu| gpu.model.as_str()).collect();
    let shared = status.offer.as_ref().map_or(&[][..], |offer| &offer.containers.gpus);
    match models.as_slice() {
        [] => check("gpu", Standing::Ok, "none found".to_owned(), None),
        models if shared.is_empty() => {
            let hint = "programs of others get one with `opensky limits set --gpus 1`";
            check("gpu", Standing::Ok, format!("{}; none is shared", models.join(", ")), Some(hint))
        }
        models => {
            let of = |place: &u8| models.get(usize::from(*place)).copied();
            let shared: Vec<&str> = shared.iter().filter_map(of).collect();
            check("gpu", Standing::Ok, format!("{}; shared: {}", models.join(", "), shared.join(", ")), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::describe;
    use opensky_machine::{Interface, InterfaceKind};

    #[test]
    fn interfaces_are_named_with_what_they_lead_to() {
        let interface = |name: &str, kind, address: [u8; 4]| Interface {
            name: name.into(),
            kind,
            addresses: vec![address.into()],
        };
        let all = [
            interface("docker0", InterfaceKind::Containers, [172, 17, 0, 1]),
            interface("eth0", InterfaceKind::Network, [192, 0, 2, 2]),
        ];
        assert_eq!(describe(&all), "searched on docker0 172.17.0.1 (containers), eth0 192.0.2.2");
        assert_eq!(describe(&[]), "no interface has an address");
    }
}
