//! Which certificate a node on another machine may show.

use crate::ClientError;
use reqwest::{Certificate, ClientBuilder};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256};
use std::{str::FromStr, sync::Arc};

/// Which certificate a node on another machine may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// One that this system trusts.
    System,
    /// One that leads to a root in these PEM bytes, and no other.
    Roots(Vec<u8>),
    /// Exactly this one, whoever signed it and whatever its names are.
    Pinned(Fingerprint),
}

/// The SHA-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl FromStr for Fingerprint {
    type Err = String;
    /// Hex, with or without colons.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.replace(':', "");
        let mut bytes = [0; 32];
        hex::decode_to_slice(&digits, &mut bytes)
            .map(|()| Self(bytes))
            .map_err(|_| format!("'{text}' is not the SHA-256 of a certificate: 64 hex digits"))
    }
}

impl Trust {
    pub(crate) fn apply(&self, builder: ClientBuilder) -> Result<ClientBuilder, ClientError> {
        let failed = |problem: String| ClientError::Trust { problem };
        match self {
            Self::System => Ok(builder),
            Self::Roots(pem) => {
                let roots = Certificate::from_pem_bundle(pem).map_err(|error| failed(error.to_string()))?;
                if roots.is_empty() {
                    return Err(failed("there is no certificate in the file".to_owned()));
                }
                Ok(builder.tls_certs_only(roots))
            }
            Self::Pinned(fingerprint) => {
                let provider = Arc::new(aws_lc_rs::default_provider());
                let pinned = Pinned { fingerprint: *fingerprint, provider: Arc::clone(&provider) };
                let config =
                    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
                let config = config.map_err(|error| failed(error.to_string()))?;
                let config = config.dangerous().with_custom_certificate_verifier(Arc::new(pinned));
                Ok(builder.tls_backend_preconfigured(config.with_no_client_auth()))
            }
        }
    }
}

/// Takes one certificate only. That its holder has the key, the signature of the handshake shows.
#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if <[u8; 32]>::from(Sha256::digest(shown)) == self.fingerprint.0 {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;

    #[test]
    fn w2_a_token_goes_over_tls_or_stays_on_this_machine() {
        for (url, fits) in [
            ("https://node.example.com:4720", true),
            ("https://192.0.2.7", true),
            ("http://127.0.0.1:4720", true),
            ("http://[::1]:4720", true),
            ("http://localhost:4720/", true),
            ("http://node.example.com", false),
            ("http://localhost.evil.example", false),
            ("http://192.0.2.7:4720", false),
            ("ftp://127.0.0.1", false),
            ("https://node.example.com/path", false),
            ("https://user:secret@node.example.com", false),
            ("node.example.com", false),
        ] {
            let trust = Trust::Pinned(Fingerprint([0; 32]));
            assert_eq!(Client::remote(url, "token", &trust).is_ok(), fits, "{url}");
        }
    }

    #[test]
    fn fingerprints_are_read_with_and_without_colons() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(plain.parse::<Fingerprint>(), colons.parse::<Fingerprint>());
        assert!(plain[1..].parse::<Fingerprint>().is_err());
        let rubbish = Trust::Roots(b"no certificate".to_vec());
        assert!(matches!(Client::remote("https://x", "t", &rubbish), Err(ClientError::Trust { .. })));
    }
}
