//! Medians, and how sure they are.

/// Resamples for an interval.
const RESAMPLES: usize = 2_000;

/// The middle value; of an even number, the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// The range that holds 95 % of the medians of resamples (B. Efron, "Bootstrap methods", 1979). The
/// same values always give the same range.
pub fn interval_of_median(values: &[f64]) -> (f64, f64) {
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let resample: Vec<f64> =
                values.iter().map(|_| values[next(&mut random) % values.len()]).collect();
            median(&resample)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    (medians[RESAMPLES / 40], medians[RESAMPLES - 1 - RESAMPLES / 40])
}

/// xorshift64: G. Marsaglia, "Xorshift RNGs", 2003.
fn next(random: &mut u64) -> usize {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    (*random >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn an_interval_holds_its_median_and_narrows_with_agreement() {
        let (low, high) = interval_of_median(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert!(low < 4.0 && 4.0 < high);
        assert_eq!(interval_of_median(&[2.0, 2.0, 2.0]), (2.0, 2.0));
        assert_eq!(interval_of_median(&[2.0]), (2.0, 2.0));
    }
}
