//! "Did you mean …": the names that look most like the one that is missing.

/// More would hide the sentence that they follow.
const MAX_NAMES: usize = 4;

/// A half-sentence with the most similar names, or nothing when there are none.
pub fn similar(wanted: &str, found: impl IntoIterator<Item = String>) -> String {
    let score = |name: &String| strsim::normalized_damerau_levenshtein(wanted, name.trim_end_matches('/'));
    let mut scored: Vec<_> = found.into_iter().map(|name| (score(&name), name)).collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    let names: Vec<_> = scored.iter().take(MAX_NAMES).map(|(_, name)| format!("\"{}\"", name.escape_debug())).collect();
    if names.is_empty() { String::new() } else { format!(" (there is {})", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_comes_first() {
        let found = ["zebra/", "models/v2/", "models/v11/", "x", "y"].map(str::to_owned);
        assert!(similar("models/v1", found).starts_with(" (there is \"models/v11/\", \"models/v2/\""));
        assert_eq!(similar("models/v1", []), "");
    }
}
