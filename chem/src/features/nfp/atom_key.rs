//! The keys of nfp's vocabularies of atoms, read once, so that no molecule needs text.

use super::Version;
use super::text::{RingSize, Value, boolean, element, split, value};
use crate::hybrid::{Hybridisation, hybridisation};
use crate::molecule::{Handedness, Molecule};
use crate::valence;

/// `('C', 4, 0, 0, False)`, or a longer one of the second version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum AtomKey {
    V1(Plain),
    V2(Detailed),
}

/// Symbol, degree, hydrogens, implicit valence, aromatic. Hydrogens are atoms, so that the third and the fourth are 0 in all
/// molecules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Plain {
    element: i32,
    degree: i32,
    hydrogens: i32,
    implicit_valence: i32,
    aromatic: bool,
}

/// The fields in nfp's order. Hydrogens are atoms, so that their counts and the implicit valence are 0 in all molecules, the
/// degrees are one, and so are the valences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Detailed {
    handedness: Value<Option<Handedness>>,
    degree: i32,
    explicit_valence: i32,
    charge: i32,
    /// None of a hydrogen that was added: RDKit does not ask what it is.
    hybridisation: Value<Option<Hybridisation>>,
    implicit_valence: i32,
    aromatic: bool,
    no_implicit: bool,
    explicit_hydrogens: i32,
    implicit_hydrogens: i32,
    radicals: i32,
    element: i32,
    total_degree: i32,
    hydrogens: i32,
    valence: i32,
    ring: RingSize,
}

const TAGS: [(&str, Option<Handedness>); 3] = [
    ("CHI_UNSPECIFIED", None),
    ("CHI_TETRAHEDRAL_CW", Some(Handedness::Clockwise)),
    ("CHI_TETRAHEDRAL_CCW", Some(Handedness::Counterclockwise)),
];
const HYBRIDISATIONS: [(&str, Option<Hybridisation>); 7] = [
    ("UNSPECIFIED", None),
    ("S", Some(Hybridisation::S)),
    ("SP", Some(Hybridisation::Sp)),
    ("SP2", Some(Hybridisation::Sp2)),
    ("SP3", Some(Hybridisation::Sp3)),
    ("SP3D", Some(Hybridisation::Sp3d)),
    ("SP3D2", Some(Hybridisation::Sp3d2)),
];

impl AtomKey {
    pub fn of(version: Version, molecule: &Molecule, index: usize) -> Self {
        let atom = &molecule.atoms[index];
        let (element, degree) = (atom.number(), molecule.total_degree(index));
        if version == Version::V1 {
            return Self::V1(Plain { element, degree, hydrogens: 0, implicit_valence: 0, aromatic: atom.aromatic });
        }
        let valence = valence::of_all_bonds(molecule, index);
        let hybridisation = hybridisation(molecule, index);
        Self::V2(Detailed {
            handedness: Value::Of(atom.handedness),
            degree,
            explicit_valence: valence,
            charge: atom.charge,
            hybridisation: Value::Of((hybridisation != Hybridisation::Other).then_some(hybridisation)),
            implicit_valence: 0,
            aromatic: atom.aromatic,
            no_implicit: atom.in_brackets,
            explicit_hydrogens: 0,
            implicit_hydrogens: 0,
            radicals: atom.radicals,
            element,
            total_degree: degree,
            hydrogens: 0,
            valence,
            ring: RingSize::of(atom.ring),
        })
    }

    /// Of a hydrogen that was no atom.
    pub fn hydrogen(version: Version) -> Self {
        match version {
            Version::V1 => {
                Self::V1(Plain { element: 1, degree: 1, hydrogens: 0, implicit_valence: 0, aromatic: false })
            }
            Version::V2 => Self::V2(Detailed {
                handedness: Value::Of(None),
                degree: 1,
                explicit_valence: 1,
                charge: 0,
                hybridisation: Value::Of(None),
                implicit_valence: 0,
                aromatic: false,
                no_implicit: false,
                explicit_hydrogens: 0,
                implicit_hydrogens: 0,
                radicals: 0,
                element: 1,
                total_degree: 1,
                hydrogens: 0,
                valence: 1,
                ring: RingSize::NONE,
            }),
        }
    }

    /// The key and the version that writes it so.
    pub fn parse(text: &str) -> Option<(Version, Self)> {
        let fields = text.strip_prefix('(')?.strip_suffix(')')?;
        if let Some(fields) = split(fields) {
            return Plain::parse(fields).map(|key| (Version::V1, Self::V1(key)));
        }
        Detailed::parse(split(fields)?).map(|key| (Version::V2, Self::V2(key)))
    }
}

impl Plain {
    fn parse([symbol, degree, hydrogens, implicit_valence, aromatic]: [&str; 5]) -> Option<Self> {
        Some(Self {
            element: element(symbol)?,
            degree: degree.parse().ok()?,
            hydrogens: hydrogens.parse().ok()?,
            implicit_valence: implicit_valence.parse().ok()?,
            aromatic: boolean(aromatic)?,
        })
    }
}

impl Detailed {
    fn parse(fields: [&str; 16]) -> Option<Self> {
        let number = |place: usize| fields.get(place)?.parse().ok();
        Some(Self {
            handedness: value(fields[0], "ChiralType", &TAGS)?,
            degree: number(1)?,
            explicit_valence: number(2)?,
            charge: number(3)?,
            hybridisation: value(fields[4], "HybridizationType", &HYBRIDISATIONS)?,
            implicit_valence: number(5)?,
            aromatic: boolean(fields[6])?,
            no_implicit: boolean(fields[7])?,
            explicit_hydrogens: number(8)?,
            implicit_hydrogens: number(9)?,
            radicals: number(10)?,
            element: element(fields[11])?,
            total_degree: number(12)?,
            hydrogens: number(13)?,
            valence: number(14)?,
            ring: RingSize::parse(fields[15])?,
        })
    }
}
