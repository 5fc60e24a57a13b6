//! Amounts as people write and read them. No floats.

use opensky_jobfile::values::parse_credits;
use opensky_types::Micros;

/// An amount: credits such as `1.5`, or micros such as `1500000u`.
pub fn amount(text: &str) -> Result<Micros, String> {
    let read = match text.strip_suffix('u') {
        Some(digits) => micros(digits),
        None => parse_credits(text),
    };
    read.ok_or_else(|| {
        format!("'{text}' is not an amount such as 1.5 (credits, six decimals at most) or 1500000u (micros)")
    })
}

fn micros(digits: &str) -> Option<Micros> {
    // Rust reads `+1` as a number too.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok().map(Micros::new))?
}

/// A share in hundredths, such as `20%`.
pub fn percent(text: &str) -> Result<u8, String> {
    let digits = text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|percent| (1..=100).contains(percent))
        .ok_or_else(|| format!("'{text}' is not a share such as 20% (1% to 100%)"))
}

/// Credits with six decimals, without their unit, for columns.
pub fn bare(amount: Micros) -> String {
    format!("{}.{:06}", amount.get() / 1_000_000, amount.get() % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        for (text, micros) in [
            ("1.5", 1_500_000),
            ("1500000u", 1_500_000),
            ("0.000001", 1),
            ("0", 0),
            ("0.1", 100_000),
            ("18446744073709.551615", u64::MAX),
            ("18446744073709551615u", u64::MAX),
        ] {
            assert_eq!(amount(text), Ok(Micros::new(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_an_example() {
        for text in [
            "",
            "u",
            ".5",
            "1.",
            "-1",
            "+1",
            "+1u",
            "1e3",
            "1,5",
            "0.0000001",
            "1.5u",
            "1 ",
            "NaN",
            "18446744073709.551616",
            "18446744073709551616u",
        ] {
            assert!(amount(text).expect_err(text).contains("1500000u"), "{text}");
        }
    }

    #[test]
    fn shares_are_whole_percents() {
        assert_eq!(percent("20%"), Ok(20));
        for text in ["", "%", "0%", "101%", "20", "2.5%", "+5%"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }
}
