//! Wallets that may log in: which addresses the owner named, and the challenges that wait for a signature.

use crate::{
    kept_role::KeptRole,
    problem::{Outcome, problem},
    siwe::{self, Message},
    source::Source,
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_api::{
    Code,
    key::{Role, WALLET_LOGINS_MAX, WalletLogin, WalletLogins},
};
use opensky_ledger::evm::{Address, EvmSignature, personal_digest};
use opensky_types::{
    Timestamp,
    codec::{self, DecodeError},
};
use rand::{TryRng, rngs::SysRng};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a challenge waits for its signature.
pub(crate) const CHALLENGE_LIFE: Duration = Duration::from_secs(5 * 60);
/// Most challenges that wait. Strangers from one source may ask twenty times a second, so that one source alone
/// pushes nothing out; of several, the one with most makes room.
const CHALLENGES_MAX: usize = 8_192;
/// How far the clock of whoever wrote a message may be ahead.
const SKEW_MS: u64 = 60_000;
/// Bytes of all wallets as kept.
const BYTES_MAX: usize = WALLET_LOGINS_MAX * 64;
/// What a person reads in the wallet.
const STATEMENT: &str = "Log in to this OpenSky node. This costs nothing and moves no money.";

/// A wallet as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Kept {
    address: Address,
    role: KeptRole,
    created_at: Timestamp,
}

/// What a wallet may do, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) role: Role,
    pub(crate) created_at: Timestamp,
}

/// The wallets of a node, in order of address.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct WalletRing(Vec<Kept>);

impl WalletRing {
    /// From what was kept.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, BYTES_MAX)
    }

    /// To be kept.
    pub(crate) fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// A wallet that was named; `None` for any other.
    pub(crate) fn find(&self, address: &Address) -> Option<Named> {
        let kept = self.0.iter().find(|kept| kept.address == *address)?;
        Some(Named { role: kept.role.into(), created_at: kept.created_at })
    }

    /// What a wallet may do that was named then. One that was named again since is another to its sessions.
    pub(crate) fn working(&self, address: &Address, created_at: Timestamp) -> Option<Role> {
        self.find(address).filter(|named| named.created_at == created_at).map(|named| named.role)
    }

    /// All of them.
    pub(crate) fn view(&self) -> WalletLogins {
        let view = |kept: &Kept| WalletLogin {
            address: kept.address.to_string(),
            role: kept.role.into(),
            created_at: kept.created_at,
        };
        WalletLogins { wallets: self.0.iter().map(view).collect() }
    }

    /// Names a wallet, or gives it another role.
    pub(crate) fn add(&mut self, address: Address, role: Role, now: Timestamp) -> Outcome<()> {
        self.0.retain(|kept| kept.address != address);
        if self.0.len() >= WALLET_LOGINS_MAX {
            let detail =
                format!("{WALLET_LOGINS_MAX} wallets may log in, which is the limit; remove one first");
            return Err(problem(Code::InvalidRequest, detail));
        }
        self.0.push(Kept { address, role: role.into(), created_at: now });
        self.0.sort_by_key(|kept| kept.address);
        Ok(())
    }

    /// Names a wallet no longer.
    pub(crate) fn remove(&mut self, address: &Address) -> Outcome<()> {
        let count = self.0.len();
        self.0.retain(|kept| kept.address != *address);
        if self.0.len() == count {
            return Err(problem(Code::KeyNotFound, format!("no wallet {address} may log in")));
        }
        Ok(())
    }
}

/// Where a page asks from: the host that its request names, and the page's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) domain: String,
    pub(crate) uri: String,
}

/// What was given to be signed.
#[derive(Debug, Clone)]
struct Challenge {
    source: Source,
    site: Site,
    address: Address,
    chain_id: u64,
    issued_at: Timestamp,
    ends: Instant,
}

/// Challenges that wait, by their nonce.
#[derive(Debug, Default)]
pub(crate) struct Challenges(BTreeMap<String, Challenge>);

impl Challenges {
    /// A message to be signed by this wallet, for this page, once.
    pub(crate) fn issue(
        &mut self,
        (source, site): (Source, Site),
        address: Address,
        chain_id: u64,
        now: Timestamp,
        clock: Instant,
    ) -> String {
        self.0.retain(|_, challenge| challenge.ends > clock);
        while self.0.len() >= CHALLENGES_MAX {
            self.make_room();
        }
        let mut nonce = [0; 16];
        SysRng.try_fill_bytes(&mut nonce).expect("the operating system gives randomness");
        let nonce = hex::encode(nonce);
        let Site { domain, uri } = &site;
        let (issued, ends) =
            (siwe::text_of(now), siwe::text_of(now.plus_ms(CHALLENGE_LIFE.as_millis() as u64)));
        let message = format!(
            "{domain} wants you to sign in with your Ethereum account:\n{address}\n\n{STATEMENT}\n\nURI: {uri}\n\
             Version: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: {issued}\nExpiration Time: {ends}"
        );
        let challenge =
            Challenge { source, site, address, chain_id, issued_at: now, ends: clock + CHALLENGE_LIFE };
        self.0.insert(nonce, challenge);
        message
    }

    /// Removes what ends first of the source that has most.
    fn make_room(&mut self) {
        let mut counts = BTreeMap::<Source, usize>::new();
        for challenge in self.0.values() {
            *counts.entry(challenge.source).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count).map(|(source, _)| source);
        let of_it = self.0.iter().filter(|(_, challenge)| Some(challenge.source) == most);
        let first = of_it.min_by_key(|(_, challenge)| challenge.ends).map(|(nonce, _)| nonce.clone());
        first.map(|nonce| self.0.remove(&nonce));
    }

    /// Whose signature under a message this is, if it answers a challenge of this page, in time. Whatever
    /// comes of it, the challenge is used up.
    pub(crate) fn answer(
        &mut self,
        site: &Site,
        text: &str,
        signature: &str,
        now: Timestamp,
        clock: Instant,
    ) -> Result<Address, &'static str> {
        let message = Message::parse(text).map_err(|_| "the message is not one of EIP-4361")?;
        let challenge = self.0.remove(&message.nonce).filter(|challenge| challenge.ends > clock);
        let challenge = challenge.ok_or("the message was used before, is too old, or not of this node")?;
        let is_of_site = message.domain == site.domain && message.uri == site.uri && challenge.site == *site;
        if !is_of_site || message.scheme.is_some_and(|scheme| !site.uri.starts_with(&format!("{scheme}://")))
        {
            return Err("the message is for another page");
        }
        if message.chain_id != challenge.chain_id {
            return Err("the message is for another chain");
        }
        if message.address != challenge.address {
            return Err("the message is of another wallet");
        }
        let is_issued = message.issued_at.as_millis() + SKEW_MS >= challenge.issued_at.as_millis()
            && message.issued_at.as_millis() <= now.as_millis() + SKEW_MS;
        if !is_issued || message.not_before.is_some_and(|from| from > now) {
            return Err("the message does not hold yet, or was written before it was asked for");
        }
        if message.expires_at.is_some_and(|ends| ends <= now) {
            return Err("the message has expired");
        }
        let signature = read_signature(signature).ok_or("the signature is not 65 bytes in hex")?;
        let digest = personal_digest(text.as_bytes());
        signature.verify(&digest, &message.address).map_err(|_| "the signature is not that of the wallet")?;
        Ok(message.address)
    }
}

/// As wallets return it; some write the last byte as 0 or 1.
fn read_signature(text: &str) -> Option<EvmSignature> {
    let mut bytes = [0; 65];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
    if bytes[64] < 2 {
        bytes[64] += 27;
    }
    Some(EvmSignature::from_bytes(bytes))
}

#[cfg(test)]
mod tests;
