//! TLS for callers from other machines: a certificate and its key from files, read anew when they change.

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use sha2::{Digest, Sha256};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Where a certificate and its key are, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The node's certificate, then those that lead to its root.
    pub certificate: PathBuf,
    /// The key of the first.
    pub key: PathBuf,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: pem::Error,
    },
    /// There is no certificate in it.
    #[error("there is no certificate in {}", .0.display())]
    NoCertificate(PathBuf),
    /// Key and certificate do not belong together, or are of a kind that is not used any more.
    #[error("the certificate cannot be used with this key")]
    Unfit(#[source] rustls::Error),
}

/// A certificate with its key, in use.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

/// When certificate and key were changed.
type Changed = [Option<SystemTime>; 2];

/// What connections are answered with.
struct Current(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl Tls {
    /// Reads the files.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(read(&files)?)));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(TlsError::Unfit)?.with_no_client_auth();
        let mut config = config.with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { files, current, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The SHA-256 of the certificate, in hex: what a caller can be told to expect.
    pub fn fingerprint(&self) -> String {
        let key = self.current.get();
        let leaf = key.cert.first().map(Sha256::digest);
        leaf.map(hex::encode).unwrap_or_default()
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Reads the files anew; new connections use what is in them. Where they do not fit, what was used before
    /// is used on.
    pub fn reload(&self) -> Result<(), TlsError> {
        let key = read(&self.files)?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(())
    }

    /// Reads the files anew whenever they changed.
    pub(crate) async fn keep_fresh(self) {
        let mut seen = None;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let (tls, before) = (self.clone(), seen);
            // Files may be on a disk that sleeps, or far away.
            seen = match tokio::task::spawn_blocking(move || tls.look(before)).await {
                Ok(now) => Some(now),
                Err(error) => {
                    tracing::error!(%error, "the API's certificate was not looked at");
                    before
                }
            };
        }
    }

    /// Reads the files anew if they are not what they were `before`; blocks on the disk.
    fn look(&self, before: Option<Changed>) -> Changed {
        let now = self.changed_at();
        if before.is_none_or(|before| before == now) {
            return now;
        }
        match self.reload() {
            Ok(()) => tracing::info!(fingerprint = self.fingerprint(), "the API has a new certificate"),
            // One file may be there before the other; the next change is looked at too.
            Err(error) => tracing::warn!(
                error = opensky_types::text::causes(&error),
                "the API's new certificate is not used"
            ),
        }
        now
    }

    fn changed_at(&self) -> Changed {
        let at = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
        [at(&self.files.certificate), at(&self.files.key)]
    }
}

fn read(files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| TlsError::Read { path, source }
    };
    let certificates =
        CertificateDer::pem_file_iter(&files.certificate).map_err(failed(&files.certificate))?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(failed(&files.certificate))?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate(files.certificate.clone()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(failed(&files.key))?;
    let key = CertifiedKey::from_der(certificates, key, &aws_lc_rs::default_provider());
    key.map(Arc::new).map_err(TlsError::Unfit)
}
