//! Gossip: gossipsub 1.1 as libp2p's 0.50 does it with the product's parameters. Meshes are made by GRAFT and PRUNE,
//! messages are pushed along them, told of by IHAVE and asked for by IWANT.

pub mod mesh;
pub mod spread;
pub mod sybils;

use crate::{
    chance::Chance,
    params::{CONNECTIONS_TARGET, NOTICED_AFTER},
    report::{Cell, Table, mean},
    run::{Progress, Trace},
    sizes,
};
use mesh::Mesh;
use spread::{Course, spread};

/// Messages for one row, fewer in a large sky.
const fn messages(nodes: usize) -> usize {
    if nodes >= 50_000 { 4 } else { 10 }
}

/// Share of nodes that are gone and not noticed yet, where that share leaves each hour.
pub fn unnoticed(leaving: f64) -> f64 {
    1.0 - (1.0 - leaving).powf(NOTICED_AFTER as f64 / 1e6 / 3_600.0)
}

/// The mean connections of a sky that grew, and the mean course of an offer in it.
pub fn course(nodes: usize, seed: u64, trace: &mut Trace) -> (f64, Course) {
    let mut chance = Chance::new(seed, "gossip");
    let mesh = Mesh::grown(nodes, CONNECTIONS_TARGET, &mut chance);
    (mesh.peers_mean(), average(&mesh, messages(nodes), trace, &mut chance))
}

/// Copies and times of an offer over the size of the sky; also each sky's connections and course.
pub fn curve(
    counts: &[usize],
    seed: u64,
    trace: &mut Trace,
    progress: &mut Progress<'_>,
) -> (Table, Vec<(f64, Course)>) {
    let mut table = Table::new(
        "gossip",
        "one offer of one node through the sky: mesh 5 to 8, wanted 6, told of in 3 beats",
        &columns("nodes"),
    );
    table.plot = Some((0, 9));
    let mut courses = Vec::new();
    for nodes in counts {
        progress(&format!("gossip: {nodes} nodes"));
        let mut chance = Chance::new(seed, "gossip");
        let mesh = Mesh::grown(*nodes, CONNECTIONS_TARGET, &mut chance);
        let course = average(&mesh, messages(*nodes), trace, &mut chance);
        table.row(row(Cell::from(*nodes), &mesh, course));
        courses.push((mesh.peers_mean(), course));
    }
    table.note(format!(
        "the offer has {} bytes, {} with gossip's envelope; a name in an IHAVE has {}",
        sizes::offer(),
        sizes::gossiped(sizes::offer()),
        sizes::MESSAGE_ID
    ));
    (table, courses)
}

/// The columns of both tables, after what their rows differ in.
const fn columns(first: &str) -> [&str; 11] {
    [
        first,
        "peers",
        "mesh",
        "reached",
        "copies",
        "IHAVE a node",
        "IWANT a node",
        "bytes a node",
        "50 % ms",
        "99 % ms",
        "all ms",
    ]
}

/// The same under churn and under other rules.
pub fn variants(nodes: usize, seed: u64, trace: &mut Trace, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "gossip-variants",
        format!("the same in a sky of {nodes}, otherwise"),
        &columns("what is other"),
    );
    for (name, leaving, target) in [
        ("30 % leave an hour", 0.3, CONNECTIONS_TARGET),
        ("a tenth gone at once", f64::NAN, CONNECTIONS_TARGET),
        ("250 connections dialled", 0.0, 250),
        ("10 connections dialled", 0.0, 10),
    ] {
        progress(&format!("gossip: {nodes} nodes, {name}"));
        let mut chance = Chance::new(seed, "gossip");
        let mut mesh = Mesh::grown(nodes, target, &mut chance);
        let gone = if leaving.is_nan() { 0.1 } else { unnoticed(leaving) };
        mesh.vanish(gone, &mut chance);
        let course = average(&mesh, messages(nodes), trace, &mut chance);
        table.row(row(name.into(), &mesh, course));
    }
    table.note("a node that is gone is noticed after at most 25 s; until then its neighbours send to it");
    table
}

fn average(mesh: &Mesh, messages: usize, trace: &mut Trace, chance: &mut Chance) -> Course {
    let courses: Vec<Course> = (0..messages)
        .map(|_| {
            let origin = mesh.any(chance);
            let (course, events) = spread(mesh, origin, sizes::gossiped(sizes::offer()), chance);
            trace.add(events);
            course
        })
        .collect();
    let of = |measure: fn(&Course) -> f64| mean(&courses.iter().map(measure).collect::<Vec<f64>>());
    Course {
        reached: of(|course| course.reached),
        copies: of(|course| course.copies),
        told: of(|course| course.told),
        asked: of(|course| course.asked),
        bytes: of(|course| course.bytes),
        half_ms: of(|course| course.half_ms),
        most_ms: of(|course| course.most_ms),
        all_ms: of(|course| course.all_ms),
        lost: courses.iter().map(|course| course.lost).sum(),
        sent: courses.iter().map(|course| course.sent).sum(),
        delivered: courses.iter().map(|course| course.delivered).sum(),
    }
}

fn row(first: Cell, mesh: &Mesh, course: Course) -> [Cell; 11] {
    [
        first,
        mesh.peers_mean().into(),
        mesh.mesh_mean().into(),
        course.reached.into(),
        course.copies.into(),
        course.told.into(),
        course.asked.into(),
        course.bytes.into(),
        course.half_ms.into(),
        course.most_ms.into(),
        course.all_ms.into(),
    ]
}
