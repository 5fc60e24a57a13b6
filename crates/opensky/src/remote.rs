//! The API for callers from other machines: where it listens, with which certificate.

use crate::{
    fail::{Exit, Fail},
    settings::Settings,
};
use anyhow::{Context, Result};
use opensky_gateway::{Remote, Tls, TlsFiles};
use opensky_identity::{Layout, write_private};
use std::{net::SocketAddr, path::Path};
use tokio::net::TcpListener;

/// The setting that asks for a certificate of the node's own.
pub const SELF_SIGNED: &str = "self-signed";

/// With what callers from other machines are met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// A certificate and its key, from these files.
    Files(TlsFiles),
    /// A certificate that the node makes for itself, once.
    SelfSigned,
    /// Nothing: the owner says that the way is safe.
    Nothing,
}

/// What the settings ask for; `None` where only this machine may come in.
pub fn wanted(
    address: Option<SocketAddr>,
    certificate: &str,
    key: &str,
    insecure: bool,
) -> Result<Option<(SocketAddr, Guard)>, String> {
    let Some(address) = address else { return Ok(None) };
    let guard = match (certificate, key) {
        (SELF_SIGNED, "") => Guard::SelfSigned,
        (SELF_SIGNED, _) => {
            return Err("'remote_key' has no use where 'remote_certificate' is self-signed".into());
        }
        ("", "") if insecure => Guard::Nothing,
        ("", "") => {
            let how = "give 'remote_certificate' and 'remote_key', or 'remote_certificate' = self-signed";
            return Err(format!(
                "'remote' = {address} would let everybody on the way read and change all; {how}"
            ));
        }
        ("", _) | (_, "") => return Err("'remote_certificate' and 'remote_key' go together".into()),
        (certificate, key) => Guard::Files(TlsFiles { certificate: certificate.into(), key: key.into() }),
    };
    if insecure && guard != Guard::Nothing {
        return Err("'remote_insecure' and a certificate contradict each other".into());
    }
    Ok(Some((address, guard)))
}

/// Listens as the settings say.
pub async fn open(settings: &Settings, layout: &Layout) -> Result<Option<Remote>> {
    let Some((address, guard)) = &settings.remote else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Fail::new(Exit::Failed, format!("the API cannot listen on {address} for other machines: {error}"))
            .next("choose another address or port with --remote ADDRESS:PORT")
    })?;
    let names = settings.remote_names.clone();
    let files = match guard {
        Guard::Nothing => {
            tracing::warn!(%address, "the API takes requests from other machines without TLS");
            return Ok(Some(Remote { listener, tls: None, names }));
        }
        Guard::Files(files) => files.clone(),
        Guard::SelfSigned => self_signed(&layout.identity(), &names)?,
    };
    let tls = Tls::load(files).map_err(|error| {
        let what = format!("the API's certificate: {}", opensky_types::text::causes(&error));
        Fail::new(Exit::Invalid, what).next("both files are PEM; the certificate comes first in its file")
    })?;
    let fingerprint = tls.fingerprint();
    tracing::info!(address = %listener.local_addr()?, fingerprint, "the API takes requests from other machines");
    Ok(Some(Remote { listener, tls: Some(tls), names }))
}

/// The fingerprint of the certificate that the settings ask for.
pub fn fingerprint(settings: &Settings, layout: &Layout) -> Result<String> {
    let files = match settings.remote.as_ref().map(|(_, guard)| guard) {
        Some(Guard::Files(files)) => files.clone(),
        // Also where it was asked for by a flag, at an earlier start.
        _ => own_files(&layout.identity()),
    };
    if !files.certificate.exists() {
        let fail = Fail::new(Exit::NotFound, "this node has no certificate for other machines");
        return Err(fail.next("opensky up --remote 0.0.0.0:4720 --remote-certificate self-signed").into());
    }
    Ok(Tls::load(files)?.fingerprint())
}

fn own_files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("api.crt"), key: folder.join("api.key") }
}

/// The node's own certificate, made at the first start that wants one.
fn self_signed(folder: &Path, names: &[String]) -> Result<TlsFiles> {
    let files = own_files(folder);
    if files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    let mut subjects = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    subjects.extend(names.iter().cloned());
    subjects.extend(opensky_machine::interfaces().into_iter().flat_map(|interface| {
        interface.addresses.into_iter().map(|address| address.to_string()).collect::<Vec<_>>()
    }));
    let made = rcgen::generate_simple_self_signed(subjects).context("cannot make a certificate")?;
    // The key first: a certificate without its key is of no use.
    write_private(&files.key, made.key_pair.serialize_pem().as_bytes())?;
    write_private(&files.certificate, made.cert.pem().as_bytes())?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn w2_other_machines_come_in_over_tls_or_where_the_owner_says_so() {
        let address: SocketAddr = "0.0.0.0:4720".parse().unwrap();
        let asked =
            |certificate: &str, key: &str, insecure| wanted(Some(address), certificate, key, insecure);
        assert_eq!(wanted(None, "", "", false), Ok(None), "nobody else by default");
        assert!(asked("", "", false).unwrap_err().contains("read and change all"));
        assert_eq!(asked("", "", true), Ok(Some((address, Guard::Nothing))));
        assert_eq!(asked(SELF_SIGNED, "", false), Ok(Some((address, Guard::SelfSigned))));
        let files = TlsFiles { certificate: "a.crt".into(), key: "a.key".into() };
        assert_eq!(asked("a.crt", "a.key", false), Ok(Some((address, Guard::Files(files)))));
        for (certificate, key, insecure) in [
            ("a.crt", "", false),
            ("", "a.key", false),
            ("a.crt", "a.key", true),
            (SELF_SIGNED, "a.key", false),
        ] {
            assert!(asked(certificate, key, insecure).is_err(), "{certificate} {key} {insecure}");
        }
    }

    #[test]
    fn k1_the_nodes_own_certificate_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["node.example.com".to_owned()];
        // What an earlier try left, open to all, is not written into.
        fs::write(folder.path().join("api.key.new"), "").unwrap();
        let files = self_signed(folder.path(), &names).unwrap();
        let first = fs::read(&files.certificate).unwrap();
        assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(self_signed(folder.path(), &names).unwrap(), files);
        assert_eq!(fs::read(&files.certificate).unwrap(), first, "the same one from then on");
        assert_eq!(Tls::load(files).unwrap().fingerprint().len(), 64);
    }
}
