//! Images that a node keeps by name.

use crate::support::Sky;
use opensky_node::{IMAGES_MAX, KeepImageError};
use opensky_ports::{BlobStore, testing::FakeExecutor};
use opensky_types::Hash;

#[tokio::test(start_paused = true)]
async fn f1_kept_images_stay_over_restarts_however_full_the_store_gets() {
    let mut sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let archive = vec![7; 1 << 20];
    let blob = sky.nodes[0].blobs.put(&archive).expect("room for it");
    sky.nodes[0].handle.keep_image("tools:1".into(), blob.hash).await.expect("it is here");
    let dead = sky.kill(0);
    sky.revive(0, dead, FakeExecutor::echo()).await;
    let node = &sky.nodes[0];
    let kept = node.handle.images().await.expect("the node runs");
    assert_eq!((kept.len(), kept[0].name.as_str(), kept[0].blob), (1, "tools:1", blob));
    // Twice the store's room of other things, which nobody needs.
    for number in 0..64_u8 {
        node.blobs.put(&vec![number; 32 << 20]).expect("what nobody needs gives way");
    }
    assert!(node.blobs.open(&blob.hash).expect("a store").is_some(), "it is pinned again");
    assert!(node.handle.remove_image("tools:1".into()).await.expect("the node runs"));
    assert!(!node.handle.remove_image("tools:1".into()).await.expect("the node runs"));
    for number in 0..64_u8 {
        node.blobs.put(&vec![number; 32 << 20]).expect("what nobody needs gives way");
    }
    assert!(node.blobs.open(&blob.hash).expect("a store").is_none(), "now nobody needs it");
}

#[tokio::test(start_paused = true)]
async fn images_are_counted_and_their_names_checked() {
    let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let (handle, blobs) = (&sky.nodes[0].handle, &sky.nodes[0].blobs);
    let blob = blobs.put(b"an archive").expect("room for it");
    for name in ["", "a b", "a\n", &"x".repeat(256)] {
        let kept = handle.keep_image(name.into(), blob.hash).await;
        assert!(matches!(kept, Err(KeepImageError::Name)), "{name:?}: {kept:?}");
    }
    let nowhere = handle.keep_image("a".into(), Hash::of(b"nowhere")).await;
    assert!(matches!(nowhere, Err(KeepImageError::BlobMissing(_))), "{nowhere:?}");
    for number in 0..IMAGES_MAX {
        handle.keep_image(number.to_string(), blob.hash).await.expect("there is room");
    }
    let one_more = handle.keep_image("more".into(), blob.hash).await;
    assert!(matches!(one_more, Err(KeepImageError::TooMany)), "{one_more:?}");
    handle.keep_image("0".into(), blob.hash).await.expect("one of the same name is replaced");
    assert_eq!(handle.images().await.expect("the node runs").len(), IMAGES_MAX);
}
