//! The table that the program looks answers up in.
//!
//! The number of entries; the entries in the order of their keys, each the places and sizes of key, head and body;
//! then keys, heads and bodies. All numbers are 32 bits, little-endian. A head is brought to [`HEAD_ADDRESS`] whole, so the
//! addresses in it are those of memory, and its headers are a list as the component model lays it out.

use crate::answers::Answer;
use std::collections::{BTreeMap, HashMap};

/// Where the program brings heads.
const HEAD_ADDRESS: u32 = 0x2000;
/// Status, number of headers, number of those for 304, address and size of the tag.
const HEAD_FIXED_BYTES: u32 = 20;
/// Address and size of a header's name and of its value.
const HEADER_BYTES: u32 = 16;
/// Place and size of key, head and body.
const ENTRY_BYTES: u32 = 24;

/// The table of answers by path. All sizes are checked before: it has less than 4 GiB.
pub fn table(answers: &BTreeMap<String, Answer<'_>>) -> Vec<u8> {
    let mut rest =
        Rest { at: 4 + size(answers.len()) * ENTRY_BYTES, bytes: Vec::new(), known: HashMap::new() };
    let mut bytes = size(answers.len()).to_le_bytes().to_vec();
    for (path, answer) in answers {
        for part in [path.as_bytes(), &head(answer)] {
            bytes.extend(rest.add(part));
        }
        bytes.extend(rest.add_once(answer.body));
    }
    bytes.extend(rest.bytes);
    bytes
}

/// What entries lead to.
struct Rest<'a> {
    at: u32,
    bytes: Vec<u8>,
    /// Bodies are there once, however many paths lead to them.
    known: HashMap<&'a [u8], [u8; 8]>,
}

impl<'a> Rest<'a> {
    fn add(&mut self, part: &[u8]) -> [u8; 8] {
        let place = pair(self.at + size(self.bytes.len()), size(part.len()));
        self.bytes.extend(part);
        place
    }

    fn add_once(&mut self, part: &'a [u8]) -> [u8; 8] {
        if let Some(place) = self.known.get(part) {
            return *place;
        }
        let place = self.add(part);
        self.known.insert(part, place);
        place
    }
}

fn head(answer: &Answer<'_>) -> Vec<u8> {
    // What somebody who has it already needs comes first.
    let tag = answer.tag.iter().map(|tag| ("etag", tag.as_str()));
    let kept = answer.headers.iter().filter(|(name, _)| *name == "cache-control");
    let other = answer.headers.iter().filter(|(name, _)| *name != "cache-control");
    let for_304 = 1 + kept.clone().count();
    let headers: Vec<(&str, &str)> =
        tag.chain(kept.chain(other).map(|(name, value)| (*name, value.as_str()))).collect();
    let mut texts: Vec<u8> = Vec::new();
    let texts_at = HEAD_ADDRESS + HEAD_FIXED_BYTES + size(headers.len()) * HEADER_BYTES;
    let mut text = |text: &str| {
        let place = pair(texts_at + size(texts.len()), size(text.len()));
        texts.extend(text.as_bytes());
        place
    };
    let tag = text(answer.tag.as_deref().unwrap_or_default());
    let mut head = Vec::new();
    for number in [u32::from(answer.status), size(headers.len()), size(for_304.min(headers.len()))] {
        head.extend(number.to_le_bytes());
    }
    head.extend(tag);
    for (name, value) in headers {
        head.extend(text(name));
        head.extend(text(value));
    }
    head.extend(texts);
    head
}

fn pair(first: u32, second: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&first.to_le_bytes());
    bytes[4..].copy_from_slice(&second.to_le_bytes());
    bytes
}

fn size(count: usize) -> u32 {
    u32::try_from(count).expect("sizes are checked before")
}
