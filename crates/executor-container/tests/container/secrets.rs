//! Secrets of services: the program has them, and neither the engine nor the disk does.

use crate::{
    services::{Echoes, dial, end_of, heard},
    support::Setup,
};
use opensky_ports::{Instance, InstanceEnd, ServiceEngine};
use opensky_types::{
    NodeId, ServiceId,
    service::{ReplicaId, Secret, SecretValue},
};
use std::{path::Path, process::Command, sync::Arc, time::Duration};

const PASSWORD: &str = "open sesame, says the test";

async fn started(setup: &Setup, script: &str) -> Arc<dyn Instance> {
    let owner = NodeId::from_public_key([1; 32]);
    let replica = ReplicaId { service: ServiceId::of(&owner, "web"), slot: 0, generation: 1 };
    let mut run = setup.service(script, replica);
    let secret = |name: &str, is_file, env: Option<&str>| Secret {
        name: name.into(),
        is_file,
        env: env.map(str::to_owned),
    };
    run.secrets = vec![
        (secret("password", true, Some("PASSWORD")), SecretValue::new(PASSWORD.into())),
        (secret("TOKEN", false, Some("TOKEN")), SecretValue::new(b"a token".to_vec())),
        (secret("key", true, None), SecretValue::new(vec![0, 10, 255])),
    ];
    let started = setup.executor.services().start(run, Arc::new(Echoes { refuses: false })).await;
    started.unwrap_or_else(|failure| panic!("it does not start: {failure}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_a_program_finds_its_secrets_as_files_and_variables() {
    let Some(setup) = Setup::new("a program finds its secrets").await else { return };
    finds_its_secrets(&setup).await;
}

/// A program has each of its secrets where it asked for it.
pub async fn finds_its_secrets(setup: &Setup) {
    let script = "cd /run/secrets; ls; stat -c '%a %s' password key; stat -f -c %T .; cat password; echo; \
                  echo \"$PASSWORD; $TOKEN\"; env | grep -c GREETING; exit 7";
    let instance = started(setup, script).await;
    let end = end_of(instance.as_ref()).await;
    let words = String::from_utf8_lossy(&instance.last_words(usize::MAX)).into_owned();
    assert_eq!(end, InstanceEnd::Exited(7), "{words}");
    let expected = format!("key\npassword\n400 26\n400 3\ntmpfs\n{PASSWORD}\n{PASSWORD}; a token\n1\n");
    assert_eq!(words, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_neither_the_engine_nor_the_disk_has_a_secret() {
    let Some(setup) = Setup::new("neither the engine nor the disk has a secret").await else { return };
    let instance = started(&setup, "exec nc -ll -p 80 -e cat /run/secrets/password").await;
    let mut stream = dial(instance.as_ref()).await;
    assert_eq!(heard(&mut stream).await, PASSWORD.as_bytes(), "it is there");
    // Commands beside the program have the same.
    let check = ["sh", "-c", "test \"$TOKEN\" = 'a token' && test -s /run/secrets/key"].map(String::from);
    assert_eq!(instance.command(&check, Duration::from_secs(20)).await, Ok(0));
    let containers = setup.containers();
    assert_eq!(containers.len(), 1);
    let inspected = Command::new("docker").args(["inspect", &containers[0]]).output().expect("it is there");
    let inspected = String::from_utf8_lossy(&inspected.stdout).into_owned();
    assert!(inspected.contains("GREETING=hello"), "this is where variables are: {inspected}");
    assert!(!inspected.contains("sesame") && !inspected.contains("a token"), "{inspected}");
    assert!(!any_file_has(setup.folder.path(), PASSWORD.as_bytes()));
    instance.stop(Duration::ZERO).await;
}

fn any_file_has(folder: &Path, text: &[u8]) -> bool {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries.into_iter().any(|entry| {
        let kind = entry.file_type().expect("it has one");
        if kind.is_dir() {
            return any_file_has(&entry.path(), text);
        }
        let bytes =
            if kind.is_file() { std::fs::read(entry.path()).expect("it is read") } else { Vec::new() };
        bytes.windows(text.len()).any(|window| window == text)
    })
}
