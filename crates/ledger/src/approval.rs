//! Signatures of three schemes over one statement.
//!
//! An ed25519 key signs the statement's bytes, under their domain tag. Wallets sign what a person can
//! read: an Ethereum key a text (EIP-191) or typed data (EIP-712), an sr25519 key the same text in the
//! frame that Polkadot's wallets put around it. Each text names the hash of the statement's bytes.
//! Source: RFC 8032 with the rules of ZIP-215; EIP-191 and EIP-712; schnorrkel 0.11.

use crate::evm::{Address, EvmSignature, Keccak, RecoverError, personal_digest};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Keypair, NodeId, PublicKey, Signature};
use schnorrkel::signing_context;
use std::cell::OnceCell;

/// The context in which Polkadot's wallets sign.
const SUBSTRATE: &[u8] = b"substrate";

/// What can be signed by any scheme.
pub trait Statement {
    /// The bytes with their domain tag: what an ed25519 key signs.
    fn message(&self) -> Vec<u8>;
    /// What a person reads.
    fn text(&self) -> String;
    /// The digest of the typed data.
    fn typed(&self) -> Keccak;
}

/// What the signatures of one statement cover: each form is made once, when a signature needs it.
pub struct Forms<'a, S> {
    statement: &'a S,
    message: OnceCell<Vec<u8>>,
    text: OnceCell<String>,
    personal: OnceCell<Keccak>,
    typed: OnceCell<Keccak>,
    wrapped: OnceCell<String>,
}

impl<'a, S: Statement> Forms<'a, S> {
    /// The forms of a statement, of which none is made yet.
    pub const fn of(statement: &'a S) -> Self {
        Self {
            statement,
            message: OnceCell::new(),
            text: OnceCell::new(),
            personal: OnceCell::new(),
            typed: OnceCell::new(),
            wrapped: OnceCell::new(),
        }
    }

    /// Checks a signature.
    pub fn check(&self, approval: &Approval) -> Result<(), ApprovalError> {
        match approval {
            Approval::Ed25519 { key, signature } => {
                let message = self.message.get_or_init(|| self.statement.message());
                approval.hold_if(key.verify(message, signature))
            }
            Approval::EthereumText { address, signature } => {
                let digest = self.personal.get_or_init(|| personal_digest(self.text().as_bytes()));
                approval.hold_evm(signature, digest, address)
            }
            Approval::EthereumTyped { address, signature } => {
                let digest = self.typed.get_or_init(|| self.statement.typed());
                approval.hold_evm(signature, digest, address)
            }
            Approval::Sr25519 { key, signature } => {
                let text = self.wrapped.get_or_init(|| wrapped(self.text()));
                approval.hold_if(verify_sr25519(key, signature, text))
            }
        }
    }

    fn text(&self) -> &str {
        self.text.get_or_init(|| self.statement.text())
    }
}

/// One key's signature, with the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Approval {
    /// Over the message.
    Ed25519 { key: NodeId, signature: Signature } = 0,
    /// Over the text, as a personal message.
    EthereumText { address: Address, signature: EvmSignature } = 1,
    /// Over the typed data.
    EthereumTyped { address: Address, signature: EvmSignature } = 2,
    /// Over the text.
    Sr25519 { key: [u8; 32], signature: Signature } = 3,
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// The signature is not that of the key.
    #[error("the signature of {key} is not valid")]
    BadSignature { key: PublicKey },
    /// The same for Ethereum keys, with the reason.
    #[error("the signature of {key} is not valid")]
    BadEthereum { key: PublicKey, source: RecoverError },
    /// Each key signs once, in the order of keys, so that a set of signatures has one form.
    #[error("the signature of {key} is not in order")]
    Order { key: PublicKey },
    /// Nobody signed, or more than ever must.
    #[error("{count} signatures; one to {APPROVALS_MAX}")]
    Count { count: usize },
}

/// Most signatures of one statement: all old and all new keys of an account, or a set of validators.
pub const APPROVALS_MAX: usize = 128;

impl Approval {
    /// The signature of a node's key over a statement.
    pub fn sign(key: &Keypair, statement: &impl Statement) -> Self {
        Self::Ed25519 { key: key.id(), signature: key.sign(&statement.message()) }
    }

    /// Whose signature it says to be.
    pub fn key(&self) -> PublicKey {
        match self {
            Self::Ed25519 { key, .. } => PublicKey::of_node(*key),
            Self::EthereumText { address, .. } | Self::EthereumTyped { address, .. } => {
                PublicKey::Secp256k1(*address.as_bytes())
            }
            Self::Sr25519 { key, .. } => PublicKey::Sr25519(*key),
        }
    }

    /// What checking it costs, beside an ed25519 signature, which costs one.
    pub const fn cost(&self) -> u32 {
        match self {
            Self::Ed25519 { .. } => 1,
            Self::Sr25519 { .. } => 3,
            Self::EthereumText { .. } | Self::EthereumTyped { .. } => 5,
        }
    }

    /// Checks it over a statement.
    pub fn verify(&self, statement: &impl Statement) -> Result<(), ApprovalError> {
        Forms::of(statement).check(self)
    }

    fn hold_if(&self, holds: bool) -> Result<(), ApprovalError> {
        if holds { Ok(()) } else { Err(ApprovalError::BadSignature { key: self.key() }) }
    }

    fn hold_evm(
        &self,
        signature: &EvmSignature,
        digest: &Keccak,
        address: &Address,
    ) -> Result<(), ApprovalError> {
        let key = self.key();
        signature.verify(digest, address).map_err(|source| ApprovalError::BadEthereum { key, source })
    }
}

/// Checks that keys are in order, each once, and within the cap; returns them.
pub fn keys_of(approvals: &[Approval]) -> Result<Vec<PublicKey>, ApprovalError> {
    if approvals.is_empty() || approvals.len() > APPROVALS_MAX {
        return Err(ApprovalError::Count { count: approvals.len() });
    }
    let keys: Vec<PublicKey> = approvals.iter().map(Approval::key).collect();
    match keys.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(ApprovalError::Order { key: pair[1] }),
        None => Ok(keys),
    }
}

/// The frame that wallets put around raw bytes, so that these can't be a transaction of another chain.
pub fn wrapped(text: &str) -> String {
    format!("<Bytes>{text}</Bytes>")
}

fn verify_sr25519(key: &[u8; 32], signature: &Signature, text: &str) -> bool {
    let Ok(key) = schnorrkel::PublicKey::from_bytes(key) else { return false };
    let Ok(signature) = schnorrkel::Signature::from_bytes(signature.as_bytes()) else { return false };
    key.verify(signing_context(SUBSTRATE).bytes(text.as_bytes()), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schnorrkel::{ExpansionMode, MiniSecretKey};

    fn holds(key: &str, signature: &str, text: &str) -> bool {
        let key = hex::decode(key).ok().and_then(|key| key.try_into().ok()).expect("a key");
        verify_sr25519(&key, &signature.parse().expect("a signature"), text)
    }

    /// The vector that implementations of sr25519 share, first published with `sr25519-crust` (`ds.cpp`).
    #[test]
    fn l6_a_published_sr25519_signature_counts_for_its_text_only() {
        const KEY: &str = "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a";
        const SIGNATURE: &str = "4e172314444b8f820bb54c22e95076f220ed25373e5c178234aa6c211d292712\
                                 44b947e3ff3418ff6b45fd1df1140c8cbff69fc58ee6dc96df70936a2bb74b82";
        assert!(holds(KEY, SIGNATURE, "this is a message"));
        assert!(!holds(KEY, SIGNATURE, "this is a message "));
        assert!(!holds(KEY, SIGNATURE, &wrapped("this is a message")));
    }

    /// Counts how often its text is made.
    struct Counted(std::cell::Cell<u32>);

    impl Statement for Counted {
        fn message(&self) -> Vec<u8> {
            self.text().into_bytes()
        }

        fn text(&self) -> String {
            self.0.set(self.0.get() + 1);
            "this is a message".to_owned()
        }

        fn typed(&self) -> Keccak {
            personal_digest(&self.message())
        }
    }

    #[test]
    fn l6_what_many_sign_is_put_into_words_once() {
        let (counted, zeros) = (Counted(std::cell::Cell::new(0)), Signature::from_bytes([0; 64]));
        let forms = Forms::of(&counted);
        for byte in 0..100 {
            let approval = Approval::Sr25519 { key: [byte; 32], signature: zeros };
            assert!(forms.check(&approval).is_err());
        }
        assert_eq!(counted.0.get(), 1);
    }

    /// Signatures made before schnorrkel was audited had no marker and another transcript. Those of
    /// `sp-core` (`verify_from_old_wasm_works`) and of schnorrkel
    /// (`can_verify_know_preaudit_deprecated_message`) are refused, with the marker put in as well.
    #[test]
    fn l6_sr25519_signatures_of_the_old_kind_are_refused() {
        let old = [
            (
                "def12e42f3e487e9b14095aa8d5cc16a33491f1b50dadcf8811d1480f3fa8627",
                "28a854d54903e056f89581c691c1f7d2ff39f8f896c9e9c22475e60902cc2b35\
                 47199e0e91fa32902028f2ca2355e8cdd16cfe19ba5e8b658c94aa80f3b81a00",
                "SUBSTRATE",
            ),
            (
                "b4bfa1f7a5166695eb75299fd1c4c03ea212871c342f2c5dfea0902b2c246918",
                "5a9755f069939f45d96aaf125cf5ce7ba1db998686f87f2fb3cbdea922078741\
                 a73891ba265f70c31436e18a9acd14d189d73c12317ab6c313285cd938453202",
                "Verifying that I am the owner of 5G9hQLdsKQswNPgB499DeA5PkFBbgkLPJWkkS6FAM6xGQ8xD. \
                 Hash: 221455a3\n",
            ),
        ];
        // The first is by the key of 32 zeros.
        let zeros = MiniSecretKey::from_bytes(&[0; 32]).expect("a key");
        let public = zeros.expand_to_public(ExpansionMode::Ed25519);
        assert_eq!(hex::encode(public.to_bytes()), old[0].0);
        for (key, signature, text) in old {
            assert!(!holds(key, signature, text));
            let mut marked: Vec<u8> = hex::decode(signature).expect("hex digits");
            marked[63] |= 128;
            assert!(!holds(key, &hex::encode(marked), text));
        }
    }
}
