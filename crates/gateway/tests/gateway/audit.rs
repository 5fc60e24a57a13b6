//! Who changed what is in the log. One test, as the log is the process's own.

use crate::support::serve;
use opensky_client::{
    Client,
    api::key::{KeyRequest, Role},
};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic")).into_owned()
    }
}

#[tokio::test]
async fn a_change_is_in_the_audit_log() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let served = serve().await;
    let request = KeyRequest { name: "reader".into(), role: Role::Viewer, valid_ms: None, spend: None };
    let key = served.client.create_key(&request).await.expect("a key");
    let reader = Client::new(&served.address, &key.secret);
    reader.status().await.expect("viewers read");
    reader.upload(b"content".to_vec()).await.expect_err("and do nothing else");
    let text = log.text();
    let audited: Vec<&str> = text.lines().filter(|line| line.contains(" audit: ")).collect();
    for words in [
        "caller=token method=POST path=\"/v1/keys\" status=201",
        "name=\"reader\" role=viewer",
        "caller=key reader method=POST path=\"/v1/blobs\" status=403",
    ] {
        assert!(audited.iter().any(|line| line.contains(words)), "{words} is not in {audited:?}");
    }
    assert!(
        !text.contains(&key.secret) && !text.contains("/v1/status"),
        "no secret, and nothing that only reads"
    );
}
