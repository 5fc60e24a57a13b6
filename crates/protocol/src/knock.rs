//! The first words between two nodes that do not know each other. The network carries them as
//! opaque bytes; nothing else is answered before a knock is.

use crate::frame::Message;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    Hash, Signed,
    membership::{Genesis, Invite, MembershipChain},
};

/// Protocol name and version.
pub const PROTOCOL: &str = "/opensky/knock/1";

/// "Let me in, because …"
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Knock {
    /// I belong already.
    Member { sky: Hash, chain: MembershipChain } = 0,
    /// I was invited by you.
    Invited { invite: Signed<Invite> } = 1,
    /// I am on your local network, and your door may be open.
    Local = 2,
}

impl Message for Knock {
    const SIZE_BYTES_MAX: usize = 16 * 1024;
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum KnockReply {
    /// Come in; here is who I am.
    Welcome { chain: MembershipChain } = 0,
    /// You are a member now; here is the sky, your membership and mine.
    Joined { genesis: Genesis, chain: MembershipChain, issuer_chain: MembershipChain } = 1,
    /// No, and nothing else.
    Refused { refusal: Refusal } = 2,
}

impl Message for KnockReply {
    const SIZE_BYTES_MAX: usize = 32 * 1024;
}

/// Why a knock was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize, thiserror::Error)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Refusal {
    /// Not a member, or of another sky.
    #[error("not a member of this sky; ask a member for an invite (`opensky invite`)")]
    NotMember = 0,
    /// The invite is not valid here.
    #[error("the invite was not issued by this node or was changed on the way")]
    InviteInvalid = 1,
    /// The invite is too old.
    #[error("the invite has expired; ask for a new one")]
    InviteExpired = 2,
    /// The invite was used up.
    #[error("the invite was used as often as it may be; ask for a new one")]
    InviteUsedUp = 3,
    /// This node may not invite.
    #[error("this member is not allowed to invite")]
    MayNotInvite = 4,
    /// The local door is closed.
    #[error("this sky's door is closed on the local network; a member can open it (`opensky invite --lan`)")]
    DoorClosed = 5,
}
