//! What RDKit's periodic table says of elements. The numbers are those that `PeriodicTable.GetValenceList`,
//! `GetNOuterElecs` and `GetAtomicWeight` of RDKit 2026.9.1 answer.

use elements_rs::Isotope;
use elements_rs::isotopes::RelativeAtomicMass as _;

use crate::molecule::Atom;

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

/// The mass of an atom: its isotope's, or its element's mean.
pub(crate) fn mass(atom: &Atom) -> f64 {
    let isotope = atom.isotope.and_then(|mass| Isotope::try_from((atom.element, mass)).ok());
    isotope.map_or_else(|| weight(atom.number()), |isotope| isotope.relative_atomic_mass())
}

/// By how many whole units an isotope is heavier than its element's mean, towards zero.
pub(crate) fn excess_mass(atom: &Atom) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "masses are below 300")]
    let excess = (mass(atom) - weight(atom.number())) as i32;
    excess
}

/// Mean masses of the elements that are supported.
fn weight(number: i32) -> f64 {
    match number {
        1 => 1.008,
        3 => 6.941,
        5 => 10.812,
        6 => 12.011,
        7 => 14.007,
        8 => 15.999,
        9 => 18.998,
        11 => 22.99,
        12 => 24.305,
        13 => 26.982,
        14 => 28.086,
        15 => 30.974,
        16 => 32.067,
        17 => 35.453,
        19 => 39.098,
        20 => 40.078,
        22 => 47.867,
        24 => 51.996,
        25 => 54.938,
        26 => 55.845,
        27 => 58.933,
        28 => 58.693,
        29 => 63.546,
        30 => 65.39,
        32 => 72.61,
        33 => 74.922,
        34 => 78.96,
        35 => 79.904,
        40 => 91.224,
        47 => 107.868,
        50 => 118.711,
        51 => 121.76,
        52 => 127.6,
        53 => 126.904,
        56 => 137.328,
        78 => 195.078,
        80 => 200.59,
        82 => 207.2,
        _ => 0.0,
    }
}

/// The mass of an element's most frequent isotope, of elements that have bonds.
pub(crate) fn most_common_isotope(number: i32) -> i32 {
    match number {
        1 => 1,
        5 => 11,
        6 => 12,
        7 => 14,
        8 => 16,
        9 => 19,
        13 => 27,
        14 => 28,
        15 => 31,
        16 => 32,
        17 => 35,
        32 => 74,
        33 => 75,
        34 => 80,
        35 => 79,
        50 => 120,
        51 => 121,
        52 => 130,
        53 => 127,
        80 => 202,
        _ => 0,
    }
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
