//! Aromaticity after RDKit's default model: each atom of a ring gives none, one or two electrons; rings, and then up to six
//! fused ones together, are aromatic when their electrons can be 4n + 2. The model is described in the RDKit Book.

use rustc_hash::FxHashSet;

use crate::error::Problem;
use crate::molecule::{Molecule, Order};
use crate::periodic::{default_valence, more_electronegative, outer_electrons};
use crate::rings::Ring;

/// Rings larger than this are looked at alone: the outer ring of a porphyrin fits.
const LARGEST_FUSED_RING: usize = 24;
/// Rings that are looked at together.
const FUSED_RINGS: usize = 6;
/// Combinations of fused rings that are tried in one molecule.
const COMBINATIONS: usize = 20_000;
/// In rings of at least so many atoms, oxygen and sulfur are bridges and give nothing.
const MACROCYCLE: usize = 9;

/// What an atom gives to the electrons of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Donor {
    /// It cannot be in an aromatic ring.
    None,
    Vacant,
    One,
    Two,
}

/// Marks the atoms and bonds of aromatic rings.
pub(crate) fn perceive(molecule: &mut Molecule, rings: &[Ring]) -> Result<(), Problem> {
    let donors = donors(molecule, rings);
    let candidates: Vec<&Ring> =
        rings.iter().filter(|ring| ring.atoms.iter().all(|&atom| donors[atom] != Donor::None)).collect();
    let neighbours = fused(&candidates);
    let mut search = Search {
        molecule,
        donors: &donors,
        rings: &candidates,
        neighbours: &neighbours,
        done: FxHashSet::default(),
        tried: 0,
    };
    let mut seen = vec![false; candidates.len()];
    for ring in 0..candidates.len() {
        if !seen[ring] {
            let system = system(ring, &neighbours, &mut seen);
            search.perceive(&system)?;
        }
    }
    Ok(())
}

/// Electrons that an atom can give to its neighbours: its free bonds and lone pairs. Negative: it has too many neighbours.
pub(crate) fn electrons(molecule: &Molecule, index: usize) -> i32 {
    let atom = &molecule.atoms[index];
    let default = default_valence(atom.number());
    let degree = molecule.total_degree(index);
    if default <= 1 || degree > 3 {
        return -1;
    }
    let lone = (outer_electrons(atom.number()) - default - atom.charge).max(0);
    let free = default - degree + lone - atom.radicals;
    // Of a triple bond, one electron is the ring's.
    if free > 1 && atom.explicit_valence - molecule.degree(index) > 1 { 1 } else { free }
}

/// The size of an atom's smallest ring matters: rings come by their size.
fn donors(molecule: &Molecule, rings: &[Ring]) -> Vec<Donor> {
    let mut donors = vec![Donor::None; molecule.atoms.len()];
    let mut seen = vec![false; molecule.atoms.len()];
    for ring in rings {
        for &atom in &ring.atoms {
            if !seen[atom] {
                seen[atom] = true;
                donors[atom] = donor(molecule, atom, ring.atoms.len());
            }
        }
    }
    donors
}

fn donor(molecule: &Molecule, index: usize, ring: usize) -> Donor {
    let atom = &molecule.atoms[index];
    let light = atom.number() <= 18 || matches!(atom.number(), 34 | 52);
    let default = default_valence(atom.number());
    let hypervalent = default > 0 && atom.valence() > default_valence((atom.number() - atom.charge).clamp(0, 118));
    let radical = atom.radicals > 0 && (atom.number() != 6 || atom.charge != 0);
    let multiple = || molecule.links(index).iter().filter(|link| molecule.bonds[link.bond].order.is_multiple()).count();
    let cumulated = atom.explicit_valence - molecule.degree(index) > 1 && multiple() > 1;
    if !light || hypervalent || radical || cumulated {
        return Donor::None;
    }
    let ether = matches!(atom.number(), 8 | 16) && molecule.degree(index) == 2 && atom.charge == 0 && multiple() == 0;
    match gives(molecule, index) {
        Donor::Two if ether && ring >= MACROCYCLE => Donor::None,
        donor => donor,
    }
}

fn gives(molecule: &Molecule, index: usize) -> Donor {
    let atom = &molecule.atoms[index];
    let multiple = |in_ring: bool| {
        molecule.links(index).iter().find(|link| {
            let bond = &molecule.bonds[link.bond];
            bond.in_ring() == in_ring && bond.order.is_multiple()
        })
    };
    let outside = multiple(false);
    let stolen = outside.is_some_and(|link| more_electronegative(molecule.atoms[link.atom].number(), atom.number()));
    match electrons(molecule, index) {
        0 if outside.is_some() => Donor::Vacant,
        0 if multiple(true).is_some() => Donor::One,
        ..=0 => Donor::None,
        1 if stolen => Donor::Vacant,
        1 if outside.is_some() => Donor::One,
        1 if atom.explicit_valence != molecule.degree(index) + atom.explicit_hydrogens => Donor::One,
        // Tropylium and the cyclopropenyl cation.
        1 => {
            if atom.charge == 1 {
                Donor::Vacant
            } else {
                Donor::None
            }
        }
        count if (count - i32::from(stolen)) % 2 == 0 => Donor::Two,
        _ => Donor::One,
    }
}

/// For each ring, those that share exactly one bond with it.
fn fused(rings: &[&Ring]) -> Vec<Vec<usize>> {
    let mut neighbours = vec![Vec::new(); rings.len()];
    for (one, ring) in rings.iter().enumerate() {
        for (other, second) in rings.iter().enumerate().skip(one + 1) {
            let small = ring.bonds.len().max(second.bonds.len()) <= LARGEST_FUSED_RING;
            if small && ring.bonds.iter().filter(|bond| second.bonds.contains(bond)).count() == 1 {
                neighbours[one].push(other);
                neighbours[other].push(one);
            }
        }
    }
    neighbours
}

/// All rings that are fused to one, directly or not.
fn system(ring: usize, neighbours: &[Vec<usize>], seen: &mut [bool]) -> Vec<usize> {
    let mut system = vec![ring];
    seen[ring] = true;
    let mut next = 0;
    while let Some(&ring) = system.get(next) {
        next += 1;
        for &neighbour in &neighbours[ring] {
            if !seen[neighbour] {
                seen[neighbour] = true;
                system.push(neighbour);
            }
        }
    }
    system
}

struct Search<'a> {
    molecule: &'a mut Molecule,
    donors: &'a [Donor],
    rings: &'a [&'a Ring],
    neighbours: &'a [Vec<usize>],
    /// Bonds of the system that have turned out to be aromatic.
    done: FxHashSet<usize>,
    tried: usize,
}

impl Search<'_> {
    /// Tries single rings first, then two together and so on, until all bonds are aromatic.
    fn perceive(&mut self, system: &[usize]) -> Result<(), Problem> {
        self.done.clear();
        for size in 1..=FUSED_RINGS.min(system.len()) {
            if system.iter().flat_map(|&ring| &self.rings[ring].bonds).all(|bond| self.done.contains(bond)) {
                break;
            }
            for &first in system {
                let larger = self.neighbours[first].iter().copied().filter(|&ring| ring > first).collect();
                self.extend(&mut vec![first], larger, size)?;
            }
        }
        Ok(())
    }

    /// Tries each connected set of `size` rings once that holds `chosen` and beyond it only rings greater than the first:
    /// Wernicke's enumeration. It is as deep as sets are large.
    fn extend(&mut self, chosen: &mut Vec<usize>, mut candidates: Vec<usize>, size: usize) -> Result<(), Problem> {
        if chosen.len() == size {
            self.tried += 1;
            if self.tried > COMBINATIONS {
                let atom = &self.molecule.atoms[self.rings[chosen[0]].atoms[0]];
                return Err(atom.problem("is in a system of more fused rings than can be searched".to_owned()));
            }
            self.apply(chosen);
            return Ok(());
        }
        while let Some(ring) = candidates.pop() {
            let fresh = self.neighbours[ring].iter().copied().filter(|&next| {
                next > chosen[0]
                    && !candidates.contains(&next)
                    && chosen.iter().all(|&ring| ring != next && !self.neighbours[ring].contains(&next))
            });
            let further = candidates.iter().copied().chain(fresh).collect();
            chosen.push(ring);
            self.extend(chosen, further, size)?;
            chosen.pop();
        }
        Ok(())
    }

    /// Hückel's rule for the rings together: atoms in three of them do not count, bonds between two of them stay as they are.
    fn apply(&mut self, chosen: &[usize]) {
        let once_or_twice = count(chosen.iter().flat_map(|&ring| self.rings[ring].atoms.iter().copied()));
        let electrons =
            once_or_twice.iter().filter(|(_, times)| *times <= 2).map(|&(atom, _)| match self.donors[atom] {
                Donor::None | Donor::Vacant => 0,
                Donor::One => 1,
                Donor::Two => 2,
            });
        let electrons: i32 = electrons.sum();
        if electrons != 2 && (electrons < 6 || (electrons - 2) % 4 != 0) {
            return;
        }
        let bonds = count(chosen.iter().flat_map(|&ring| self.rings[ring].bonds.iter().copied()));
        for (bond, _) in bonds.into_iter().filter(|(_, times)| *times == 1) {
            self.done.insert(bond);
            let bond = &mut self.molecule.bonds[bond];
            bond.aromatic = true;
            // The triple bond of a benzyne stays one.
            if bond.order != Order::Triple {
                bond.order = Order::Aromatic;
                for atom in bond.atoms {
                    self.molecule.atoms[atom].aromatic = true;
                }
            }
        }
    }
}

/// How often each value occurs.
fn count(values: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut values: Vec<usize> = values.collect();
    values.sort_unstable();
    values.chunk_by(|one, other| one == other).map(|run| (run[0], run.len())).collect()
}
