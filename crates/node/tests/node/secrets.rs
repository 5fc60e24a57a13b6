//! Secrets of services over whole nodes: read by who runs the service, and by nobody else.

use crate::support::{Sky, TestNode, service_spec, until};
use opensky_node::{DeclareError, Declaring, GivenSecret, Handle, ServiceState};
use opensky_ports::{
    Record,
    testing::{FakeExecutor, FakeServices},
};
use opensky_types::{
    NodeId,
    offer::Constraints,
    service::{Secret, SecretValue, ServiceRef, ServiceSpec},
};
use std::time::Duration;

const PASSWORD: &str = "open sesame";

async fn sky(nodes: u8) -> Sky {
    Sky::new(nodes, |_| FakeExecutor::echo().with_containers()).await
}

fn spec(sky: &Sky, replicas: u16) -> ServiceSpec {
    service_spec(sky, 0, "web", "hello", replicas)
}

/// The service on these nodes alone, with this password; none: with the one that it has.
fn with_password(spec: ServiceSpec, nodes: &[NodeId], password: Option<&str>) -> Declaring {
    let secret = Secret { name: "password".into(), is_file: true, env: Some("PASSWORD".into()) };
    let value = password.map(|password| SecretValue::new(password.as_bytes().to_vec()));
    let constraints = Constraints { peers: nodes.to_vec(), ..spec.constraints.clone() };
    let spec = ServiceSpec { constraints, ..spec };
    Declaring { secrets: vec![GivenSecret { secret, value }], ..spec.into() }
}

fn web() -> ServiceRef {
    ServiceRef { name: "web".into(), owner: None }
}

async fn until_healthy(handle: &Handle, revision: u64) {
    until(|| async {
        let view = handle.service(web()).await;
        view.is_ok_and(|view| {
            let whole = view.replicas.iter().filter(|replica| replica.is_wanted && !replica.is_lost).count();
            let wanted = view.spec.as_ref().map_or(0, |spec| spec.replicas);
            view.state == ServiceState::Healthy && view.wanted == revision && whole >= wanted.into()
        })
    })
    .await;
}

/// The passwords with which programs were started on a node, oldest first.
fn passwords(services: &FakeServices) -> Vec<String> {
    let started = services.started().into_iter();
    let given = started.flat_map(|run| run.secrets);
    given.map(|(_, value)| String::from_utf8_lossy(value.expose()).into_owned()).collect()
}

fn mentions(node: &TestNode, text: &str) -> bool {
    let in_bytes = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    node.journal.records().iter().any(|record| match record {
        Record::Setting { value, .. } => in_bytes(value),
        other => format!("{other:?}").contains(text),
    })
}

#[tokio::test(start_paused = true)]
async fn k1_only_hosts_get_a_services_secrets() {
    let sky = sky(5).await;
    let owner = &sky.nodes[0].handle;
    let hosts = [sky.id(1), sky.id(2)];
    owner
        .declare_service(with_password(spec(&sky, 2), &hosts, Some(PASSWORD)))
        .await
        .expect("it is declared");
    until_healthy(owner, 1).await;
    // Keepers hear of it meanwhile.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for (index, node) in sky.nodes.iter().enumerate() {
        let expected: &[&str] = if index == 1 || index == 2 { &[PASSWORD] } else { &[] };
        assert_eq!(passwords(&node.services), expected, "node {index}");
        let keeps = node.journal.records().iter().any(
            |record| matches!(record, Record::Setting { name, value } if name.starts_with("service/") && !value.is_empty()),
        );
        assert!(keeps, "node {index} keeps it, on its disk");
        assert!(!mentions(node, PASSWORD), "node {index} has the password in the clear");
    }
    let view = owner.service(web()).await.expect("it is known");
    assert!(!format!("{view:?}").contains(PASSWORD));
    let readers: Vec<NodeId> = view
        .spec
        .and_then(|spec| spec.secrets)
        .expect("it has some")
        .readers
        .iter()
        .map(|r| r.node)
        .collect();
    assert_eq!(readers, [sky.id(0), sky.id(1), sky.id(2)]);
}

#[tokio::test(start_paused = true)]
async fn k1_another_reader_takes_over_while_the_owner_is_away() {
    let mut sky = sky(5).await;
    let hosts = [sky.id(1), sky.id(2)];
    let spec = spec(&sky, 1);
    sky.nodes[0].handle.declare_service(with_password(spec, &hosts, Some(PASSWORD))).await.expect("declared");
    until_healthy(&sky.nodes[0].handle, 1).await;
    // Keepers have the image before their owner goes.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (first, second) = if passwords(&sky.nodes[1].services).is_empty() { (2, 1) } else { (1, 2) };
    let second = sky.nodes[second].services.clone();
    sky.kill(first);
    sky.kill(0);
    until(|| async { passwords(&second) == [PASSWORD] }).await;
}

#[tokio::test(start_paused = true)]
async fn k1_with_no_node_named_those_that_fit_can_read() {
    let sky = sky(3).await;
    let owner = &sky.nodes[0].handle;
    owner.declare_service(with_password(spec(&sky, 3), &[], Some(PASSWORD))).await.expect("it is declared");
    until_healthy(owner, 1).await;
    for node in &sky.nodes {
        assert_eq!(passwords(&node.services), [PASSWORD]);
        assert!(!mentions(node, PASSWORD));
    }
}

#[tokio::test(start_paused = true)]
async fn c10_an_update_brings_a_new_secret_and_what_stays_starts_nothing() {
    let sky = sky(3).await;
    let owner = &sky.nodes[0].handle;
    let hosts = [sky.id(1)];
    let declare = async |replicas, password| {
        let declaring = with_password(spec(&sky, replicas), &hosts, password);
        owner.declare_service(declaring).await.expect("it is declared").1
    };
    let given = || passwords(&sky.nodes[1].services);
    assert_eq!(declare(1, Some(PASSWORD)).await, 1);
    until_healthy(owner, 1).await;
    // The same again, with its value or without: nothing new.
    assert_eq!(declare(1, Some(PASSWORD)).await, 1);
    assert_eq!(declare(1, None).await, 1);
    // More replicas: the first goes on.
    assert_eq!(declare(2, None).await, 2);
    until_healthy(owner, 2).await;
    assert_eq!(given(), [PASSWORD, PASSWORD]);
    assert_eq!(declare(2, Some("a new one")).await, 3);
    until_healthy(owner, 3).await;
    assert_eq!(given(), [PASSWORD, PASSWORD, "a new one", "a new one"]);
    let (_, revision) = owner.roll_back_service("web".into()).await.expect("there was one before");
    until_healthy(owner, revision).await;
    assert_eq!(given()[4..], [PASSWORD, PASSWORD], "what is gone back to has the secrets of then");
}

#[tokio::test(start_paused = true)]
async fn c10_a_secret_without_a_value_is_refused_and_nothing_is_declared() {
    let sky = sky(2).await;
    let owner = &sky.nodes[0].handle;
    let declared = owner.declare_service(with_password(spec(&sky, 1), &[], None)).await;
    assert!(matches!(declared, Err(DeclareError::SecretMissing(name)) if name == "password"));
    let declared = owner.declare_service(with_password(spec(&sky, 1), &[], Some("a\0b"))).await;
    assert!(matches!(declared, Err(DeclareError::Invalid(_))), "no variable holds a zero byte");
    assert!(owner.service(web()).await.is_err(), "nothing is declared");
}

#[tokio::test(start_paused = true)]
async fn c10_a_declaration_counts_only_after_the_revision_that_it_rests_on() {
    let sky = sky(2).await;
    let owner = &sky.nodes[0].handle;
    let after = |after| Declaring { after: Some(after), ..spec(&sky, 1).into() };
    assert!(matches!(owner.declare_service(after(1)).await, Err(DeclareError::Changed { revision: 0 })));
    assert_eq!(owner.declare_service(after(0)).await.expect("it is the first").1, 1);
    assert!(matches!(owner.declare_service(after(0)).await, Err(DeclareError::Changed { revision: 1 })));
    assert_eq!(owner.declare_service(after(1)).await.expect("nobody was faster").1, 2);
}
