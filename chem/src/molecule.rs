//! A molecule as RDKit's `MolFromSmiles` leaves it.

use elements_rs::Element;

use crate::error::{Problem, SmilesError};
use crate::stereo::Written;
use crate::{aromatic, clean, conjugated, hydrogens, kekule, parse, radicals, rings, stereo, strict, valence};

/// What is accepted at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Characters of the SMILES.
    pub characters: usize,
    /// Atoms, hydrogens counted.
    pub atoms: usize,
}

/// What the marks `@`, `/` and `\` of a SMILES change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stereo {
    /// Which stereocentres and double bonds there are, and which way round, as in RDKit.
    Perceived,
    /// Only that, as in RDKit, a hydrogen that shows the geometry of a double bond is an atom. This is for features that do not tell
    /// stereoisomers apart.
    Marked,
    /// Nothing: the molecule is the one that the text without them tells.
    Ignored,
}

/// Atoms and bonds after sanitising: hydrogens merged into their neighbours, aromaticity, conjugation and rings known.
#[derive(Debug, Clone)]
pub struct Molecule {
    pub(crate) atoms: Vec<Atom>,
    /// In the order in which RDKit makes them: that of the text, then closures of rings by their number.
    pub(crate) bonds: Vec<Bond>,
    links: Vec<Link>,
    /// Where the links of each atom begin, and one more.
    starts: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Atom {
    pub element: Element,
    pub isotope: Option<u16>,
    pub charge: i32,
    /// Hydrogens that the text states: in brackets, or as atoms that were merged.
    pub explicit_hydrogens: i32,
    /// Hydrogens that follow from the valence.
    pub implicit_hydrogens: i32,
    /// Whether the text says all of its hydrogens.
    pub in_brackets: bool,
    pub aromatic: bool,
    /// Orders of the bonds and the explicit hydrogens.
    pub explicit_valence: i32,
    pub radicals: i32,
    /// Atoms of the smallest ring that it is in; 0 when it is in none.
    pub ring: usize,
    /// Which way round its bonds are, of a stereocentre that the text tells.
    pub handedness: Option<Handedness>,
    /// Whether the text marks it as a stereocentre, even if it is none.
    pub is_marked: bool,
    /// Which atom of the text this is.
    pub origin: usize,
}

impl Atom {
    pub fn problem(&self, what: String) -> Problem {
        Problem { origin: self.origin, symbol: self.element.symbol(), what }
    }

    pub fn number(&self) -> i32 {
        i32::from(u8::from(self.element))
    }

    pub fn in_ring(&self) -> bool {
        self.ring > 0
    }

    pub fn hydrogens(&self) -> i32 {
        self.explicit_hydrogens + self.implicit_hydrogens
    }

    pub fn valence(&self) -> i32 {
        self.explicit_valence + self.implicit_hydrogens
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Bond {
    pub atoms: [usize; 2],
    pub order: Order,
    /// Like `order`, but also true of the triple bond in an aromatic ring.
    pub aromatic: bool,
    pub conjugated: bool,
    /// Atoms of the smallest ring that it is in; 0 when it is in none.
    pub ring: usize,
    /// Of a double bond, which the text tells.
    pub geometry: Option<Geometry>,
}

impl Bond {
    pub fn in_ring(&self) -> bool {
        self.ring > 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    Single,
    Double,
    Triple,
    Aromatic,
}

impl Order {
    /// Twice what the bond adds to the valence of its atoms.
    pub fn twice(self) -> i32 {
        match self {
            Self::Single => 2,
            Self::Aromatic => 3,
            Self::Double => 4,
            Self::Triple => 6,
        }
    }

    pub fn is_multiple(self) -> bool {
        matches!(self, Self::Double | Self::Triple)
    }
}

/// Seen from the first of its bonds, the others in their order; a hydrogen that is no atom is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Handedness {
    Counterclockwise,
    Clockwise,
}

/// On which sides of a double bond its higher ends are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Geometry {
    /// On opposite sides.
    E,
    /// On the same side.
    Z,
}

/// A neighbour and the bond to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub atom: usize,
    pub bond: usize,
}

/// Atoms other than hydrogen that are accepted at most, whatever the limits: what is tested to end in time.
const MAX_HEAVY_ATOMS: usize = 1000;

impl Limits {
    /// Before the molecule is perceived: what is too large for that, or too large already.
    pub(crate) fn check_written(self, atoms: usize, heavy: usize) -> Result<(), SmilesError> {
        if heavy > MAX_HEAVY_ATOMS {
            let message = format!(
                "the molecule has {heavy} atoms, hydrogens not counted; at most {MAX_HEAVY_ATOMS} are accepted"
            );
            return Err(SmilesError { message, position: None });
        }
        self.check_atoms(atoms)
    }

    fn check_atoms(self, atoms: usize) -> Result<(), SmilesError> {
        if atoms <= self.atoms {
            return Ok(());
        }
        let message = format!("the molecule has {atoms} atoms, hydrogens counted; at most {} are accepted", self.atoms);
        Err(SmilesError { message, position: None })
    }
}

impl Molecule {
    /// Reads and sanitises a SMILES.
    pub fn from_smiles(smiles: &str, limits: Limits) -> Result<Self, SmilesError> {
        Self::read(smiles, limits, Stereo::Marked)
    }

    /// The same, with what the marks of stereochemistry change.
    pub fn read(smiles: &str, limits: Limits, stereo: Stereo) -> Result<Self, SmilesError> {
        let text = parse::read(smiles, limits)?;
        let molecule = Self::perceive(smiles, &text, stereo).map_err(|problem| problem.locate(smiles))?;
        limits.check_atoms(molecule.count_atoms())?;
        Ok(molecule)
    }

    /// RDKit's sanitising, step by step.
    fn perceive(smiles: &str, text: &parse::Text, stereo: Stereo) -> Result<Self, Problem> {
        let (atoms, bonds) = parse::graph(text)?;
        let mut written = None;
        if stereo == Stereo::Perceived {
            written = Written::read(smiles, text, &atoms, &bonds);
        }
        let merged = hydrogens::merge(text, atoms, bonds, stereo);
        let mut molecule = Self::new(merged.atoms, merged.bonds);
        if let Some(written) = &mut written {
            written.merge(&merged.kept);
            written.put_on(&mut molecule);
        }
        strict::elements(&molecule)?;
        clean::clean(&mut molecule);
        valence::assign(&mut molecule)?;
        let rings = rings::find(&mut molecule, text, &merged.kept)?;
        let lower_case = kekule::localise(&mut molecule)?;
        radicals::assign(&mut molecule);
        aromatic::perceive(&mut molecule, &rings)?;
        strict::aromatic(&molecule, &lower_case)?;
        conjugated::perceive(&mut molecule);
        if let Some(written) = written {
            stereo::perceive(&mut molecule, &rings, written)?;
        }
        Ok(molecule)
    }

    fn new(atoms: Vec<Atom>, bonds: Vec<Bond>) -> Self {
        let mut starts = vec![0; atoms.len() + 1];
        for end in bonds.iter().flat_map(|bond| bond.atoms) {
            starts[end + 1] += 1;
        }
        for atom in 0..atoms.len() {
            starts[atom + 1] += starts[atom];
        }
        let mut next = starts.clone();
        let mut links = vec![Link { atom: 0, bond: 0 }; 2 * bonds.len()];
        for (index, bond) in bonds.iter().enumerate() {
            let [begin, end] = bond.atoms;
            for (from, to) in [(begin, end), (end, begin)] {
                links[next[from]] = Link { atom: to, bond: index };
                next[from] += 1;
            }
        }
        Self { atoms, bonds, links, starts }
    }

    /// Neighbours in the order of their bonds.
    pub(crate) fn links(&self, atom: usize) -> &[Link] {
        &self.links[self.starts[atom]..self.starts[atom + 1]]
    }

    /// Neighbours that are atoms of the graph.
    pub(crate) fn degree(&self, atom: usize) -> i32 {
        i32::try_from(self.links(atom).len()).unwrap_or(i32::MAX)
    }

    /// Neighbours, hydrogens counted.
    pub(crate) fn total_degree(&self, atom: usize) -> i32 {
        self.degree(atom) + self.atoms[atom].hydrogens()
    }

    fn count_atoms(&self) -> usize {
        self.atoms.iter().fold(self.atoms.len(), |sum, atom| sum + usize::try_from(atom.hydrogens()).unwrap_or(0))
    }
}
