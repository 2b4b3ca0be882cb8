//! The keys of nfp's vocabularies, read once, so that no molecule needs text.

use std::str::FromStr as _;

use elements_rs::Element;

use crate::molecule::Order;

/// `('C', 4, 0, 0, False)`: symbol, degree, hydrogens, implicit valence, aromatic. Hydrogens are atoms, so that the third
/// and the fourth are 0 in all molecules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AtomKey {
    element: i32,
    degree: i32,
    hydrogens: i32,
    implicit: i32,
    aromatic: bool,
}

/// `(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['C', 'H'])`: type, conjugated, in a ring, symbols in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BondKey {
    kind: Kind,
    conjugated: bool,
    in_ring: bool,
    elements: [i32; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Of(Order),
    /// One that no molecule here has, like a dative bond.
    Foreign,
}

impl AtomKey {
    pub fn of(element: i32, degree: i32, aromatic: bool) -> Self {
        Self { element, degree, hydrogens: 0, implicit: 0, aromatic }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let fields = text.strip_prefix('(')?.strip_suffix(')')?;
        let [symbol, degree, hydrogens, implicit, aromatic] = split(fields)?;
        Some(Self {
            element: element(symbol)?,
            degree: degree.parse().ok()?,
            hydrogens: hydrogens.parse().ok()?,
            implicit: implicit.parse().ok()?,
            aromatic: boolean(aromatic)?,
        })
    }
}

impl BondKey {
    pub fn of(order: Order, conjugated: bool, in_ring: bool, elements: [i32; 2]) -> Self {
        Self { kind: Kind::Of(order), conjugated, in_ring, elements: ascending(elements) }
    }

    pub fn to_hydrogen(element: i32) -> Self {
        Self::of(Order::Single, false, false, [element, 1])
    }

    pub fn parse(text: &str) -> Option<Self> {
        let fields = text.strip_prefix("(rdkit.Chem.rdchem.BondType.")?.strip_suffix("])")?;
        let (fields, symbols) = fields.split_once(", [")?;
        let [order, conjugated, in_ring] = split(fields)?;
        let [one, other] = split(symbols)?;
        Some(Self {
            kind: kind(order)?,
            conjugated: boolean(conjugated)?,
            in_ring: boolean(in_ring)?,
            elements: ascending([element(one)?, element(other)?]),
        })
    }
}

fn split<const N: usize>(fields: &str) -> Option<[&str; N]> {
    fields.split(", ").collect::<Vec<_>>().try_into().ok()
}

fn ascending([one, other]: [i32; 2]) -> [i32; 2] {
    [one.min(other), one.max(other)]
}

/// An atomic number; 0 of `*`.
fn element(quoted: &str) -> Option<i32> {
    let symbol = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
    if symbol == "*" {
        return Some(0);
    }
    Element::from_str(symbol).ok().map(|element| i32::from(u8::from(element)))
}

fn boolean(word: &str) -> Option<bool> {
    match word {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

fn kind(name: &str) -> Option<Kind> {
    match name {
        "SINGLE" => Some(Kind::Of(Order::Single)),
        "DOUBLE" => Some(Kind::Of(Order::Double)),
        "TRIPLE" => Some(Kind::Of(Order::Triple)),
        "AROMATIC" => Some(Kind::Of(Order::Aromatic)),
        other => (!other.is_empty() && other.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(Kind::Foreign),
    }
}
