//! Services: what owners, keepers and hosts sign holds for exactly that, and nothing else is a service.

use opensky_types::{
    Hash, Keypair, NodeId, ServiceId, Signable, Signed, Timestamp, codec,
    job::CALL_BYTES_MAX,
    place::Level,
    samples,
    service::{
        Advert, CPU_CORES_MAX, ClaimError, Declaration, Declared, Earlier, HealthCheck, KEEPERS_MAX,
        LINKS_MAX, Load, NAME_CHARS_MAX, PORTS_MAX, Placement, Probe, REPLICAS_MAX, ReplicaId, ReplicaState,
        Scale, ServiceRef, ServiceSpec, check_name,
    },
};

fn sky() -> Hash {
    samples::declaration().sky
}

/// Each change alone makes the signed bytes others: none is left out of what is signed.
fn assert_all_bound<T: Signable>(value: impl Fn() -> T, changes: &[fn(&mut T)]) {
    let hash = |value: &T| Signed::sign(value, &samples::consumer()).content_hash();
    let changed = |change: &fn(&mut T)| {
        let mut value = value();
        change(&mut value);
        hash(&value)
    };
    let mut hashes: Vec<Hash> = changes.iter().map(changed).collect();
    hashes.push(hash(&value()));
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), changes.len() + 1);
}

#[test]
fn c10_l6_every_field_of_a_declaration_is_bound_by_its_signature() {
    assert_all_bound(
        samples::declaration,
        &[
            |value| value.sky = Hash::of(b"another"),
            |value| value.owner = samples::node(9),
            |value| value.name.push('x'),
            |value| value.revision += 1,
            |value| value.made_at = value.made_at.plus_ms(1),
            |value| value.keepers.reverse(),
            |value| value.keepers.truncate(1),
            |value| value.ports.push(8_080),
            |value| value.spec = None,
            |value| value.spec = Some(Hash::of(b"another")),
            |value| value.fallback = None,
            |value| value.fallback = Some(Earlier { revision: 0, ..value.fallback.expect("it has one") }),
            |value| {
                value.fallback =
                    Some(Earlier { spec: Hash::of(b"another"), ..value.fallback.expect("it has one") });
            },
        ],
    );
}

#[test]
fn c10_l6_every_field_of_a_placement_is_bound_by_its_signature() {
    assert_all_bound(
        samples::placement,
        &[
            |value| value.sky = Hash::of(b"another"),
            |value| value.replica.service = ServiceId::of(&samples::node(9), "web"),
            |value| value.replica.slot += 1,
            |value| value.replica.generation += 1,
            |value| value.revision += 1,
            |value| value.node = samples::node(9),
            |value| value.expires_at = value.expires_at.plus_ms(1),
        ],
    );
}

#[test]
fn c10_l6_every_field_of_an_advert_is_bound_by_its_signature() {
    assert_all_bound(
        samples::advert,
        &[
            |value| value.declaration = Signed::sign(&samples::declaration(), &samples::keypair(9)),
            |value| value.placement = Signed::sign(&samples::placement(), &samples::keypair(9)),
            |value| value.sequence += 1,
            |value| value.state = ReplicaState::Leaving,
            |value| value.expires_at = value.expires_at.plus_ms(1),
        ],
    );
}

#[test]
fn c10_every_field_of_a_spec_is_in_its_hash() {
    let changes: [fn(&mut ServiceSpec); 37] = [
        |spec| spec.name.push('x'),
        |spec| spec.program.hash = Hash::of(b"another"),
        |spec| spec.program.args.push("x".into()),
        |spec| spec.program.env.clear(),
        |spec| spec.ports.truncate(1),
        |spec| spec.links[0].host.push('x'),
        |spec| spec.links[0].service.owner = None,
        |spec| spec.links[0].port += 1,
        |spec| spec.health = None,
        |spec| spec.health.as_mut().expect("it has one").probe = Probe::Tcp { port: 80 },
        |spec| spec.health.as_mut().expect("it has one").interval_ms += 1,
        |spec| spec.health.as_mut().expect("it has one").timeout_ms += 1,
        |spec| spec.health.as_mut().expect("it has one").failures_max += 1,
        |spec| spec.health.as_mut().expect("it has one").start_ms += 1,
        |spec| spec.replicas += 1,
        |spec| spec.limits.memory_bytes += 1,
        |spec| spec.limits.scratch_bytes += 1,
        |spec| spec.limits.cpu_cores += 1,
        |spec| spec.constraints.regions.clear(),
        |spec| spec.restart = opensky_types::service::Restart::Never,
        |spec| spec.update.parallel += 1,
        |spec| spec.update.healthy_ms += 1,
        |spec| spec.update.rollback = false,
        |spec| spec.stop_ms += 1,
        |spec| spec.idle_ms = Some(1_000),
        |spec| spec.scale = None,
        |spec| spec.scale.as_mut().expect("it has one").min += 1,
        |spec| spec.scale.as_mut().expect("it has one").max += 1,
        |spec| spec.scale.as_mut().expect("it has one").target = Load::Cpu { percent: 50 },
        |spec| spec.secrets = None,
        |spec| spec.secrets.as_mut().expect("it has some").given[0].name.push('x'),
        |spec| spec.secrets.as_mut().expect("it has some").given[0].is_file = false,
        |spec| spec.secrets.as_mut().expect("it has some").given[0].env = None,
        |spec| spec.secrets.as_mut().expect("it has some").readers.reverse(),
        |spec| spec.secrets.as_mut().expect("it has some").readers[0].exchange[0] ^= 1,
        |spec| spec.secrets.as_mut().expect("it has some").readers[0].key[0] ^= 1,
        |spec| spec.secrets.as_mut().expect("it has some").sealed[0] ^= 1,
    ];
    let mut hashes = vec![samples::service().hash()];
    for change in changes {
        let mut spec = samples::service();
        change(&mut spec);
        hashes.push(spec.hash());
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), changes.len() + 1);
}

fn declared_by(key: &Keypair, change: impl FnOnce(&mut Declaration)) -> Signed<Declaration> {
    let mut declaration = samples::declaration();
    change(&mut declaration);
    Signed::sign(&declaration, key)
}

#[test]
fn c10_a_declaration_counts_from_its_owner_in_its_sky_and_if_it_is_sound() {
    let owner = samples::consumer();
    assert_eq!(declared_by(&owner, |_| {}).check(sky()), Ok(samples::declaration()));
    let unsound = |signed: &Signed<Declaration>| assert_eq!(signed.check(sky()), Err(ClaimError::Unsound));
    unsound(&declared_by(&samples::keypair(9), |_| {}));
    unsound(&declared_by(&owner, |value| value.owner = samples::node(9)));
    unsound(&declared_by(&owner, |value| value.sky = Hash::of(b"another")));
    unsound(&declared_by(&owner, |value| value.name = "No Name".into()));
    unsound(&declared_by(&owner, |value| value.revision = 0));
    unsound(&declared_by(&owner, |value| value.keepers.clear()));
    unsound(&declared_by(&owner, |value| {
        value.keepers = (0..=KEEPERS_MAX as u8).map(samples::node).collect()
    }));
    unsound(&declared_by(&owner, |value| value.ports = vec![1; PORTS_MAX + 1]));
    unsound(&declared_by(&owner, |value| value.revision = 1));
}

#[test]
fn c10_a_declaration_comes_with_exactly_the_specs_that_it_names() {
    let whole = samples::declared();
    assert_eq!(whole.check(sky()), Ok(samples::declaration()));
    let changes: [fn(&mut Declared); 8] = [
        |declared| declared.spec = None,
        |declared| declared.fallback = None,
        |declared| std::mem::swap(&mut declared.spec, &mut declared.fallback),
        |declared| declared.spec.as_mut().expect("it has one").replicas += 1,
        |declared| declared.fallback.as_mut().expect("it has one").replicas += 1,
        |declared| declared.fallback = declared.spec.clone(),
        |declared| {
            declared.declaration = declared_by(&samples::consumer(), |value| value.name = "other".into())
        },
        |declared| declared.declaration = declared_by(&samples::consumer(), |value| value.ports.clear()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut declared = whole.clone();
        change(&mut declared);
        assert_eq!(declared.check(sky()), Err(ClaimError::Unsound), "change {number}");
    }
    // A spec that is named and no service is none.
    let spec = ServiceSpec { replicas: 0, ..samples::service() };
    let declaration = declared_by(&samples::consumer(), |value| value.spec = Some(spec.hash()));
    let declared = Declared { declaration, spec: Some(spec), ..whole };
    assert_eq!(declared.check(sky()), Err(ClaimError::Unsound));
}

#[test]
fn c10_a_removed_service_has_no_spec() {
    let removed = |value: &mut Declaration| (value.spec, value.fallback) = (None, None);
    let declaration = declared_by(&samples::consumer(), removed);
    let declared = Declared { declaration: declaration.clone(), spec: None, fallback: None };
    assert!(declared.check(sky()).is_ok());
    let with_spec = Declared { declaration, spec: Some(samples::service()), fallback: None };
    assert_eq!(with_spec.check(sky()), Err(ClaimError::Unsound));
}

#[test]
fn c10_a_revision_has_its_spec() {
    let (declared, declaration) = (samples::declared(), samples::declaration());
    assert_eq!(declared.spec_of(&declaration, 2), Some(&samples::service()));
    assert_eq!(declared.spec_of(&declaration, 1), Some(&samples::earlier_service()));
    assert_eq!(declared.spec_of(&declaration, 3), None);
    assert_eq!(declared.spec_of(&declaration, 0), None);
}

fn placed_by(key: &Keypair, change: impl FnOnce(&mut Placement)) -> Signed<Placement> {
    let mut placement = samples::placement();
    change(&mut placement);
    Signed::sign(&placement, key)
}

#[test]
fn c10_a_placement_counts_from_a_keeper_for_its_service() {
    let declaration = samples::declaration();
    assert_eq!(samples::signed_placement().check(&declaration), Ok(samples::placement()));
    assert!(placed_by(&samples::keypair(5), |_| {}).check(&declaration).is_ok(), "the second keeper");
    for stranger in [samples::keypair(9), samples::provider(), samples::consumer()] {
        let refused = Err(ClaimError::NotKeeper { node: stranger.id() });
        assert_eq!(placed_by(&stranger, |_| {}).check(&declaration), refused);
    }
    let another = |value: &mut Placement| value.replica.service = ServiceId::of(&samples::node(9), "web");
    assert_eq!(placed_by(&samples::keeper(), another).check(&declaration), Err(ClaimError::Unsound));
    let another = |value: &mut Placement| value.sky = Hash::of(b"another");
    assert_eq!(placed_by(&samples::keeper(), another).check(&declaration), Err(ClaimError::Unsound));
}

fn advert_by(key: &Keypair, change: impl FnOnce(&mut Advert)) -> Signed<Advert> {
    let mut advert = samples::advert();
    change(&mut advert);
    Signed::sign(&advert, key)
}

#[test]
fn c10_an_advert_counts_from_the_node_that_a_keeper_chose() {
    let host = samples::provider();
    let (advert, declaration, placement) = advert_by(&host, |_| {}).check(sky()).expect("it is right");
    assert_eq!((advert, declaration), (samples::advert(), samples::declaration()));
    assert_eq!(placement, samples::placement());
    let unsound = |signed: &Signed<Advert>| assert_eq!(signed.check(sky()), Err(ClaimError::Unsound));
    unsound(&advert_by(&samples::keypair(9), |_| {}));
    unsound(&advert_by(&samples::keeper(), |_| {}));
    assert_eq!(advert_by(&host, |_| {}).check(Hash::of(b"another")), Err(ClaimError::Unsound));
    // Of a revision that its declaration does not name.
    for revision in [0, 3, u64::MAX] {
        let placement = placed_by(&samples::keeper(), |value| value.revision = revision);
        unsound(&advert_by(&host, |value| value.placement = placement));
    }
    let placement = placed_by(&samples::keeper(), |value| value.revision = 1);
    assert!(advert_by(&host, |value| value.placement = placement).check(sky()).is_ok(), "the fallback");
    let placement = placed_by(&host, |_| {});
    let refused = Err(ClaimError::NotKeeper { node: host.id() });
    assert_eq!(advert_by(&host, |value| value.placement = placement).check(sky()), refused);
    // Its own declaration, in which it is the keeper, is of another service.
    let own = declared_by(&host, |value| (value.owner, value.keepers) = (host.id(), vec![host.id()]));
    let placement = placed_by(&host, |_| {});
    unsound(&advert_by(&host, |value| (value.declaration, value.placement) = (own, placement)));
}

fn changed(change: impl FnOnce(&mut ServiceSpec)) -> Result<(), &'static str> {
    let mut spec = samples::service();
    change(&mut spec);
    spec.validate().map_err(|invalid| invalid.field)
}

fn health(change: impl FnOnce(&mut HealthCheck)) -> Result<(), &'static str> {
    changed(|spec| change(spec.health.as_mut().expect("it has one")))
}

#[test]
fn c10_a_component_has_one_port_and_reaches_nothing() {
    let component = |change: fn(&mut ServiceSpec)| {
        changed(|spec| {
            (spec.program.level, spec.ports, spec.idle_ms) = (Level::Vm, vec![80], Some(1_000));
            (spec.links, spec.health, spec.volumes) = (Vec::new(), None, None);
            spec.secrets.as_mut().expect("it has some").given[0].is_file = false;
            change(spec);
        })
    };
    assert_eq!(component(|_| {}), Ok(()));
    assert_eq!(component(|spec| spec.ports = vec![80, 81]), Err("ports"));
    assert_eq!(component(|spec| spec.links = samples::service().links), Err("links"));
    assert_eq!(component(|spec| spec.health = samples::service().health), Err("health"));
    assert_eq!(component(|spec| spec.volumes = samples::service().volumes), Err("volumes"));
    assert_eq!(component(|spec| spec.idle_ms = Some(99)), Err("idle"));
    assert_eq!(component(|spec| spec.secrets = samples::service().secrets), Err("secrets"));
}

#[test]
fn c10_a_spec_is_checked_field_by_field() {
    assert_eq!(changed(|_| {}), Ok(()));
    assert_eq!(changed(|spec| spec.name = "-".into()), Err("name"));
    assert_eq!(changed(|spec| spec.program.level = Level::Function), Err("program"));
    assert_eq!(changed(|spec| spec.idle_ms = Some(1_000)), Err("idle"), "images stay up");
    let text = |bytes: usize| "x".repeat(bytes);
    assert_eq!(changed(|spec| spec.program.args = vec![text(CALL_BYTES_MAX)]), Err("args"));
    assert_eq!(changed(|spec| spec.program.env = vec![(text(CALL_BYTES_MAX), text(0))]), Err("args"));
    assert_eq!(changed(|spec| spec.ports = vec![80, 0]), Err("ports"));
    assert_eq!(changed(|spec| spec.ports = vec![80, 443, 80]), Err("ports"));
    assert_eq!(changed(|spec| spec.ports = (80..=80 + PORTS_MAX as u16).collect()), Err("ports"));
    assert_eq!(changed(|spec| spec.ports = (80..80 + PORTS_MAX as u16).collect()), Ok(()));
    assert_eq!(changed(|spec| (spec.ports, spec.health) = (Vec::new(), None)), Ok(()));
    let links = |count: usize| {
        move |spec: &mut ServiceSpec| {
            let link = |number: usize| opensky_types::service::Link {
                port: number as u16 + 1,
                ..samples::service().links[0].clone()
            };
            spec.links = (0..count).map(link).collect();
        }
    };
    assert_eq!(changed(links(LINKS_MAX)), Ok(()));
    assert_eq!(changed(links(LINKS_MAX + 1)), Err("links"));
    assert_eq!(changed(|spec| spec.links[0].host = "no host".into()), Err("links"));
    assert_eq!(changed(|spec| spec.links[0].port = 0), Err("links"));
    assert_eq!(changed(|spec| spec.links.push(spec.links[0].clone())), Err("links"));
    for (replicas, expected) in
        [(0, Err("replicas")), (1, Ok(())), (REPLICAS_MAX, Ok(())), (REPLICAS_MAX + 1, Err("replicas"))]
    {
        assert_eq!(changed(|spec| (spec.replicas, spec.scale) = (replicas, None)), expected);
    }
    for (min, max, expected) in [
        (1, 3, Ok(())),
        (3, REPLICAS_MAX, Ok(())),
        (0, 3, Err("scale")),
        (4, 5, Err("scale")),
        (1, 2, Err("scale")),
        (1, REPLICAS_MAX + 1, Err("scale")),
    ] {
        let target = Load::Connections { count: 1 };
        assert_eq!(changed(|spec| spec.scale = Some(Scale { min, max, target })), expected);
    }
    for target in [Load::Connections { count: 0 }, Load::Cpu { percent: 0 }, Load::Cpu { percent: 101 }] {
        assert_eq!(changed(|spec| spec.scale.as_mut().expect("it has one").target = target), Err("scale"));
    }
    for (cores, expected) in [(0, Err("cpu")), (CPU_CORES_MAX, Ok(())), (CPU_CORES_MAX + 1, Err("cpu"))] {
        assert_eq!(changed(|spec| spec.limits.cpu_cores = cores), expected);
    }
    assert_eq!(changed(|spec| spec.update.parallel = 0), Err("update"));
    let day_ms = 86_400_000;
    for (healthy_ms, expected) in
        [(0, Err("update")), (1, Ok(())), (day_ms, Ok(())), (day_ms + 1, Err("update"))]
    {
        assert_eq!(changed(|spec| spec.update.healthy_ms = healthy_ms), expected);
    }
    assert_eq!(changed(|spec| spec.stop_ms = 0), Ok(()));
    assert_eq!(changed(|spec| spec.stop_ms = day_ms + 1), Err("stop"));
}

#[test]
fn c10_a_health_check_is_checked_too() {
    assert_eq!(changed(|spec| spec.health = None), Ok(()));
    let path = |path: &str| Probe::Http { port: 80, path: path.into() };
    let command = |args: &[&str]| Probe::Command { args: args.iter().map(|arg| (*arg).into()).collect() };
    let bad = [
        Probe::Tcp { port: 81 },
        Probe::Http { port: 81, path: "/".into() },
        path(""),
        path("health"),
        path("/a b"),
        path("/\r\nHost: x"),
        path("/ü"),
        path(&format!("/{}", "x".repeat(1_024))),
        command(&[]),
        command(&[&"x".repeat(4_097)]),
    ];
    for probe in bad {
        assert_eq!(health(|check| check.probe = probe.clone()), Err("health"), "{probe:?}");
    }
    for probe in [Probe::Tcp { port: 443 }, path("/?a=b#c"), command(&["true"])] {
        assert_eq!(health(|check| check.probe = probe.clone()), Ok(()), "{probe:?}");
    }
    let day_ms = 86_400_000;
    for (ms, expected) in
        [(0, Err("health")), (99, Err("health")), (100, Ok(())), (day_ms + 1, Err("health"))]
    {
        assert_eq!(health(|check| check.interval_ms = ms), expected);
        assert_eq!(health(|check| check.timeout_ms = ms), expected);
    }
    assert_eq!(health(|check| check.start_ms = 0), Ok(()));
    assert_eq!(health(|check| check.start_ms = day_ms + 1), Err("health"));
    assert_eq!(health(|check| check.failures_max = 0), Err("health"));
}

#[test]
fn c10_names_are_labels_of_dns() {
    let longest = "x".repeat(NAME_CHARS_MAX);
    for good in ["a", "web", "web-2", "0", "a--b", &longest] {
        assert!(check_name(good).is_ok(), "{good}");
    }
    let too_long = "x".repeat(NAME_CHARS_MAX + 1);
    for bad in ["", "-", "-a", "a-", "Web", "a.b", "a_b", "a b", "a\n", "ü", "a@b", &too_long] {
        assert!(check_name(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn c10_ids_and_references_are_read_as_they_are_written() {
    let replica = ReplicaId { generation: u64::MAX, slot: u16::MAX, ..samples::replica() };
    for replica in [samples::replica(), replica] {
        assert_eq!(replica.to_string().parse(), Ok(replica));
        let json = serde_json::to_string(&replica).expect("it has a text");
        assert_eq!(serde_json::from_str::<ReplicaId>(&json).expect("it is read back"), replica);
    }
    let service = samples::declaration().service();
    assert_eq!(service.to_string().parse(), Ok(service));
    for bad in
        ["", "x", "0.0", &format!("{service}.0"), &format!("{service}.+1.0"), &format!("{service}.0.01")]
    {
        assert!(bad.parse::<ReplicaId>().is_err(), "{bad}");
    }
    for bad in [format!("{service}.65536.0"), format!("{service}.0.0.0"), format!("{service}.0.-1")] {
        assert!(bad.parse::<ReplicaId>().is_err(), "{bad}");
    }
    let of_node: NodeId = samples::node(9);
    let reference = ServiceRef { name: "web".into(), owner: Some(of_node) };
    assert_eq!(reference.to_string().parse(), Ok(reference));
    assert_eq!("web".parse(), Ok(ServiceRef { name: "web".into(), owner: None }));
    for bad in ["", "@", "web@", "web@x", "Web", &format!("@{of_node}")] {
        assert!(bad.parse::<ServiceRef>().is_err(), "{bad}");
    }
}

#[test]
fn c10_services_of_two_owners_and_two_names_are_two() {
    let ids =
        [(3, "web"), (4, "web"), (3, "db")].map(|(owner, name)| ServiceId::of(&samples::node(owner), name));
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
}

/// What is allowed also fits what readers accept.
#[test]
fn c10_the_largest_declaration_and_advert_fit() {
    let owner = samples::consumer();
    let largest = declared_by(&owner, |value| {
        value.name = "x".repeat(NAME_CHARS_MAX);
        value.keepers = (10..10 + KEEPERS_MAX as u8).map(samples::node).collect();
        value.ports = (1..=PORTS_MAX as u16).collect();
        value.revision = u64::MAX;
        value.made_at = Timestamp::from_millis(u64::MAX);
    });
    let declaration = largest.check(sky()).expect("it is sound");
    let placement = Placement {
        replica: ReplicaId { service: declaration.service(), ..samples::replica() },
        revision: u64::MAX,
        ..samples::placement()
    };
    let placement = Signed::sign(&placement, &samples::keypair(10));
    let advert =
        advert_by(&samples::provider(), |value| (value.declaration, value.placement) = (largest, placement));
    assert!(advert.check(sky()).is_ok());
    assert!(codec::encode(&advert).len() < 2_048);
}

#[test]
fn c10_states_that_take_connections() {
    let answering: Vec<&str> =
        ReplicaState::ALL.iter().filter(|state| state.answers()).map(|state| state.as_str()).collect();
    assert_eq!(answering, ["healthy", "moving"]);
}
