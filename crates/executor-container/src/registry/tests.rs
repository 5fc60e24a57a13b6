//! What registries may say, and what becomes of it.

use super::*;
use crate::testing::{Registry, arch, archive as archive_of, sha256, tar_of};
use std::io::Read;

const MIB: u64 = 1 << 20;

async fn fetch(image: &ImageRef, packed_bytes_max: u64) -> Result<Vec<u8>, PullError> {
    let file = tempfile::tempfile().expect("a file");
    let file = pull(image, arch(), (packed_bytes_max, &|bytes| bytes < 100 * MIB), file.into()).await?;
    let mut bytes = Vec::new();
    file.into_std().await.read_to_end(&mut bytes).expect("it is read");
    Ok(bytes)
}

fn name(registry: &Registry, digest: &str) -> ImageRef {
    format!("{}/a/b@{digest}", registry.name()).parse().expect("a name")
}

/// A registry with an image of one layer, its name, and the layer.
async fn with_image() -> (Registry, ImageRef, Vec<u8>) {
    let registry = Registry::start().await;
    let layer = tar_of([("a", b"content".as_slice())]);
    let saved = archive_of(std::slice::from_ref(&layer), serde_json::json!({ "Cmd": ["a"] }));
    let image = registry.push(&saved, "a/b").await;
    (registry, image, layer)
}

#[tokio::test]
async fn c4_an_image_becomes_an_archive_like_any_other() {
    let (_registry, image, _) = with_image().await;
    let bytes = fetch(&image, MIB).await.expect("it is fetched");
    let limits = crate::archive::Limits::default();
    let read = crate::archive::read(&mut io::Cursor::new(bytes), arch(), &limits).expect("it is an image");
    assert_eq!(read.unpacked_bytes, 2_048);
}

#[tokio::test]
async fn j4_what_is_not_what_its_digest_says_is_refused() {
    for spoilt in ["other", "content and more", ""] {
        let (registry, image, layer) = with_image().await;
        let path = format!("/v2/a/b/blobs/sha256:{}", sha256(&layer));
        registry.says(&path, 200, "", spoilt);
        let error = fetch(&image, MIB).await.expect_err("another layer");
        assert!(matches!(error, PullError::WrongDigest { .. }), "{spoilt:?}: {error}");
    }
    let (registry, image, _) = with_image().await;
    let path = format!("/v2/a/b/manifests/sha256:{}", hex::encode(image.digest()));
    registry.says(&path, 200, "", "{}");
    let error = fetch(&image, MIB).await.expect_err("another list");
    assert!(matches!(error, PullError::WrongDigest { .. }), "{error}");
}

#[tokio::test]
async fn j4_what_is_too_large_is_refused_before_it_comes() {
    let (registry, image, _) = with_image().await;
    let error = fetch(&image, 1_000).await.expect_err("larger than allowed");
    assert!(matches!(error, PullError::Image(ArchiveError::TooLarge { .. })), "{error}");
    let blobs = |path: &String| path.contains("/blobs/");
    assert!(!registry.asked().iter().any(blobs), "nothing of it was asked for");
    let part =
        |size: u64| serde_json::json!({ "digest": format!("sha256:{}", "0".repeat(64)), "size": size });
    let wrong = [
        serde_json::json!({ "config": part(5 * MIB), "layers": [] }),
        serde_json::json!({ "config": part(1), "layers": vec![part(1); 128] }),
        serde_json::json!({ "config": part(1), "layers": [part(u64::MAX), part(u64::MAX)] }),
    ];
    for manifest in wrong {
        let digest = registry.has("a/b", "manifests", manifest.to_string().as_bytes());
        let error = fetch(&name(&registry, &digest), MIB).await.expect_err("too large");
        assert!(matches!(error, PullError::Image(ArchiveError::TooLarge { .. })), "{error}");
    }
    let digest = registry.has("a/b", "manifests", &vec![b' '; 5 << 20]);
    let error = fetch(&name(&registry, &digest), MIB).await.expect_err("a document without end");
    assert!(error.to_string().contains("says too much"), "{error}");
}

#[tokio::test]
async fn j4_documents_that_are_none_are_refused() {
    let registry = Registry::start().await;
    let other = serde_json::json!({ "os": "linux", "architecture": "s390x" });
    let list = |digest: &str| serde_json::json!({ "manifests": [{ "digest": digest }] }).to_string();
    let nested =
        (0..4).fold(String::new(), |below, _| registry.has("a/b", "manifests", list(&below).as_bytes()));
    let documents = [
        "no JSON".to_owned(),
        "{}".to_owned(),
        serde_json::json!({ "manifests": [] }).to_string(),
        serde_json::json!({ "manifests": [{ "digest": "x", "platform": other }, { "digest": "y" }] })
            .to_string(),
        list("sha256:../../../etc/passwd"),
        list(&nested),
        serde_json::json!({ "config": { "digest": "sha512:00" }, "layers": [] }).to_string(),
    ];
    for document in documents {
        let digest = registry.has("a/b", "manifests", document.as_bytes());
        let error = fetch(&name(&registry, &digest), MIB).await.expect_err("no image");
        assert!(matches!(error, PullError::Image(_) | PullError::WrongDigest { .. }), "{document}: {error}");
    }
}

#[tokio::test]
async fn j4_a_registry_leads_to_no_other_service_of_this_machine() {
    let (registry, image, layer) = with_image().await;
    let canary = Registry::start().await;
    let path = format!("/v2/a/b/blobs/sha256:{}", sha256(&layer));
    let places = [
        format!("http://{}/secret", canary.name()),
        format!("https://{}/secret", canary.name()),
        format!("http://localhost:{}/secret", canary.name().rsplit(':').next().unwrap_or_default()),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
    ];
    for place in &places {
        registry.says(&path, 307, &format!("Location: {place}\r\n"), "");
        let error = fetch(&image, MIB).await.expect_err("it leads elsewhere");
        assert!(matches!(error, PullError::Registry { .. }), "{place}: {error}");
    }
    // Nor does it for a permission.
    for place in &places {
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{place}\"\r\n");
        let list = format!("/v2/a/b/manifests/sha256:{}", hex::encode(image.digest()));
        registry.says(&list, 401, &challenge, "");
        let error = fetch(&image, MIB).await.expect_err("it asks elsewhere");
        assert!(matches!(error, PullError::Registry { .. }), "{place}: {error}");
    }
    assert_eq!(canary.asked(), Vec::<String>::new(), "nobody came there");
}

#[tokio::test]
async fn c4_what_a_registry_does_not_give_is_said() {
    let (registry, image, _) = with_image().await;
    let list = format!("/v2/a/b/manifests/sha256:{}", hex::encode(image.digest()));
    let table = [
        (404, "is not there"),
        (403, "is not there, or not for everybody"),
        (429, "too many requests"),
        (500, "answers 500"),
    ];
    for (status, expected) in table {
        registry.says(&list, status, "", "");
        let error = fetch(&image, MIB).await.expect_err("no image").to_string();
        assert!(error.contains(expected), "{status}: {error}");
    }
    registry.says(&list, 401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
    let error = fetch(&image, MIB).await.expect_err("for some only").to_string();
    assert!(error.contains("not for everybody"), "{error}");
    let nowhere = "127.0.0.1:1/a/b@sha256:".to_owned() + &"0".repeat(64);
    let error = fetch(&nowhere.parse().expect("a name"), MIB).await.expect_err("nobody there").to_string();
    assert!(error.starts_with("registry 127.0.0.1:1: "), "{error}");
}

#[test]
fn c4_challenges_are_read_as_registries_write_them() {
    let read = |text: &str| challenge(text).map(|read| (read.realm, read.service));
    let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull""#;
    let expected = ("https://auth.docker.io/token".to_owned(), Some("registry.docker.io".to_owned()));
    assert_eq!(read(hub), Some(expected));
    assert_eq!(read(r#"bearer scope="a,b", realm="x""#), Some(("x".to_owned(), None)));
    for bad in
        ["", "Bearer", "Basic realm=\"x\"", "Bearer realm=x", "Bearer realm=\"x", "Bearer service=\"x\""]
    {
        assert_eq!(read(bad), None, "{bad}");
    }
}
