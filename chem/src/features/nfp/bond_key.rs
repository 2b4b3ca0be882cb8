//! The keys of nfp's vocabularies of bonds, read once, so that no molecule needs text.

use super::Version;
use super::text::{RingSize, Value, boolean, element, split, value};
use crate::molecule::{Bond, Geometry, Order};

/// `(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['C', 'H'])`: type, conjugated, in a ring, symbols in order.
/// `(rdkit.Chem.rdchem.BondType.SINGLE, False, rdkit.Chem.rdchem.BondStereo.STEREONONE, 0, ['C', 'H'])` of the second version:
/// type, conjugated, geometry, size of the ring, symbols in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BondKey {
    kind: Value<Order>,
    conjugated: bool,
    place: Place,
    elements: [i32; 2],
}

/// What the versions differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    V1 { in_ring: bool },
    V2 { geometry: Value<Option<Geometry>>, ring: RingSize },
}

const KINDS: [(&str, Order); 4] =
    [("SINGLE", Order::Single), ("DOUBLE", Order::Double), ("TRIPLE", Order::Triple), ("AROMATIC", Order::Aromatic)];
const GEOMETRIES: [(&str, Option<Geometry>); 3] =
    [("STEREONONE", None), ("STEREOE", Some(Geometry::E)), ("STEREOZ", Some(Geometry::Z))];

impl BondKey {
    pub fn of(version: Version, bond: &Bond, elements: [i32; 2]) -> Self {
        let place = match version {
            Version::V1 => Place::V1 { in_ring: bond.in_ring() },
            Version::V2 => Place::V2 { geometry: Value::Of(bond.geometry), ring: RingSize::of(bond.ring) },
        };
        let elements = ascending(elements);
        Self { kind: Value::Of(bond.order), conjugated: bond.conjugated, place, elements }
    }

    /// Of the bond to a hydrogen that was no atom.
    pub fn to_hydrogen(version: Version, element: i32) -> Self {
        let place = match version {
            Version::V1 => Place::V1 { in_ring: false },
            Version::V2 => Place::V2 { geometry: Value::Of(None), ring: RingSize::NONE },
        };
        Self { kind: Value::Of(Order::Single), conjugated: false, place, elements: ascending([element, 1]) }
    }

    /// The key and the version that writes it so.
    pub fn parse(text: &str) -> Option<(Version, Self)> {
        let fields = text.strip_prefix('(')?.strip_suffix("])")?;
        let (fields, symbols) = fields.split_once(", [")?;
        let [one, other] = split(symbols)?;
        let elements = ascending([element(one)?, element(other)?]);
        let (version, kind, conjugated, place) = if let Some([kind, conjugated, in_ring]) = split(fields) {
            (Version::V1, kind, conjugated, Place::V1 { in_ring: boolean(in_ring)? })
        } else {
            let [kind, conjugated, geometry, ring] = split(fields)?;
            let geometry = value(geometry, "BondStereo", &GEOMETRIES)?;
            (Version::V2, kind, conjugated, Place::V2 { geometry, ring: RingSize::parse(ring)? })
        };
        let kind = value(kind, "BondType", &KINDS)?;
        Some((version, Self { kind, conjugated: boolean(conjugated)?, place, elements }))
    }
}

fn ascending([one, other]: [i32; 2]) -> [i32; 2] {
    [one.min(other), one.max(other)]
}
