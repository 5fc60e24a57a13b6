//! Numbers with units as Docker, Kubernetes and Bacalhau write them, read without rounding down.

/// Millionths of a decimal number such as `0.5`, and what follows it.
fn micro(text: &str) -> Option<(u128, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_number = (!whole.is_empty() || !part.is_empty()) && !part.contains('.');
    if !is_number || whole.len() > 19 {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u128 = format!("{:0<6}", part.get(..6).unwrap_or(part)).parse().ok()?;
    Some((whole * 1_000_000 + part, unit))
}

/// Bytes of a size such as `512m`, `1.5Gi`, `2GB` or `4096`. Letters without an `i` count in powers of `base`.
pub(crate) fn bytes(text: &str, base: u64) -> Option<u64> {
    let (number, unit) = micro(text.trim())?;
    let unit = unit.trim().to_ascii_lowercase();
    let letters = unit.strip_suffix('b').unwrap_or(&unit);
    let (letter, base) = match letters.strip_suffix('i') {
        Some(letter) => (letter, 1_024),
        None => (letters, base),
    };
    let power = match letter {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    let bytes = number.checked_mul(u128::from(base).pow(power))?.div_ceil(1_000_000);
    u64::try_from(bytes).ok()
}

/// Thousandths of a number such as `0.5`, `2` or `500m`.
pub(crate) fn milli(text: &str) -> Option<u64> {
    let (number, unit) = micro(text.trim())?;
    let milli = match unit {
        "" => number.div_ceil(1_000),
        "m" => number.div_ceil(1_000_000),
        _ => return None,
    };
    u64::try_from(milli).ok()
}

/// Thousandths as people read them.
pub(crate) fn in_words(milli: u64) -> String {
    format!("{}.{:03}", milli / 1_000, milli % 1_000).trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Milliseconds of a time such as `1m30s`, `1.5h`, `500ms` or `0`.
pub(crate) fn millis(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (number, tail) = micro(rest)?;
        let letters = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit_us: u128 = match unit {
            "us" | "µs" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit_us)? / 1_000_000)?;
        rest = tail;
    }
    u64::try_from(total.div_ceil(1_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_other_systems_write_them() {
        for (text, base, expected) in [
            ("512m", 1_024, Some(512 << 20)),
            ("512M", 1_000, Some(512_000_000)),
            ("512Mi", 1_000, Some(512 << 20)),
            ("1.5Gi", 1_000, Some(1_536 << 20)),
            ("1gb", 1_024, Some(1 << 30)),
            ("4096", 1_000, Some(4_096)),
            ("0.5k", 1_024, Some(512)),
            ("50x", 1_024, None),
            ("", 1_024, None),
            (".", 1_024, None),
            ("1.2.3m", 1_024, None),
            ("-1m", 1_024, None),
            ("99999999999999999999", 1_024, None),
            ("9999999999999999999t", 1_024, None),
        ] {
            assert_eq!(bytes(text, base), expected, "{text}");
        }
        for (text, expected) in
            [("0.5", Some(500)), ("500m", Some(500)), ("2", Some(2_000)), ("0.0001", Some(1)), ("x", None)]
        {
            assert_eq!(milli(text), expected, "{text}");
        }
        for (text, expected) in [
            ("1m30s", Some(90_000)),
            ("1.5h", Some(5_400_000)),
            ("500ms", Some(500)),
            ("0", Some(0)),
            ("100us", Some(1)),
            ("30", None),
            ("", None),
            ("s", None),
            ("9999999999999999999h", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
        assert_eq!(in_words(500), "0.5");
        assert_eq!(in_words(2_000), "2");
    }
}
