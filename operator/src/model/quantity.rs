//! Quantities of the Kubernetes API (`500m`, `2`, `4Gi`, `1e3`): checked and compared by value, because the API server answers with a
//! spelling of its own.

use std::cmp::Ordering;

const SUFFIXES: [(&str, f64); 13] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
];

/// The value of a quantity; `None` when the text is not one.
pub fn parse(text: &str) -> Option<f64> {
    let (number, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| text.strip_suffix(suffix).map(|number| (number, *factor)))
        .unwrap_or((text, 1.0));
    let starts_like_a_number = number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-'));
    let ends_like_a_number = number.ends_with(|c: char| c.is_ascii_digit() || c == '.');
    if !starts_like_a_number || !ends_like_a_number {
        return None;
    }
    number.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value * factor)
}

/// Whether two texts are the same quantity. The tolerance is that of the arithmetic, far below the API's smallest step.
pub fn same(a: &str, b: &str) -> bool {
    match (parse(a), parse(b)) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
        _ => false,
    }
}

/// Orders two quantities; `None` when one is not a quantity.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    parse(a)?.partial_cmp(&parse(b)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_the_same() {
        for (a, b) in [("1024Mi", "1Gi"), ("2000m", "2"), ("1e3", "1k"), ("0.5", "500m"), ("1Gi", "1073741824")] {
            assert!(same(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn different_values_differ() {
        for (a, b) in [("1G", "1Gi"), ("1", "1001m"), ("blue", "blue"), ("", "0")] {
            assert!(!same(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "Gi", "four", "4gb", "inf", "NaN", "1 Gi", "--1", "infm"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
