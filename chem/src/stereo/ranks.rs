//! Ranks of atoms by what they are bound to, near and far: what decides whether neighbours differ, and which is the higher one.
//!
//! RDKit's ranks begin with element, isotope and class. Then all atoms look around at once, again and again: the ranks of the
//! neighbours, as often as the bond is worth, decide between atoms of one rank. It stops at the first look that tells nothing new.

use super::centres::Label;
use crate::error::Problem;
use crate::molecule::{Geometry, Molecule, Order};
use crate::periodic::most_common_isotope;

/// How many atoms are looked at in one molecule: a chain of a thousand atoms takes a quarter of it.
const MOST_LOOKS: usize = 1_000_000;

#[derive(Debug)]
pub(super) struct Ranks {
    /// From 0 on, without gaps.
    of: Vec<usize>,
    around: Vec<Vec<Neighbour>>,
    looks: usize,
}

#[derive(Debug, Clone, Copy)]
struct Neighbour {
    atom: usize,
    /// Twice the order of the bond.
    times: usize,
}

impl Ranks {
    pub fn new(molecule: &Molecule, classes: &[u32]) -> Result<Self, Problem> {
        let around = (0..molecule.atoms.len()).map(|index| neighbours(molecule, index)).collect();
        let mut ranks = Self { of: vec![0; molecule.atoms.len()], around, looks: 0 };
        let keys: Vec<u64> = (0..molecule.atoms.len())
            .map(|index| (own(molecule, index) << 10) | u64::from(classes.get(index).copied().unwrap_or_default()))
            .collect();
        ranks.look_around(molecule, &keys)?;
        Ok(ranks)
    }

    /// The same with what is known of centres and double bonds.
    pub fn refine(&mut self, molecule: &Molecule, labels: &[Option<Label>]) -> Result<(), Problem> {
        let mut factor = 100;
        while factor < molecule.atoms.len() {
            factor *= 10;
        }
        let keys: Vec<u64> = (0..molecule.atoms.len())
            .map(|index| {
                let label = match labels[index] {
                    None => 0,
                    Some(Label::S) => 10,
                    Some(Label::R) => 20,
                };
                let geometries = molecule.links(index).iter().map(|link| match molecule.bonds[link.bond].geometry {
                    None => 0,
                    Some(Geometry::E) => 1,
                    Some(Geometry::Z) => 2,
                });
                u64::try_from(self.of[index] * factor).unwrap_or(u64::MAX) + label + geometries.sum::<u64>()
            })
            .collect();
        self.look_around(molecule, &keys)
    }

    pub fn of(&self, atom: usize) -> usize {
        self.of[atom]
    }

    fn look_around(&mut self, molecule: &Molecule, keys: &[u64]) -> Result<(), Problem> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|&atom| keys[atom]);
        let mut ties = self.number(&order, |one, other| keys[one] == keys[other]);
        let (mut entries, mut starts) = (Vec::new(), vec![(0, 0); keys.len()]);
        for _ in 0..=keys.len() / 2 {
            if ties.is_empty() {
                break;
            }
            self.count_looks(molecule, keys.len())?;
            entries.clear();
            for &atom in ties.iter().flat_map(|tie| &order[tie.clone()]) {
                let start = entries.len();
                self.push_entry(molecule, atom, &mut entries);
                starts[atom] = (start, entries.len());
            }
            let entry = |atom: usize| &entries[starts[atom].0..starts[atom].1];
            for tie in &ties {
                order[tie.clone()].sort_by(|&one, &other| entry(one).cmp(entry(other)));
            }
            let before = self.of.clone();
            let found = self.number(&order, |one, other| before[one] == before[other] && entry(one) == entry(other));
            let nothing_new = self.of == before;
            ties = found;
            if nothing_new {
                break;
            }
        }
        Ok(())
    }

    /// What an atom sees: its neighbours, the highest first, then its hydrogens.
    fn push_entry(&self, molecule: &Molecule, atom: usize, entries: &mut Vec<usize>) {
        let start = entries.len();
        for neighbour in &self.around[atom] {
            entries.extend(std::iter::repeat_n(self.of[neighbour.atom] + 1, neighbour.times));
        }
        entries[start..].sort_unstable_by(|one, other| other.cmp(one));
        let hydrogens = usize::try_from(molecule.atoms[atom].hydrogens()).unwrap_or_default();
        entries.extend(std::iter::repeat_n(0, hydrogens));
    }

    /// Numbers the atoms in their order, and returns the runs of equal ones.
    fn number(&mut self, order: &[usize], equal: impl Fn(usize, usize) -> bool) -> Vec<std::ops::Range<usize>> {
        let mut ties = Vec::new();
        let mut begin = 0;
        for (rank, run) in order.chunk_by(|&one, &other| equal(one, other)).enumerate() {
            for &atom in run {
                self.of[atom] = rank;
            }
            if run.len() > 1 {
                ties.push(begin..begin + run.len());
            }
            begin += run.len();
        }
        ties
    }

    fn count_looks(&mut self, molecule: &Molecule, looks: usize) -> Result<(), Problem> {
        self.looks += looks;
        match molecule.atoms.iter().find(|atom| atom.is_marked).or(molecule.atoms.first()) {
            Some(atom) if self.looks > MOST_LOOKS => {
                let what = "is in a molecule whose stereocentres depend on one another more than can be searched";
                Err(atom.problem(what.to_owned()))
            }
            _ => Ok(()),
        }
    }
}

fn neighbours(molecule: &Molecule, index: usize) -> Vec<Neighbour> {
    let neighbour = |link: &crate::molecule::Link| {
        let order = molecule.bonds[link.bond].order;
        // Phosphorus of four neighbours is bound once to the oxygen of P=O.
        let phosphorus = molecule.atoms[link.atom].number() == 15 && matches!(molecule.degree(link.atom), 3 | 4);
        let times = if order == Order::Double && phosphorus { 1 } else { order.twice() };
        Neighbour { atom: link.atom, times: usize::try_from(times).unwrap_or_default() }
    };
    molecule.links(index).iter().map(neighbour).collect()
}

/// Element and isotope, as a number that orders them.
fn own(molecule: &Molecule, index: usize) -> u64 {
    let atom = &molecule.atoms[index];
    let mass = atom.isotope.map_or(0, |isotope| {
        let excess = i32::from(isotope) - most_common_isotope(atom.number());
        if excess >= 0 { excess + 1 } else { excess }
    });
    let mass = u64::try_from(mass + 512).unwrap_or_default() % 1024;
    (u64::try_from(atom.number()).unwrap_or_default() << 10) | mass
}
