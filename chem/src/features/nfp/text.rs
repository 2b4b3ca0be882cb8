//! How Python writes the fields of nfp's keys.

use std::str::FromStr as _;

use elements_rs::Element;

/// A value that molecules here may have, or one that none has, like a dative bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Value<T> {
    Of(T),
    Foreign,
}

/// The size of the smallest ring up to 11, one more for larger rings, 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RingSize(u8);

impl RingSize {
    pub const NONE: Self = Self(0);
    /// nfp's `'max'`.
    const LARGER: u8 = 12;

    pub fn of(size: usize) -> Self {
        Self(u8::try_from(size).unwrap_or(Self::LARGER).min(Self::LARGER))
    }

    pub fn parse(word: &str) -> Option<Self> {
        if word == "'max'" {
            return Some(Self(Self::LARGER));
        }
        word.parse().ok().filter(|&size| size < Self::LARGER).map(Self)
    }
}

pub(super) fn split<const N: usize>(fields: &str) -> Option<[&str; N]> {
    fields.split(", ").collect::<Vec<_>>().try_into().ok()
}

/// An atomic number; 0 of `*`.
pub(super) fn element(quoted: &str) -> Option<i32> {
    let symbol = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
    if symbol == "*" {
        return Some(0);
    }
    Element::from_str(symbol).ok().map(|element| i32::from(u8::from(element)))
}

pub(super) fn boolean(word: &str) -> Option<bool> {
    match word {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

/// `rdkit.Chem.rdchem.BondType.SINGLE`: one of the values of an enumeration of RDKit.
pub(super) fn value<T: Copy>(word: &str, enumeration: &str, known: &[(&str, T)]) -> Option<Value<T>> {
    let name = word.strip_prefix("rdkit.Chem.rdchem.")?.strip_prefix(enumeration)?.strip_prefix('.')?;
    if let Some(&(_, value)) = known.iter().find(|(known, _)| *known == name) {
        return Some(Value::Of(value));
    }
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_name)).then_some(Value::Foreign)
}
