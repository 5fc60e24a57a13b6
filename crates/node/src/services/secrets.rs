//! Secrets of services: sealed when this node declares them, opened when it runs a replica.

use super::owning::DeclareError;
use crate::node::Node;
use opensky_identity::sealing;
use opensky_types::{
    Micros, NodeId, ServiceId, Timestamp,
    service::{Declaration, InvalidService, READERS_MAX, Secret, SecretValue, ServiceSpec, check_given},
    task::Failure,
};

/// A secret of a service to declare.
#[derive(Debug, Clone)]
pub struct GivenSecret {
    /// How the program finds it.
    pub secret: Secret,
    /// What it is; none: what it is already.
    pub value: Option<SecretValue>,
}

impl Node {
    /// The spec with secrets that only those who may run it can read. What is the same as before stays sealed as it
    /// is, so that nothing starts again for it.
    pub(super) fn with_secrets(
        &self,
        now: Timestamp,
        spec: ServiceSpec,
        given: Vec<GivenSecret>,
    ) -> Result<ServiceSpec, DeclareError> {
        if given.is_empty() {
            return Ok(spec);
        }
        let service = ServiceId::of(&self.own, &spec.name);
        let scope = (self.membership.genesis().sky(), service);
        let current = self.services.keeper.declared(service).and_then(|(_, declared)| declared.spec.as_ref());
        let before = current.and_then(|spec| Some((spec, spec.secrets.as_ref()?)));
        let opened = match before {
            Some((_, sealed)) => sealing::open(&self.key, scope, sealed).unwrap_or_default(),
            None => Vec::new(),
        };
        let known = before.map(|(_, sealed)| sealed.given.as_slice()).unwrap_or_default();
        let secrets = filled(given, known.iter().zip(&opened))?;
        if let Some((current, sealed)) = before {
            let is_same = secrets.iter().map(|(secret, _)| secret).eq(&sealed.given)
                && secrets.iter().map(|(_, value)| value).eq(&opened);
            let kept = ServiceSpec { secrets: Some(sealed.clone()), ..spec.clone() };
            if is_same && kept.runs_like(current) {
                return Ok(kept);
            }
        }
        let readers = self.readers_for(now, &spec)?;
        let sealed = sealing::seal(scope, secrets, &readers, self.clock.random())?;
        let spec = ServiceSpec { secrets: Some(sealed), ..spec };
        spec.validate()?;
        Ok(spec)
    }

    /// Who can read the secrets of a service: this node, and the nodes that its owner named, or else all that fit.
    fn readers_for(&self, now: Timestamp, spec: &ServiceSpec) -> Result<Vec<NodeId>, DeclareError> {
        let named = &spec.constraints.peers;
        let hosts: Vec<NodeId> = if named.is_empty() {
            let mut demand = spec.demand();
            demand.constraints.price_per_gfuel_max = Some(Micros::ZERO);
            let seed = u64::from_le_bytes(self.clock.random()[..8].try_into().expect("eight bytes"));
            let found = self.market.find(now, &demand, READERS_MAX - 1, &[], seed);
            found.ranked.into_iter().chain(found.busy).map(|found| found.node).collect()
        } else {
            named.iter().filter(|node| !spec.constraints.peers_excluded.contains(node)).copied().collect()
        };
        let mut readers = vec![self.own];
        for node in hosts {
            if !readers.contains(&node) {
                readers.push(node);
            }
        }
        if !named.is_empty() && readers.len() > READERS_MAX {
            let problem = format!("at most {READERS_MAX} nodes can read them; name fewer");
            return Err(InvalidService { field: "secrets", problem }.into());
        }
        readers.truncate(READERS_MAX);
        Ok(readers)
    }

    /// What the program of a replica is given.
    pub(super) fn opened_secrets(
        &self,
        declaration: &Declaration,
        spec: &ServiceSpec,
    ) -> Result<Vec<(Secret, SecretValue)>, Failure> {
        let Some(sealed) = &spec.secrets else { return Ok(Vec::new()) };
        let opened = sealing::open(&self.key, (declaration.sky, declaration.service()), sealed);
        let opened = opened.map_err(|error| Failure::InvalidProgram { message: error.to_string() })?;
        Ok(sealed.given.iter().cloned().zip(opened).collect())
    }
}

/// Each secret with its value: the one that is given, or the one that it has.
fn filled<'a>(
    given: Vec<GivenSecret>,
    known: impl Iterator<Item = (&'a Secret, &'a SecretValue)> + Clone,
) -> Result<Vec<(Secret, SecretValue)>, DeclareError> {
    let names: Vec<Secret> = given.iter().map(|given| given.secret.clone()).collect();
    check_given(&names)?;
    let fill = |GivenSecret { secret, value }: GivenSecret| {
        let of_name = || known.clone().find(|(known, _)| known.name == secret.name);
        let Some(value) = value.or_else(|| of_name().map(|(_, value)| value.clone())) else {
            return Err(DeclareError::SecretMissing(secret.name));
        };
        // The kernel ends variables at a zero byte.
        if secret.env.is_some() && value.expose().contains(&0) {
            let problem = format!("'{}' has a zero byte, which no variable can hold", secret.name);
            return Err(InvalidService { field: "secrets", problem }.into());
        }
        Ok((secret, value))
    };
    given.into_iter().map(fill).collect()
}
