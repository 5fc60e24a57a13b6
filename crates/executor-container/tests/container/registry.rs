//! Images out of registries, from the registry into a container.

use crate::support::{Setup, exited, failure, text};
use opensky_executor_container::testing::{Registry, busybox};
use opensky_ports::Executor;
use opensky_types::{job::ImageRef, task::Failure};

/// A node whose owner lets images come from one registry.
async fn allowing(test: &str, registry: &Registry) -> Option<Setup> {
    let name = registry.name();
    Setup::with(test, |config| config.registries = vec![name]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_an_image_comes_from_its_registry_once() {
    let registry = Registry::start().await;
    let Some(setup) = allowing("an image of a registry", &registry).await else { return };
    assert_eq!(setup.executor.engines()[0].containers.registries, [registry.name()]);
    let image = registry.push(&busybox().expect("the setup has it"), "tools/busybox").await;
    let mut batch = setup.script("echo $1", &["from the registry"]);
    batch.program = of(batch.program, image);
    for _ in 0..2 {
        let result = setup.run_batch(batch.clone()).await.remove(0);
        assert_eq!(text(&exited(&result).stdout), "from the registry\n");
    }
    // List, manifest, configuration and layer, each asked for once; the first one twice, for the permission.
    assert_eq!(registry.asked().len(), 6, "{:?}", registry.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_an_image_that_is_not_there_is_asked_for_once_in_a_while() {
    let registry = Registry::start().await;
    let Some(setup) = allowing("an image that is not there", &registry).await else { return };
    let image: ImageRef =
        format!("{}/no/such@sha256:{}", registry.name(), "0".repeat(64)).parse().expect("a name");
    let mut batch = setup.script("true", &["one"]);
    batch.program = of(batch.program, image);
    for _ in 0..3 {
        let result = setup.run_batch(batch.clone()).await.remove(0);
        let Failure::InvalidProgram { message } = failure(&result) else { panic!("{result:?}") };
        assert!(message.contains("is not there, or not for everybody"), "{message}");
    }
    let asked = registry.asked().into_iter().filter(|path| path.contains("/manifests/")).count();
    assert_eq!(asked, 2, "with and without a permission");
}

fn of(program: opensky_types::job::Program, image: ImageRef) -> opensky_types::job::Program {
    let needs = opensky_types::job::Needs { image: Some(image.clone()), ..program.needs };
    opensky_types::job::Program { hash: image.hash(), size_bytes: 0, needs, ..program }
}
