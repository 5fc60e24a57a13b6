//! "Did you mean …?"

/// The word that `given` was most likely meant to be, if one is near enough.
pub fn nearest<'a>(given: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = given.chars().count() / 3 + 1;
    let scored = words.into_iter().map(|word| (distance(given, word), word));
    scored.filter(|(distance, _)| *distance <= limit).min().map(|(_, word)| word)
}

/// Edits between two words, a swap of neighbours counting as one (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_word_meant() {
        let words = ["memory", "time", "fuel", "scratch", "output"];
        for (given, meant) in [
            ("memroy", Some("memory")),
            ("tiem", Some("time")),
            ("outputs", Some("output")),
            ("colour", None),
        ] {
            assert_eq!(nearest(given, words), meant, "{given}");
        }
    }
}
