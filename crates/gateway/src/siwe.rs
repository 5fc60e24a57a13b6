//! The message that a wallet signs to log in, read strictly.
//!
//! Source: EIP-4361, "Sign-In with Ethereum", its grammar; RFC 3339 for its times.

use opensky_ledger::evm::Address;
use opensky_types::Timestamp;

/// Longest message, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// What follows the domain in the first line.
const WANTS: &str = " wants you to sign in with your Ethereum account:";
/// Shortest nonce.
const NONCE_CHARS_MIN: usize = 8;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// `https`, say; may be left out.
    pub(crate) scheme: Option<String>,
    /// Whose page asks: a host with its port.
    pub(crate) domain: String,
    pub(crate) address: Address,
    pub(crate) statement: Option<String>,
    pub(crate) uri: String,
    pub(crate) chain_id: u64,
    pub(crate) nonce: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) request_id: Option<String>,
    pub(crate) resources: Vec<String>,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is not one of EIP-4361: {0}")]
pub(crate) struct Malformed(&'static str);

impl Message {
    /// Reads a message.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > MESSAGE_BYTES_MAX {
            return Err(Malformed("it is too long"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(Malformed("it has control characters"));
        }
        let mut lines = text.split('\n').peekable();
        let mut next = |what| lines.next().ok_or(Malformed(what));
        let first = next("its first line")?;
        let site = first.strip_suffix(WANTS).ok_or(Malformed("its first line"))?;
        let (scheme, domain) = match site.split_once("://") {
            Some((scheme, domain)) => (Some(scheme), domain),
            None => (None, site),
        };
        if scheme.is_some_and(|scheme| !is_scheme(scheme)) {
            return Err(Malformed("its scheme"));
        }
        let domain = (is_authority(domain)).then_some(domain).ok_or(Malformed("its domain"))?;
        let address = address(next("its address")?).ok_or(Malformed("its address"))?;
        let empty = |line: &str| line.is_empty().then_some(()).ok_or(Malformed("an empty line is missing"));
        empty(next("it ends after the address")?)?;
        let statement = next("it ends after the address")?;
        if !statement.is_empty() {
            empty(next("it ends after its statement")?)?;
        }
        if !statement.chars().all(|c| c == ' ' || (is_of_uri(c) && c != '%')) {
            return Err(Malformed("its statement has other characters than those of a URI and spaces"));
        }
        let mut fields = Fields { lines: lines.collect() };
        Ok(Self {
            scheme: scheme.map(str::to_owned),
            domain: domain.to_owned(),
            address,
            statement: (!statement.is_empty()).then(|| statement.to_owned()),
            uri: fields.must("URI: ").filter(|uri| is_uri(uri)).ok_or(Malformed("its URI"))?.to_owned(),
            chain_id: {
                fields.must("Version: ").filter(|version| *version == "1").ok_or(Malformed("its version"))?;
                fields.must("Chain ID: ").and_then(number).ok_or(Malformed("its chain id"))?
            },
            nonce: {
                let is_nonce = |nonce: &&str| {
                    nonce.len() >= NONCE_CHARS_MIN && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric())
                };
                fields.must("Nonce: ").filter(is_nonce).ok_or(Malformed("its nonce"))?.to_owned()
            },
            issued_at: fields.must("Issued At: ").and_then(time).ok_or(Malformed("when it was issued"))?,
            expires_at: fields.may("Expiration Time: ", time).map_err(|()| Malformed("when it expires"))?,
            not_before: fields.may("Not Before: ", time).map_err(|()| Malformed("from when on it holds"))?,
            request_id: {
                let id = |id: &str| id.chars().all(is_of_uri).then(|| id.to_owned());
                fields.may("Request ID: ", id).map_err(|()| Malformed("its request id"))?
            },
            resources: fields.resources().ok_or(Malformed("its resources"))?,
        })
    }
}

/// Lines with a name, in the order that the grammar says.
struct Fields<'a> {
    lines: std::collections::VecDeque<&'a str>,
}

impl<'a> Fields<'a> {
    fn must(&mut self, name: &str) -> Option<&'a str> {
        let value = self.lines.front()?.strip_prefix(name)?;
        self.lines.pop_front();
        Some(value)
    }

    fn may<T>(&mut self, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ()> {
        match self.must(name) {
            Some(value) => read(value).map(Some).ok_or(()),
            None => Ok(None),
        }
    }

    /// All that is left: `None` if it is anything else.
    fn resources(mut self) -> Option<Vec<String>> {
        match self.lines.pop_front() {
            None => Some(Vec::new()),
            Some("Resources:") => {
                let resource =
                    |line: &str| Some(line.strip_prefix("- ").filter(|uri| is_uri(uri))?.to_owned());
                self.lines.into_iter().map(resource).collect()
            }
            Some(_) => None,
        }
    }
}

/// With the checksum of EIP-55, as the grammar asks for.
fn address(text: &str) -> Option<Address> {
    let address: Address = text.parse().ok()?;
    (address.to_string() == text).then_some(address)
}

fn number(text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// What RFC 3986 calls unreserved and reserved, and the sign of an escape.
fn is_of_uri(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

/// An authority of RFC 3986; what is in it is compared, not resolved.
fn is_authority(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_of_uri(c) && !"/?#".contains(c))
}

fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty())
        && text.chars().all(is_of_uri)
}

/// A time of RFC 3339, in milliseconds since 1970. Leap seconds count as the second before.
fn time(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let digits = |from: usize, count: usize| -> Option<u64> {
        let digits = text.get(from..from + count)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    for (place, mark) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        (bytes.get(place) == Some(&mark)).then_some(())?;
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
    let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
    let is_date = year >= 1970 && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (millis, rest) = fraction(text.get(19..)?)?;
    let offset_minutes = offset(rest)?;
    let days = days_before(year, month) + day - 1;
    let minutes = i64::try_from((days * 24 + hour) * 60 + minute).ok()? - offset_minutes;
    let seconds = minutes.checked_mul(60)? + i64::try_from(second.min(59)).ok()?;
    Some(Timestamp::from_millis(u64::try_from(seconds.checked_mul(1_000)?).ok()? + millis))
}

/// Milliseconds after the point, and what follows.
fn fraction(text: &str) -> Option<(u64, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let padded = format!("{:0<3}", &digits[..count]);
    Some((padded[..3].parse().ok()?, &digits[count..]))
}

/// `Z`, or hours and minutes ahead of it.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) =
        rest.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 23 && minutes <= 59).then(|| sign * (hours * 60 + minutes) as i64)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to the first of a month.
fn days_before(year: u64, month: u64) -> u64 {
    let leaps = |year: u64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let of_years = (year - 1970) * 365 + leaps(year) - leaps(1970);
    of_years + (1..month).map(|month| days_of(year, month)).sum::<u64>()
}

/// Milliseconds since 1970 as a time of RFC 3339.
pub(crate) fn text_of(at: Timestamp) -> String {
    let (millis, seconds) = (at.as_millis() % 1_000, at.as_millis() / 1_000);
    let (mut days, of_day) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while days >= days_of(year, month) {
        days -= days_of(year, month);
        month += 1;
    }
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z", days + 1)
}

#[cfg(test)]
mod tests;
