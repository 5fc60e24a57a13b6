//! Gossip.

use opensky_scale::{
    chance::Chance,
    gossip::{mesh::Mesh, spread::spread, sybils},
    params::{MESH_HIGH, MESH_LOW},
    run::Trace,
};

fn sky(nodes: usize) -> (Mesh, Chance) {
    let mut chance = Chance::new(1, "gossip");
    (Mesh::grown(nodes, 50, &mut chance), chance)
}

#[test]
fn t2_meshes_are_mutual_and_within_their_bounds() {
    let (mesh, _) = sky(600);
    mesh.check();
    for node in 0..600 {
        let size = mesh.mesh[node].len();
        assert!((MESH_LOW..=MESH_HIGH + 2).contains(&size), "node {node} has {size}");
    }
}

#[test]
fn t2_gossip_reaches_all_where_nobody_leaves() {
    let (mesh, mut chance) = sky(1_000);
    for _ in 0..5 {
        let origin = mesh.any(&mut chance);
        let (course, _) = spread(&mesh, origin, 500, &mut chance);
        assert_eq!(course.reached, 1.0);
        assert_eq!(course.lost, 0);
        assert_eq!(course.sent, course.delivered);
        // Each node sends along its mesh but not back: no more copies than the mesh is wide.
        assert!(course.copies > 2.0 && course.copies < mesh.mesh_mean() + 1.0, "{course:?}");
        assert!(course.half_ms < course.most_ms && course.most_ms <= course.all_ms);
    }
}

#[test]
fn t2_every_copy_arrives_or_is_lost() {
    let (mut mesh, mut chance) = sky(800);
    mesh.vanish(0.2, &mut chance);
    let origin = mesh.any(&mut chance);
    let (course, _) = spread(&mesh, origin, 500, &mut chance);
    assert!(course.lost > 0);
    assert_eq!(course.sent, course.delivered + course.lost);
    assert!(course.reached > 0.99, "IHAVE finds those whose mesh is gone: {course:?}");
}

#[test]
fn t2_silent_members_take_meshes_and_outsiders_do_not() {
    let table = sybils::table(60, 20, 3, &mut Trace::default(), &mut |_| {});
    let number = |row, column| table.number(row, column).expect("it is a number");
    assert_eq!(number(0, "reached"), 1.0, "a closed sky is as it was");
    assert_eq!(number(0, "Sybils in the mesh"), 0.0);
    assert!(number(1, "Sybils in the mesh") > 0.5, "{table}");
    assert!(number(2, "reached") < 0.5, "{table}");
}
