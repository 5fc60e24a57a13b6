//! A registry on this machine that says what a test wants.

use super::sha256;
use opensky_types::job::ImageRef;
use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What lets a reader in.
const TOKEN: &str = "come-in";

/// An answer: status, further headers, body.
type Answer = (u16, String, Vec<u8>);

/// A registry; gone when it is dropped.
pub struct Registry {
    name: String,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<BTreeMap<String, Answer>>,
    asked: Mutex<Vec<String>>,
}

impl Registry {
    /// An empty one, which lets in whoever has asked for a permission.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let name = listener.local_addr().expect("its address").to_string();
        let shared = Arc::<Shared>::default();
        let (serves, realm) = (Arc::clone(&shared), format!("http://{name}/token"));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&serves), realm.clone()));
            }
        });
        Self { name, shared, serving }
    }

    /// Its host and port.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a path so from now on.
    pub fn says(&self, path: &str, status: u16, headers: &str, body: impl Into<Vec<u8>>) {
        let mut answers = self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(path.to_owned(), (status, headers.to_owned(), body.into()));
    }

    /// Has a document under its digest, which it returns.
    pub fn has(&self, repository: &str, kind: &str, body: &[u8]) -> String {
        let digest = format!("sha256:{}", sha256(body));
        self.says(&format!("/v2/{repository}/{kind}/{digest}"), 200, "", body);
        digest
    }

    /// Takes in an archive as `docker save` writes it; returns the name of a list with that image for this machine.
    pub async fn push(&self, archive: &[u8], repository: &str) -> ImageRef {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for entry in tar::Archive::new(Cursor::new(archive)).entries().expect("a tar") {
            let mut entry = entry.expect("an entry");
            let name = entry.path().expect("a name").to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("its bytes");
            files.insert(name, bytes);
        }
        let saved: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
        let file = |name: &serde_json::Value| &files[name.as_str().expect("a name")];
        let part = |bytes: &[u8]| {
            let digest = self.has(repository, "blobs", bytes);
            serde_json::json!({ "mediaType": "application/octet-stream", "digest": digest, "size": bytes.len() })
        };
        let layers: Vec<_> =
            saved[0]["Layers"].as_array().expect("layers").iter().map(|name| part(file(name))).collect();
        let manifest = serde_json::json!({ "config": part(file(&saved[0]["Config"])), "layers": layers });
        let digest = self.has(repository, "manifests", manifest.to_string().as_bytes());
        let here = serde_json::json!({ "os": "linux", "architecture": super::arch() });
        let other = serde_json::json!({ "os": "linux", "architecture": "s390x" });
        let list = serde_json::json!({ "manifests": [
            { "digest": format!("sha256:{}", "0".repeat(64)), "platform": other },
            { "digest": digest, "platform": here },
        ] });
        let digest = self.has(repository, "manifests", list.to_string().as_bytes());
        format!("{}/{repository}@{digest}", self.name).parse().expect("a name")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(mut stream: TcpStream, shared: Arc<Shared>, realm: String) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    shared.asked.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
    let known = shared.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
    let may_read = request.to_lowercase().contains(&format!("authorization: bearer {TOKEN}"));
    let (status, headers, body) = match known {
        Some(known) if may_read || known.0 != 200 => known,
        _ if path.starts_with("/token?") => {
            (200, String::new(), format!("{{\"token\": \"{TOKEN}\"}}").into())
        }
        _ if may_read => (404, String::new(), Vec::new()),
        _ => (401, format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"test\"\r\n"), Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status} said\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    );
    // Whoever goes away early has what it wants.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
}
