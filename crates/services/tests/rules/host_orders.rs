//! What a host does for whom.

use crate::bench::{Bench, NOW, checked, declare, declared, place, replica, room, sky, spec};
use opensky_services::{Capacity, HostEffect, HostInput, Taken};
use opensky_types::{
    Hash, ServiceId, Signed,
    job::{GpuNeed, Isolation, Needs, Program},
    offer::ContainerOffer,
    place::Level,
    resources::Gpu,
    samples,
    service::{Declared, Refusal, ReplicaState, Restart, ServiceSpec},
};

#[test]
fn c10_a_placement_counts_only_from_a_keeper_for_this_node_in_time() {
    let whole = declared(1, &checked());
    let refused = |placement, expected| {
        let mut bench = Bench::new();
        assert_eq!(bench.place(&whole, placement), Err(expected));
        assert_eq!(bench.report(), None);
        assert_eq!(bench.effects.len(), 1, "nothing but the answer");
    };
    let keeper = samples::keeper();
    for stranger in [samples::keypair(9), samples::consumer(), samples::provider()] {
        refused(place(&stranger, |_| {}), Refusal::Unsound);
    }
    refused(place(&keeper, |placement| placement.node = samples::node(9)), Refusal::Unsound);
    refused(place(&keeper, |placement| placement.expires_at = NOW), Refusal::Unsound);
    refused(place(&keeper, |placement| placement.sky = Hash::of(b"another")), Refusal::Unsound);
    let another = ServiceId::of(&samples::node(9), "web");
    refused(place(&keeper, |placement| placement.replica.service = another), Refusal::Unsound);
    for revision in [0, 2] {
        refused(place(&keeper, |placement| placement.revision = revision), Refusal::Outdated);
    }
}

#[test]
fn c10_a_placement_is_taken_from_who_signed_it() {
    let mut bench = Bench::new();
    let placement = place(&samples::keeper(), |_| {});
    for other in [samples::node(5), samples::node(9), samples::node(2)] {
        assert_eq!(
            bench.place_from(other, &declared(1, &checked()), placement.clone()),
            Err(Refusal::NotAllowed)
        );
    }
    assert_eq!(bench.place(&declared(1, &checked()), placement), Ok(()));
}

#[test]
fn c10_a_forged_declaration_runs_nothing() {
    let whole = declared(1, &checked());
    let forged = |declared: Declared| {
        let mut bench = Bench::new();
        assert_eq!(bench.place(&declared, place(&samples::keeper(), |_| {})), Err(Refusal::Unsound));
    };
    let mut declaration = whole.declaration.decode_unverified().expect("it is one");
    declaration.keepers = vec![samples::node(9), samples::node(4)];
    let declaration = Signed::sign(&declaration, &samples::keypair(9));
    forged(Declared { declaration, ..whole.clone() });
    let spec = ServiceSpec { program: samples::program(), ..checked() };
    forged(Declared { spec: Some(spec), ..whole.clone() });
    forged(Declared { spec: None, ..whole });
}

#[test]
fn c10_a_fallback_runs_under_its_own_spec() {
    let earlier = ServiceSpec { ports: vec![80], ..checked() };
    let mut whole = declared(2, &checked());
    let mut declaration = whole.declaration.decode_unverified().expect("it is one");
    declaration.fallback.as_mut().expect("it has one").spec = earlier.hash();
    whole.declaration = Signed::sign(&declaration, &samples::consumer());
    whole.fallback = Some(earlier);
    let mut bench = Bench::new();
    assert_eq!(bench.place(&whole, place(&samples::keeper(), |_| {})), Ok(()));
    bench.tell(HostInput::Prepared { replica: replica(0, 1), result: Ok(()) });
    bench.launched(1);
    bench.probed(1, true);
    assert_eq!(bench.host.may_dial(replica(0, 1), 443), Err(Refusal::NoSuchPort));
    assert_eq!(bench.report().expect("it is here").revision, 1);
}

#[test]
fn k1_a_host_runs_only_what_it_can_read_the_secrets_of() {
    let mut secrets = samples::secrets();
    secrets.readers.retain(|reader| reader.node != samples::node(3));
    let spec = ServiceSpec { secrets: Some(secrets.clone()), ..checked() };
    let mut bench = Bench::new();
    assert_eq!(bench.place(&declared(1, &spec), place(&samples::keeper(), |_| {})), Err(Refusal::NoReader));
    secrets.readers[0].node = samples::node(3);
    let spec = ServiceSpec { secrets: Some(secrets), ..checked() };
    assert_eq!(bench.place(&declared(1, &spec), place(&samples::keeper(), |_| {})), Ok(()));
}

#[test]
fn c10_there_has_to_be_room() {
    // The spec takes 2 slots, 64 MiB of memory and 32 MiB of disk.
    let table = [
        (Capacity { is_closed: true, ..room() }, Err(Refusal::Closed)),
        (Capacity { must_end: true, ..room() }, Err(Refusal::Closed)),
        (Capacity { levels: vec![Level::Vm, Level::Function], ..room() }, Err(Refusal::Level)),
        (Capacity { levels: Vec::new(), ..room() }, Err(Refusal::Level)),
        (Capacity { is_free: false, ..room() }, Err(Refusal::Price)),
        (Capacity { slots: 1, ..room() }, Err(Refusal::Full)),
        (Capacity { slots: 2, ..room() }, Ok(())),
        (Capacity { memory_bytes: (64 << 20) - 1, ..room() }, Err(Refusal::Full)),
        (Capacity { memory_bytes: 64 << 20, ..room() }, Ok(())),
        (Capacity { disk_bytes: (32 << 20) - 1, ..room() }, Err(Refusal::Full)),
        (Capacity { disk_bytes: 32 << 20, ..room() }, Ok(())),
        (Capacity::default(), Err(Refusal::Level)),
    ];
    for (capacity, expected) in table {
        let mut bench = Bench::new();
        bench.tell(HostInput::Capacity(capacity.clone()));
        let answer = bench.place(&declared(1, &checked()), place(&samples::keeper(), |_| {}));
        assert_eq!(answer, expected, "{capacity:?}");
    }
    // Before it is told of any room it has none.
    let host = opensky_services::HostConfig::new(sky(), samples::node(3));
    let mut bench = Bench { host: opensky_services::Host::new(host), ..Bench::new() };
    let answer = bench.place(&declared(1, &checked()), place(&samples::keeper(), |_| {}));
    assert_eq!(answer, Err(Refusal::Closed));
}

#[test]
fn c10_replicas_share_the_room() {
    let mut bench = Bench::new();
    let number = |slot| place(&samples::keeper(), |placement| placement.replica = replica(slot, 1));
    for slot in 0..4 {
        assert_eq!(bench.place(&declared(1, &checked()), number(slot)), Ok(()));
        let slots = 2 * (slot + 1);
        let (memory_bytes, disk_bytes) = (u64::from(slots) * (32 << 20), u64::from(slots) * (16 << 20));
        assert!(bench.effects.contains(&HostEffect::Reserve(Taken {
            slots,
            memory_bytes,
            disk_bytes,
            gpus: Vec::new()
        })));
    }
    assert_eq!(bench.place(&declared(1, &checked()), number(4)), Err(Refusal::Full));
    // What leaves has its room until it is gone.
    assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
    assert_eq!(bench.place(&declared(1, &checked()), number(4)), Ok(()), "it had not begun");
}

#[test]
fn c5_c10_each_replica_has_its_own_gpus_until_its_host_takes_them_back() {
    let needs = Needs { gpus: Some(GpuNeed::any(1)), ..Needs::default() };
    let program = Program { needs, ..checked().program };
    let spec = ServiceSpec { program, ..checked() };
    let gpu = Gpu { model: "g".into(), vendor: "nvidia".into(), memory_bytes: None };
    let shared = |gpus: Vec<u8>| {
        let containers = ContainerOffer { gpus, ..ContainerOffer::default() };
        Capacity { containers, gpus: vec![gpu.clone(); 3], ..room() }
    };
    let number = |slot| place(&samples::keeper(), |placement| placement.replica = replica(slot, 1));
    let mut bench = Bench::new();
    assert_eq!(bench.place(&declared(1, &spec), number(0)), Err(Refusal::Needs), "nothing is shared");
    bench.tell(HostInput::Capacity(shared(vec![0, 2])));
    assert_eq!(bench.place(&declared(1, &spec), number(0)), Ok(()));
    assert_eq!(bench.place(&declared(1, &spec), number(1)), Ok(()));
    assert_eq!(bench.place(&declared(1, &spec), number(2)), Err(Refusal::Full), "both are taken");
    assert_eq!([0, 1].map(|slot| bench.host.gpus_of(replica(slot, 1)).to_vec()), [[0], [2]]);
    bench.tell(HostInput::Capacity(shared(vec![0])));
    let reserved = bench.effects.iter().find_map(|effect| match effect {
        HostEffect::Reserve(taken) => Some(taken.gpus.clone()),
        _ => None,
    });
    assert_eq!(reserved, Some(vec![0]), "the one on the other GPU had not begun, and is gone");
}

#[test]
fn c4_c10_what_a_program_needs_has_to_be_there() {
    let needy = samples::needy_program();
    let image = Needs { gpus: None, isolation: Isolation::Gvisor, ..needy.needs.clone() };
    let program = Program { hash: needy.hash, size_bytes: 0, needs: image, ..checked().program };
    let spec = ServiceSpec { program, ..checked() };
    let rich = samples::rich_offer(3).containers;
    let table = [
        (ContainerOffer::default(), Err(Refusal::Needs)),
        (ContainerOffer { registries: Vec::new(), ..rich.clone() }, Err(Refusal::Needs)),
        (ContainerOffer { isolations: Vec::new(), ..rich.clone() }, Err(Refusal::Needs)),
        (ContainerOffer { gpus: Vec::new(), ..rich }, Ok(())),
    ];
    for (containers, expected) in table {
        let mut bench = Bench::new();
        bench.tell(HostInput::Capacity(Capacity { containers, ..room() }));
        assert_eq!(bench.place(&declared(1, &spec), place(&samples::keeper(), |_| {})), expected);
        if expected.is_ok() {
            let has_no_blob = |effect: &HostEffect| matches!(effect, HostEffect::Prepare { blob: None, .. });
            assert!(bench.effects.iter().any(has_no_blob), "its engine takes the image from the registry");
        }
    }
}

#[test]
fn c10_f15_a_placement_that_comes_twice_runs_once() {
    let mut bench = Bench::new();
    let placement = place(&samples::keeper(), |_| {});
    assert_eq!(bench.place(&declared(1, &checked()), placement.clone()), Ok(()));
    for _ in 0..2 {
        assert_eq!(bench.place(&declared(1, &checked()), placement.clone()), Ok(()));
        assert_eq!(bench.effects.len(), 1, "nothing but the answer");
    }
    // The same number for another revision is not the same.
    let other = place(&samples::keeper(), |placement| placement.revision = 2);
    assert_eq!(bench.place(&declared(2, &checked()), other), Err(Refusal::Outdated));
}

#[test]
fn c10_strangers_end_nothing_and_learn_nothing() {
    let mut bench = Bench::running(&spec(Restart::Always));
    for stranger in [samples::node(9), samples::node(3)] {
        assert_eq!(bench.withdraw(stranger), Err(Refusal::NotAllowed));
        assert_eq!(bench.ask_report(stranger, Vec::new()), Err(Refusal::NotAllowed));
        assert_eq!(bench.host.may_read(replica(0, 1), stranger), Err(Refusal::NotAllowed));
    }
    // Its owner looks and reads; what runs is for keepers to say.
    let owner = samples::node(2);
    assert_eq!(bench.withdraw(owner), Err(Refusal::NotAllowed));
    assert_eq!(bench.ask_report(owner, Vec::new()).map(|reports| reports.len()), Ok(1));
    assert_eq!(bench.host.may_read(replica(0, 1), owner), Ok(()));
    for keeper in [4, 5].map(samples::node) {
        assert_eq!(bench.ask_report(keeper, Vec::new()).map(|reports| reports.len()), Ok(1));
        assert_eq!(bench.host.may_read(replica(0, 1), keeper), Ok(()));
    }
    assert_eq!(bench.host.may_read(replica(0, 2), owner), Err(Refusal::Unknown));
    assert_eq!(bench.state(), ReplicaState::Healthy);
    assert_eq!(bench.withdraw(samples::node(5)), Ok(()));
    assert_eq!(bench.state(), ReplicaState::Leaving);
}

#[test]
fn c10_what_is_not_here_has_ended() {
    let mut bench = Bench::new();
    assert_eq!(bench.withdraw(samples::node(4)), Ok(()));
    assert_eq!(bench.ask_report(samples::node(4), Vec::new()), Ok(Vec::new()));
    assert_eq!(bench.ask_report(samples::node(9), Vec::new()), Ok(Vec::new()));
}

#[test]
fn c10_only_what_a_keeper_signed_renews_and_one_bad_word_spoils_no_other() {
    let later = NOW.plus_ms(7_200_000);
    let expiry = |bench: &Bench| {
        let (signed, ..) = bench.host.hosted(replica(0, 1)).expect("it is here");
        signed.verify().expect("it is signed").expires_at
    };
    let renew = |bench: &mut Bench, placement| {
        assert_eq!(bench.ask_report(samples::node(4), vec![placement]).map(|reports| reports.len()), Ok(1));
    };
    let mut bench = Bench::running(&spec(Restart::Always));
    let first = expiry(&bench);
    for stranger in [samples::keypair(9), samples::provider(), samples::consumer()] {
        renew(&mut bench, place(&stranger, |placement| placement.expires_at = later));
    }
    let keeper = samples::keeper();
    renew(&mut bench, place(&keeper, |p| (p.expires_at, p.node) = (later, samples::node(9))));
    renew(&mut bench, place(&keeper, |p| (p.expires_at, p.revision) = (later, 2)));
    renew(&mut bench, place(&keeper, |p| (p.expires_at, p.sky) = (later, Hash::of(b"another"))));
    renew(&mut bench, place(&keeper, |p| p.expires_at = NOW.plus_ms(1)));
    assert_eq!(expiry(&bench), first);
    let wrong = place(&samples::keypair(9), |placement| placement.expires_at = later);
    let right = place(&keeper, |placement| placement.expires_at = later);
    assert!(bench.ask_report(samples::node(4), vec![wrong, right]).is_ok());
    assert_eq!(expiry(&bench), later);
}

/// A new revision names other keepers: they look after what runs of the one before, the old ones no longer do.
#[test]
fn c10_keepers_that_a_newer_declaration_names_take_over() {
    let (old, new) = (samples::node(4), samples::node(6));
    let newer = declare(2, &spec(Restart::Always), &[new]);
    let hand = |bench: &mut Bench, declared: &Declared| {
        let declaration = Box::new(declared.check(sky()).expect("it is sound"));
        bench.tell(HostInput::Declared { declaration, declared: Box::new(declared.clone()) });
    };
    let mut bench = Bench::running(&spec(Restart::Always));
    assert_eq!(bench.ask_report(new, Vec::new()), Err(Refusal::NotAllowed));
    hand(&mut bench, &newer);
    // An older one that comes later changes nothing.
    hand(&mut bench, &declared(1, &spec(Restart::Always)));
    assert_eq!(bench.ask_report(new, Vec::new()).map(|reports| reports.len()), Ok(1));
    assert_eq!(bench.ask_report(old, Vec::new()), Err(Refusal::NotAllowed));
    assert_eq!(bench.withdraw(old), Err(Refusal::NotAllowed));

    // They renew it too, and what is shown then names them.
    let later = NOW.plus_ms(7_200_000);
    let renewed = place(&samples::keypair(6), |placement| placement.expires_at = later);
    let of_old = place(&samples::keeper(), |placement| placement.expires_at = later.plus_ms(1));
    assert!(bench.ask_report(new, vec![of_old, renewed.clone()]).is_ok());
    let (signed, declaration, declared, revision) = bench.host.hosted(replica(0, 1)).expect("it is here");
    assert_eq!((signed, revision), (&renewed, 1));
    assert_eq!(declared, &newer);
    assert!(signed.check(declaration).is_ok());
    assert_eq!(bench.withdraw(new), Ok(()));
    assert_eq!(bench.state(), ReplicaState::Leaving);
}

/// Another spec under the same revision is not what runs.
#[test]
fn c10_a_newer_declaration_renews_only_what_it_names() {
    let other = ServiceSpec { stop_ms: 1, ..spec(Restart::Always) };
    let newer = declare(2, &other, &[samples::node(6)]);
    let declaration = Box::new(newer.check(sky()).expect("it is sound"));
    let mut bench = Bench::running(&spec(Restart::Always));
    bench.tell(HostInput::Declared { declaration, declared: Box::new(newer) });
    let renewed = place(&samples::keypair(6), |p| p.expires_at = NOW.plus_ms(7_200_000));
    assert!(bench.ask_report(samples::node(6), vec![renewed]).is_ok());
    let (signed, ..) = bench.host.hosted(replica(0, 1)).expect("it is here");
    assert_eq!(signed.signer(), samples::node(4));
}
