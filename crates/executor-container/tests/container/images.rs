//! Image archives: the forms that are read, and what is refused before an engine sees it.

use crate::support::{Setup, exited, failure, text};
use flate2::{Compression, write::GzEncoder};
use opensky_executor_container::{
    archive::{ArchiveError, Image, Limits, read, rewrite},
    testing::{arch, archive, archive_of, sha256, tar_of},
};
use opensky_ports::blobs::BlobStore;
use opensky_types::task::Failure;
use std::io::{Cursor, Read, Write};

fn layer() -> Vec<u8> {
    tar_of([("bin/program", b"program".as_slice()), ("etc/settings", b"settings".as_slice())])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn config(layers: &[&[u8]]) -> serde_json::Value {
    let ids: Vec<String> = layers.iter().map(|layer| format!("sha256:{}", sha256(layer))).collect();
    serde_json::json!({
        "architecture": arch(), "os": "linux", "config": { "Cmd": ["/bin/program"] },
        "rootfs": { "type": "layers", "diff_ids": ids },
    })
}

fn check(archive: &[u8]) -> Result<Image, ArchiveError> {
    let limits = Limits { unpacked_bytes_max: 1 << 20, entries_max: 100 };
    read(&mut Cursor::new(archive), arch(), &limits)
}

/// An archive in the layout of the Open Container Initiative.
fn oci(layer: &[u8], unpacked: &[u8], index: impl FnOnce(&str) -> serde_json::Value) -> Vec<u8> {
    let config = config(&[unpacked]).to_string().into_bytes();
    let blob = |bytes: &[u8]| format!("sha256:{}", sha256(bytes));
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": blob(&config) },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": blob(layer) }],
    });
    let manifest = manifest.to_string().into_bytes();
    let index = index(&blob(&manifest)).to_string().into_bytes();
    let name = |bytes: &[u8]| format!("blobs/sha256/{}", sha256(bytes));
    let (config_name, manifest_name, layer_name) = (name(&config), name(&manifest), name(layer));
    tar_of([
        ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.as_slice()),
        ("index.json", &index),
        (&config_name, &config),
        (&manifest_name, &manifest),
        (&layer_name, layer),
    ])
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[test]
fn images_of_all_builders_are_read_and_become_one_form() {
    let layer = layer();
    let packed = gzip(&layer);
    let plain =
        |digest: &str| serde_json::json!({ "manifests": [{ "mediaType": MANIFEST, "digest": digest }] });
    let many = |digest: &str| {
        serde_json::json!({ "manifests": [
            { "mediaType": MANIFEST, "digest": digest, "platform": { "architecture": arch(), "os": "linux" } },
            { "mediaType": MANIFEST, "digest": "sha256:00", "platform": { "architecture": "s390x", "os": "linux" } },
            { "mediaType": MANIFEST, "digest": "sha256:01", "platform": { "architecture": "unknown", "os": "unknown" } },
        ] })
    };
    let archives = [
        archive(std::slice::from_ref(&layer), serde_json::json!({ "Cmd": ["/bin/program"] })),
        oci(&packed, &layer, plain),
        oci(&layer, &layer, many),
    ];
    for archive in archives {
        let image = check(&archive).unwrap();
        assert_eq!(image.unpacked_bytes, layer.len() as u64);
        let mut written = Vec::new();
        rewrite(&mut Cursor::new(&archive), &image, "opensky/image:1", &mut written).unwrap();
        let again = check(&written).unwrap();
        assert_eq!(again.unpacked_bytes, image.unpacked_bytes);
        let mut manifest = String::new();
        let mut tar = tar::Archive::new(Cursor::new(&written));
        let first = tar.entries().unwrap().next().unwrap();
        first.unwrap().read_to_string(&mut manifest).unwrap();
        assert!(manifest.contains(r#""RepoTags":["opensky/image:1"]"#), "{manifest}");
        assert!(!manifest.contains("debian"), "names of the archive would replace the owner's images");
    }
}

#[test]
fn j2_only_how_to_start_is_kept_of_a_configuration() {
    let mut config = config(&[&layer()]);
    config["config"] = serde_json::json!({
        "Env": ["A=b"], "Cmd": ["/bin/program"], "Entrypoint": null, "WorkingDir": "/etc", "User": "0",
        "Volumes": { "/data": {} }, "ExposedPorts": { "80/tcp": {} }, "OnBuild": ["RUN evil"],
        "Healthcheck": { "Test": ["CMD", "evil"] }, "Labels": { "opensky.node": "another" },
    });
    let archive = archive_of(&[layer()], &config);
    let image = check(&archive).unwrap();
    let mut written = Vec::new();
    rewrite(&mut Cursor::new(&archive), &image, "opensky/image:1", &mut written).unwrap();
    let mut tar = tar::Archive::new(Cursor::new(&written));
    let entry = tar.entries().unwrap().nth(1).unwrap().unwrap();
    let kept: serde_json::Value = serde_json::from_reader(entry).unwrap();
    let expected = serde_json::json!({ "Env": ["A=b"], "Cmd": ["/bin/program"], "WorkingDir": "/etc" });
    assert_eq!(kept["config"], expected);
}

#[test]
fn j4_archives_that_are_not_what_they_say_are_refused() {
    let good = archive(&[layer()], serde_json::json!({}));
    let refused = |archive: &[u8], part: &str| {
        let error = check(archive).expect_err(part).to_string();
        assert!(error.contains(part), "{error}, not {part}");
    };
    refused(b"#!/bin/sh", "cannot be read");
    refused(&good[..2_000], "is missing");
    refused(&gzip(&good), "compressed");
    refused(&tar_of([("hello", b"hello".as_slice())]), "'index.json' is missing");
    refused(&tar_of([("manifest.json", b"[]".as_slice())]), "0 images");
    refused(&tar_of([("manifest.json", b"{".as_slice())]), "manifest.json");
    let escaping = r#"[{"Config":"../../etc/shadow","Layers":[]}]"#;
    refused(&tar_of([("manifest.json", escaping.as_bytes())]), "is missing");

    let other = tar_of([("bin/other", b"other".as_slice())]);
    refused(&archive_of(&[other], &config(&[&layer()])), "has hash");
    refused(&archive_of(&[layer()], &config(&[&layer(), &layer()])), "1 layers, but 2 hashes");
    let mut foreign = config(&[&layer()]);
    foreign["architecture"] = "pdp11".into();
    refused(&archive_of(&[layer()], &foreign), "linux/pdp11");
    let mut foreign = config(&[&layer()]);
    foreign["os"] = "windows".into();
    refused(&archive_of(&[layer()], &foreign), "windows/");
    refused(&archive(&[b"\x28\xb5\x2f\xfd....".to_vec()], serde_json::json!({})), "packed with");
    refused(&archive(&[b"no tar at all".repeat(100)], serde_json::json!({})), "cannot be unpacked");
}

#[test]
fn j4_bombs_are_found_while_they_are_unpacked() {
    // 64 MB of zeros in a few kB.
    let zeros = tar_of([("zeros", vec![0; 64 << 20].as_slice())]);
    let packed = gzip(&zeros);
    assert!(packed.len() < 1 << 20);
    let bomb = archive_of(&[packed], &config(&[&zeros]));
    assert!(matches!(check(&bomb), Err(ArchiveError::TooLarge { what: "bytes when unpacked", .. })));
    let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let many = tar_of(names.iter().map(|name| (name.as_str(), b"".as_slice())));
    let bomb = archive(&[many], serde_json::json!({}));
    assert!(matches!(check(&bomb), Err(ArchiveError::TooLarge { what: "files", .. })));
    let layers = vec![layer(); 128];
    let bomb = archive(&layers, serde_json::json!({}));
    assert!(matches!(check(&bomb), Err(ArchiveError::TooLarge { what: "layers", .. })));
    let json = format!("[{}]", " ".repeat(5 << 20));
    let bomb = tar_of([("manifest.json", json.as_bytes())]);
    assert!(matches!(check(&bomb), Err(ArchiveError::TooLarge { what: "bytes of JSON in one file", .. })));
}

/// A layer of one file, with an extension before it.
fn extended(record: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    // A record's length counts its own digits.
    let bare = record.len() + 2;
    let length = (bare..).find(|length| length.to_string().len() + bare == *length).unwrap();
    let text = format!("{length} {record}\n");
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::XHeader);
    header.set_size(text.len() as u64);
    builder.append_data(&mut header, "extension", text.as_bytes()).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    builder.append_data(&mut header, "file", b"abc".as_slice()).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn j4_archives_spoilt_in_thousands_of_ways_are_refused_or_the_same() {
    let plain =
        |digest: &str| serde_json::json!({ "manifests": [{ "mediaType": MANIFEST, "digest": digest }] });
    let layer = layer();
    let samples = [
        archive(std::slice::from_ref(&layer), serde_json::json!({ "Cmd": ["/bin/program"] })),
        oci(&gzip(&layer), &layer, plain),
    ];
    let mut state = 0x9e37_79b9_u32;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below
    };
    for sample in samples {
        for round in 0..3_000 {
            let mut spoilt = sample.clone();
            match round % 3 {
                0 => spoilt.truncate(next(sample.len())),
                1 => (0..=next(8)).for_each(|_| spoilt[next(sample.len())] ^= 1 << next(8)),
                _ => {
                    let (from, to) = (next(sample.len() - 512), next(sample.len() - 512));
                    spoilt.copy_within(from..from + next(512), to);
                }
            }
            // Whatever is taken has layers of just the hashes that its configuration says.
            if let Ok(image) = check(&spoilt) {
                assert!(image.unpacked_bytes <= 1 << 20);
                rewrite(&mut Cursor::new(&spoilt), &image, "opensky/image:1", Vec::new()).unwrap();
            }
        }
    }
}

#[test]
fn j4_what_an_engine_would_read_otherwise_is_refused() {
    let refused = |layer: Vec<u8>, part: &str| {
        for layer in [layer.clone(), gzip(&layer)] {
            let error = check(&archive_of(&[layer], &config(&[b"any"]))).expect_err(part).to_string();
            assert!(error.contains(part), "{error}, not {part}");
        }
    };
    assert!(check(&archive(&[extended("mtime=1.5")], serde_json::json!({}))).is_ok());
    // Terabytes of zeros in half a kilobyte.
    refused(extended("GNU.sparse.realsize=4000000000000"), "another size");
    // One file by its header; by its extension, thousands of entries follow or none.
    refused(extended("size=0"), "another size");
    let mut sparse = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(0);
    sparse.append_data(&mut header, "holes", b"".as_slice()).unwrap();
    refused(sparse.into_inner().unwrap(), "holes");
    // A tar whose first name is the start of another packing.
    for magic in ["BZh91AY", "\u{fd}7zXZ"] {
        let mut layer = tar_of([("name", b"abc".as_slice())]);
        let magic: Vec<u8> = magic.chars().map(|c| c as u8).collect();
        layer[..magic.len()].copy_from_slice(&magic);
        layer[magic.len()] = 0;
        let found = check(&archive_of(&[layer], &config(&[b"any"])));
        assert!(matches!(&found, Err(ArchiveError::Malformed(why)) if why.contains("packed")), "{found:?}");
    }
    let mut away = config(&[&layer()]);
    away["config"]["WorkingDir"] = "/proc/self/fd/8".into();
    let found = check(&archive_of(&[layer()], &away)).expect_err("leads out").to_string();
    assert!(found.contains("working folder"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_somebody_removed_comes_again() {
    let Some(setup) = Setup::new("an image comes again").await else { return };
    assert_eq!(text(&exited(&setup.run("echo one").await).stdout), "one\n");
    let name = format!("opensky/image:{}", setup.image);
    let Ok(removed) = std::process::Command::new("docker").args(["rmi", "-f", &name]).output() else {
        eprintln!("skipped: an image comes again: no docker command to remove it with");
        return;
    };
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    assert_eq!(text(&exited(&setup.run("echo two").await).stdout), "two\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn j4_a_wrong_image_fails_its_task_and_no_other() {
    let Some(setup) = Setup::new("a wrong image").await else { return };
    let wrong = archive_of(&[layer()], &config(&[b"another layer"]));
    let mut batch = setup.script("echo", &["a"]);
    batch.program.hash = setup.blobs.put(&wrong).unwrap().hash;
    let results = setup.run_batch(batch).await;
    assert!(
        matches!(failure(&results[0]), Failure::InvalidProgram { message } if message.contains("has hash"))
    );
    assert_eq!(text(&exited(&setup.run("echo fine").await).stdout), "fine\n");
}
