//! Who is let in: knocks answered and made.

use crate::handle::IssuedInvite;
use opensky_ports::{Transport, TransportError, journal::StoredInvite};
use opensky_protocol::{
    Message,
    knock::{Knock, KnockReply, Refusal},
};
use opensky_types::{
    Keypair, NodeId, Signed, Timestamp,
    codec::DecodeError,
    membership::{
        CHAIN_LENGTH_MAX, Genesis, INVITE_ADDRESSES_MAX, Invite, InvitePolicy, InviteToken, MembershipChain,
        MembershipError,
    },
    signed::SignedError,
};
use std::{collections::BTreeMap, net::IpAddr};

#[cfg(test)]
mod tests;

/// What a node that knows nobody shows to a member: its own membership.
pub fn member_knock(genesis: &Genesis, chain: &MembershipChain) -> Vec<u8> {
    opensky_types::codec::encode(&Knock::Member { sky: genesis.sky(), chain: chain.clone() })
}

/// A sky as a newcomer got to know it.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The sky.
    pub genesis: Genesis,
    /// This node's membership.
    pub chain: MembershipChain,
    /// The member that let it in.
    pub issuer: NodeId,
    /// That member's own membership.
    pub issuer_chain: MembershipChain,
}

/// Why joining failed.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The token is not what its issuer signed.
    #[error("the invite was changed on its way: {0}")]
    Forged(#[from] SignedError),
    /// The token is too old.
    #[error("the invite has expired; ask for a new one (`opensky invite`)")]
    Expired,
    /// The issuer cannot be reached.
    #[error("the node that issued the invite cannot be reached; is it running, and reachable from here?")]
    Unreachable(#[from] TransportError),
    /// The issuer said no.
    #[error("{0}")]
    Refused(Refusal),
    /// The issuer answered something that is no answer.
    #[error("the node that issued the invite answered nonsense; it may run another version")]
    Nonsense(#[source] Option<DecodeError>),
    /// The membership it gave does not hold.
    #[error("the membership that was given does not hold: {0}")]
    BadMembership(#[from] MembershipError),
}

/// Joins a sky: with a token its issuer is asked, without one the named neighbour is, whose door
/// must be open.
pub async fn join(
    transport: &dyn Transport,
    own: NodeId,
    token: Option<&InviteToken>,
    neighbour: (NodeId, Vec<String>),
    now: Timestamp,
) -> Result<Joined, JoinError> {
    let (knock, (issuer, addresses), expected) = match token {
        Some(InviteToken(signed)) => {
            let invite = signed.verify()?;
            if now > invite.expires_at {
                return Err(JoinError::Expired);
            }
            let at = (invite.issuer, invite.addresses);
            (Knock::Invited { invite: signed.clone() }, at, Some(invite.genesis))
        }
        None => (Knock::Local, neighbour, None),
    };
    let body = transport.knock(issuer, addresses, opensky_types::codec::encode(&knock)).await?;
    match KnockReply::from_body(&body).map_err(|error| JoinError::Nonsense(Some(error)))? {
        KnockReply::Joined { genesis, chain, issuer_chain } => {
            if expected.is_some_and(|expected| expected != genesis) {
                return Err(JoinError::BadMembership(MembershipError::OtherSky));
            }
            chain.verify(&genesis, own)?;
            issuer_chain.verify(&genesis, issuer)?;
            Ok(Joined { genesis, chain, issuer, issuer_chain })
        }
        KnockReply::Refused { refusal } => Err(JoinError::Refused(refusal)),
        KnockReply::Welcome { .. } => Err(JoinError::Nonsense(None)),
    }
}

/// How a knock is answered, and what must be kept before the answer goes out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A member of old.
    Welcome { chain: MembershipChain },
    /// A new member; `invite` is the nonce of the invite it used up once, if it had not before.
    Join { chain: MembershipChain, invite: Option<u64> },
    /// No.
    Refuse(Refusal),
}

/// The door of this node.
pub(crate) struct Membership {
    genesis: Genesis,
    own: NodeId,
    chain: MembershipChain,
    invites: BTreeMap<u64, StoredInvite>,
    local_door_until: Timestamp,
}

impl Membership {
    pub(crate) fn new(
        genesis: Genesis,
        own: NodeId,
        chain: MembershipChain,
        invites: Vec<StoredInvite>,
    ) -> Self {
        let invites = invites.into_iter().map(|stored| (stored.invite.nonce, stored)).collect();
        Self { genesis, own, chain, invites, local_door_until: Timestamp::default() }
    }

    pub(crate) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Whether the genesis lets this node invite, and its guests would hold a chain that is not too
    /// long to be checked.
    pub(crate) fn may_invite(&self) -> bool {
        let allowed = self.genesis.invites == InvitePolicy::Members || self.own == self.genesis.founder;
        allowed && self.chain.0.len() < CHAIN_LENGTH_MAX
    }

    /// A new invite, remembered here; the caller keeps it before it shows it.
    pub(crate) fn invite(
        &mut self,
        key: &Keypair,
        mut addresses: Vec<String>,
        nonce: u64,
        expires_at: Timestamp,
        uses_max: u32,
    ) -> (Invite, InviteToken) {
        addresses.truncate(INVITE_ADDRESSES_MAX);
        let genesis = self.genesis.clone();
        let invite = Invite { genesis, issuer: self.own, addresses, nonce, expires_at, uses_max };
        self.invites.insert(nonce, StoredInvite { invite: invite.clone(), used_by: Vec::new() });
        let token = InviteToken(Signed::sign(&invite, key));
        (invite, token)
    }

    /// Invites issued here. Signatures are deterministic, so a token is the same each time.
    pub(crate) fn issued(&self, key: &Keypair) -> Vec<IssuedInvite> {
        let issued = self.invites.values().map(|stored| IssuedInvite {
            token: InviteToken(Signed::sign(&stored.invite, key)),
            invite: stored.invite.clone(),
            used_by: stored.used_by.clone(),
        });
        issued.collect()
    }

    pub(crate) fn open_local_door(&mut self, until: Timestamp) {
        self.local_door_until = until;
    }

    /// Whether another member's reply to our knock holds.
    pub(crate) fn welcomes(&self, from: NodeId, body: &[u8]) -> Result<MembershipChain, MembershipError> {
        let (KnockReply::Welcome { chain } | KnockReply::Joined { issuer_chain: chain, .. }) =
            KnockReply::from_body(body).map_err(|error| MembershipError::Signature(error.into()))?
        else {
            return Err(MembershipError::Broken { node: from });
        };
        chain.verify(&self.genesis, from)?;
        Ok(chain)
    }

    /// Judges a knock. An invite counts as used from here on.
    pub(crate) fn judge(
        &mut self,
        key: &Keypair,
        from: NodeId,
        address: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Decision {
        let Ok(knock) = Knock::from_body(body) else { return Decision::Refuse(Refusal::NotMember) };
        match knock {
            Knock::Member { chain, .. } => match chain.verify(&self.genesis, from) {
                Ok(()) => Decision::Welcome { chain },
                Err(error) => {
                    tracing::debug!(%from, %error, "knock refused");
                    Decision::Refuse(Refusal::NotMember)
                }
            },
            Knock::Invited { .. } | Knock::Local if !self.may_invite() => {
                Decision::Refuse(Refusal::MayNotInvite)
            }
            Knock::Invited { invite } => match self.use_invite(&invite, from, now) {
                Ok(first_use) => Decision::Join {
                    chain: self.chain.extend(key, &self.genesis, from, now),
                    invite: first_use,
                },
                Err(refusal) => Decision::Refuse(refusal),
            },
            Knock::Local if now < self.local_door_until && is_local(address) => {
                Decision::Join { chain: self.chain.extend(key, &self.genesis, from, now), invite: None }
            }
            Knock::Local => Decision::Refuse(Refusal::DoorClosed),
        }
    }

    /// The reply to a positive decision.
    pub(crate) fn reply(&self, decision: &Decision) -> KnockReply {
        match decision {
            Decision::Welcome { .. } => KnockReply::Welcome { chain: self.chain.clone() },
            Decision::Join { chain, .. } => KnockReply::Joined {
                genesis: self.genesis.clone(),
                chain: chain.clone(),
                issuer_chain: self.chain.clone(),
            },
            Decision::Refuse(refusal) => KnockReply::Refused { refusal: *refusal },
        }
    }

    /// Counts a use, once per node; answers the nonce when this node had not used it before.
    fn use_invite(
        &mut self,
        signed: &Signed<Invite>,
        from: NodeId,
        now: Timestamp,
    ) -> Result<Option<u64>, Refusal> {
        let invite = signed.verify().map_err(|_| Refusal::InviteInvalid)?;
        if signed.signer() != self.own {
            return Err(Refusal::InviteInvalid);
        }
        let stored = self.invites.get_mut(&invite.nonce).filter(|stored| stored.invite == invite);
        let stored = stored.ok_or(Refusal::InviteInvalid)?;
        if now > invite.expires_at {
            return Err(Refusal::InviteExpired);
        }
        if stored.used_by.contains(&from) {
            return Ok(None);
        }
        if stored.used_by.len() >= invite.uses_max as usize {
            return Err(Refusal::InviteUsedUp);
        }
        stored.used_by.push(from);
        Ok(Some(invite.nonce))
    }
}

/// Whether a multiaddress is one of this machine or a private network. A relay may be near; who
/// comes through it need not be.
fn is_local(address: &str) -> bool {
    if address.split('/').any(|part| part == "p2p-circuit") {
        return false;
    }
    let ip = address.split('/').nth(2).and_then(|text| text.parse::<IpAddr>().ok());
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        None => false,
    }
}
