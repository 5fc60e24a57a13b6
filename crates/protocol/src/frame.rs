//! Frames: a length and a canonical value.

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::codec::{self, DecodeError};

/// Bytes of the length before a frame.
pub const HEADER_BYTES: usize = 4;

/// A value that travels as one frame.
pub trait Message: BorshSerialize + BorshDeserialize {
    /// The largest encoding that a reader accepts, in bytes without the length.
    const SIZE_BYTES_MAX: usize;

    /// The frame. Keeping it under the cap is the sender's part: it splits lists before.
    fn to_frame(&self) -> Vec<u8> {
        let mut frame = vec![0; HEADER_BYTES];
        self.serialize(&mut frame).expect("writing to memory cannot fail");
        let length = u32::try_from(frame.len() - HEADER_BYTES).expect("messages stay far below 4 GiB");
        frame[..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
        frame
    }

    /// The frame's body alone, where something else tells its length.
    fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes a frame's body, strictly.
    fn from_body(body: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(body, Self::SIZE_BYTES_MAX)
    }
}

/// The length that a header announces, refused if over the cap, so that no reader ever allocates
/// for a lie.
pub fn read_frame_len<M: Message>(header: [u8; HEADER_BYTES]) -> Result<usize, DecodeError> {
    let size_bytes = u32::from_le_bytes(header) as usize;
    if size_bytes > M::SIZE_BYTES_MAX {
        return Err(DecodeError::TooLarge { size_bytes, limit_bytes: M::SIZE_BYTES_MAX });
    }
    Ok(size_bytes)
}
