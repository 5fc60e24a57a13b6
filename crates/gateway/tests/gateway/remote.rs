//! The API for callers from other machines: over TLS, under the node's own names.

use crate::support::{Served, TOKEN, code, serve, serve_with_remote};
use opensky_client::{
    Client, ClientError, Fingerprint, Trust,
    api::{Code, routes},
};
use opensky_gateway::{Remote, Tls, TlsFiles};
use reqwest::{StatusCode, header};
use std::path::Path;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A certificate in a folder, and what a caller may know of it.
struct Made {
    tls: Tls,
    pem: Vec<u8>,
}

fn certificate(folder: &Path, names: &[&str]) -> Made {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let files = TlsFiles { certificate: folder.join("api.crt"), key: folder.join("api.key") };
    std::fs::write(&files.key, made.key_pair.serialize_pem()).expect("written");
    std::fs::write(&files.certificate, made.cert.pem()).expect("written");
    Made { tls: Tls::load(files).expect("TLS"), pem: made.cert.pem().into_bytes() }
}

async fn remote(tls: Option<Tls>) -> (Served, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("free port");
    let port = listener.local_addr().expect("address").port();
    let remote = Remote { listener, tls, names: vec!["node.example.com".into()] };
    let node = serve().await;
    (serve_with_remote(node.handle.clone(), Some(remote)).await, port)
}

fn pinned(tls: &Tls) -> Trust {
    Trust::Pinned(tls.fingerprint().parse::<Fingerprint>().expect("a fingerprint"))
}

#[tokio::test]
async fn w2_a_client_speaks_to_the_node_whose_certificate_it_knows() {
    let folder = tempfile::tempdir().expect("folder");
    let made = certificate(folder.path(), &["localhost"]);
    let (served, port) = remote(Some(made.tls.clone())).await;
    let url = format!("https://localhost:{port}");
    for trust in [pinned(&made.tls), Trust::Roots(made.pem.clone())] {
        let client = Client::remote(&url, TOKEN, &trust).expect("a client");
        assert_eq!(client.status().await.expect("status").name, "tester");
        let wrong = Client::remote(&url, "wrong", &trust).expect("a client");
        assert_eq!(code(&wrong.status().await.expect_err("refused")), Some(Code::Unauthorized));
    }
    served.client.status().await.expect("programs of this machine need no TLS");
}

#[tokio::test]
async fn w2_no_token_goes_to_a_node_with_another_certificate() {
    let (folder, other) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    let made = certificate(folder.path(), &["elsewhere.example"]);
    let impostor = certificate(other.path(), &["localhost"]);
    let (_served, port) = remote(Some(impostor.tls)).await;
    let url = format!("https://localhost:{port}");
    for trust in [pinned(&made.tls), Trust::Roots(made.pem.clone()), Trust::System] {
        let client = Client::remote(&url, TOKEN, &trust).expect("a client");
        let refused = client.status().await.expect_err("refused");
        assert!(matches!(refused, ClientError::Unreachable { .. }), "{refused:?}");
    }
    // The right certificate under another name: a root is not enough, the pin is.
    let (_served, port) = remote(Some(made.tls.clone())).await;
    let url = format!("https://localhost:{port}");
    let by_root = Client::remote(&url, TOKEN, &Trust::Roots(made.pem)).expect("a client");
    assert!(by_root.status().await.is_err());
    let by_pin = Client::remote(&url, TOKEN, &pinned(&made.tls)).expect("a client");
    by_pin.status().await.expect("it is the one");
}

#[tokio::test]
async fn w2_who_does_not_speak_tls_gets_nothing_and_holds_up_nobody() {
    let folder = tempfile::tempdir().expect("folder");
    let made = certificate(folder.path(), &["localhost"]);
    let (_served, port) = remote(Some(made.tls.clone())).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.expect("connected"));
    }
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.expect("connected");
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
        routes::STATUS
    );
    plain.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // The line may be cut before all is read.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1"), "no answer in the clear");
    let client =
        Client::remote(&format!("https://localhost:{port}"), TOKEN, &pinned(&made.tls)).expect("a client");
    client.status().await.expect("others are served meanwhile");
}

#[tokio::test]
async fn w3_other_names_and_pages_are_refused_and_cookies_are_secure() {
    let folder = tempfile::tempdir().expect("folder");
    let made = certificate(folder.path(), &["node.example.com"]);
    let (served, port) = remote(Some(made.tls)).await;
    let root = reqwest::Certificate::from_pem(&made.pem).expect("a certificate");
    let here = ([127, 0, 0, 1], port).into();
    let http = reqwest::Client::builder().tls_certs_only([root]).resolve("node.example.com", here);
    let http = http.build().expect("a client");
    let url = format!("https://node.example.com:{port}");
    let page = http.get(&url).send().await.expect("the page");
    assert_eq!(page.status(), StatusCode::OK);
    let foreign = http.get(&url).header("host", "evil.example").send().await.expect("answer");
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let log_in = |origin: String, code: String| {
        let request =
            http.post(format!("{url}{}", routes::SESSION)).header("content-type", "application/json");
        request.header("origin", origin).body(serde_json::json!({ "code": code }).to_string()).send()
    };
    for origin in [format!("http://node.example.com:{port}"), "https://evil.example".to_owned()] {
        let code = served.client.login_link().await.expect("link").code;
        assert_eq!(log_in(origin, code).await.expect("answer").status(), StatusCode::FORBIDDEN);
    }
    let code = served.client.login_link().await.expect("link").code;
    let opened = log_in(url.clone(), code).await.expect("answer");
    assert_eq!(opened.status(), StatusCode::CREATED);
    let cookie = opened.headers()[header::SET_COOKIE].to_str().expect("text");
    assert!(cookie.ends_with("; Secure") && cookie.contains("HttpOnly"), "{cookie}");
    let local = crate::support::session(&served).await;
    let with_cookie = reqwest::Client::new().get(format!("http://{}{}", served.address, routes::STATUS));
    let answer = with_cookie.header("cookie", local).send().await.expect("answer");
    assert_eq!(answer.status(), StatusCode::OK, "over loopback sessions go on as before");
}

#[tokio::test]
async fn a_new_certificate_is_shown_from_then_on_and_a_spoilt_one_never() {
    let folder = tempfile::tempdir().expect("folder");
    let made = certificate(folder.path(), &["localhost"]);
    let (_served, port) = remote(Some(made.tls.clone())).await;
    let url = format!("https://localhost:{port}");
    let before = pinned(&made.tls);
    let renewed = certificate(folder.path(), &["localhost"]);
    std::fs::write(folder.path().join("other.key"), "no key").expect("written");
    Client::remote(&url, TOKEN, &before).expect("a client").status().await.expect("the one before");
    made.tls.reload().expect("the new one");
    assert_eq!(made.tls.fingerprint(), renewed.tls.fingerprint());
    Client::remote(&url, TOKEN, &pinned(&renewed.tls))
        .expect("a client")
        .status()
        .await
        .expect("the new one");
    assert!(Client::remote(&url, TOKEN, &before).expect("a client").status().await.is_err());
    std::fs::write(folder.path().join("api.key"), "no key").expect("written");
    assert!(made.tls.reload().is_err());
    let client = Client::remote(&url, TOKEN, &pinned(&renewed.tls)).expect("a client");
    client.status().await.expect("what was used is used on");
}

#[test]
fn w2_certificates_that_do_not_fit_are_refused() {
    let (one, other) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    certificate(one.path(), &["localhost"]);
    certificate(other.path(), &["localhost"]);
    let files =
        |certificate: &Path, key: &Path| TlsFiles { certificate: certificate.into(), key: key.into() };
    let (crt, key) = (one.path().join("api.crt"), other.path().join("api.key"));
    assert!(Tls::load(files(&crt, &key)).is_err(), "the key of another");
    assert!(Tls::load(files(&crt, &crt)).is_err(), "no key");
    assert!(Tls::load(files(&key, &key)).is_err(), "no certificate");
    assert!(Tls::load(files(&one.path().join("none"), &key)).is_err(), "no file");
}
