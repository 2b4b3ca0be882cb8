//! What RDKit's periodic table says of valences. The numbers are those that `PeriodicTable.GetValenceList` and
//! `GetNOuterElecs` of RDKit 2026.9.1 answer.

/// Valences that an element may have, ascending; -1: any.
///
/// Numbers outside of the table (an element's number less its charge may be one) have the valences of the nearest.
pub(crate) fn valences(number: i32) -> &'static [i32] {
    match number {
        1 | 55 | 87 | 9 | 17 | 35 => &[1],
        2 | 10 | 18 | 36 | 86 => &[0],
        3 | 11 | 19 | 37 => &[1, -1],
        12 | 20 | 38 | 56 | 88 => &[2, -1],
        6 | 14 | 32 => &[4],
        5 | 7 | 13 | 31 | 49 => &[3],
        4 | 8 => &[2],
        15 | 33 | 51 | 83 => &[3, 5],
        16 | 34 | 52 | 84 => &[2, 4, 6],
        50 | 82 => &[2, 4],
        53 | 85 => &[1, 3, 5],
        54 => &[0, 2, 4, 6],
        _ => &[-1],
    }
}

/// The first of its valences; -1: any.
pub(crate) fn default_valence(number: i32) -> i32 {
    valences(number)[0]
}

/// The last of its valences; -1: any.
pub(crate) fn highest_valence(number: i32) -> i32 {
    valences(number).last().copied().unwrap_or(-1)
}

/// Electrons in the outer shell, as far as bonds are concerned.
pub(crate) fn outer_electrons(number: i32) -> i32 {
    match number {
        1 | 3 | 11 | 19 | 37 | 55 | 87 => 1,
        5..=10 => number - 2,
        13..=18 => number - 10,
        31..=36 => number - 28,
        49..=54 => number - 46,
        81..=86 => number - 78,
        21..=29 => number - 18,
        39..=47 => number - 36,
        57 | 58 => number - 54,
        59..=71 => number - 56,
        72..=79 => number - 68,
        89 | 90 => number - 86,
        91..=103 => number - 88,
        _ => 2,
    }
}

/// Whether one element draws electrons from another: more outer electrons or, of as many, the lighter one.
pub(crate) fn more_electronegative(one: i32, other: i32) -> bool {
    let (ours, theirs) = (outer_electrons(one), outer_electrons(other));
    ours > theirs || (ours == theirs && one < other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_one_of_rdkit() {
        // Z, valences and outer electrons as RDKit 2026.9.1 prints them.
        let rdkit: [(i32, &[i32], i32); 15] = [
            (1, &[1], 1),
            (5, &[3], 3),
            (6, &[4], 4),
            (7, &[3], 5),
            (8, &[2], 6),
            (11, &[1, -1], 1),
            (15, &[3, 5], 5),
            (16, &[2, 4, 6], 6),
            (26, &[-1], 8),
            (36, &[0], 8),
            (50, &[2, 4], 4),
            (53, &[1, 3, 5], 7),
            (71, &[-1], 15),
            (92, &[-1], 4),
            (79, &[-1], 11),
        ];
        for (number, expected, outer) in rdkit {
            assert_eq!(valences(number), expected, "{number}");
            assert_eq!(outer_electrons(number), outer, "{number}");
        }
    }
}
