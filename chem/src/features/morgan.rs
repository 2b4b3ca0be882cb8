//! Circular environments of radius 2 (Morgan fingerprint, unfolded), with RDKit's ids.

use rustc_hash::FxHashSet;

use crate::Molecule;
use crate::molecule::Order;
use crate::periodic::excess_mass;

const RADIUS: u32 = 2;

/// The distinct environments of a molecule and how often each occurs, ascending by id.
///
/// Ids are those of RDKit's `GetMorganGenerator(radius=2).GetSparseCountFingerprint`: no chirality, no features, hydrogens
/// not as atoms. Environments of the same bonds count once.
pub fn environments(molecule: &Molecule) -> Vec<(u32, u32)> {
    let mut ids = invariants(molecule);
    let mut current = ids.clone();
    let mut reach: Vec<Vec<usize>> = vec![Vec::new(); current.len()];
    let mut alive = vec![true; current.len()];
    let mut seen = FxHashSet::default();
    for layer in 0..RADIUS {
        let mut found: Vec<(Vec<usize>, u32, usize)> = Vec::with_capacity(current.len());
        // The invariant of an atom whose environment no longer grows is 0 in the next layer, as in RDKit.
        let mut next = vec![0; current.len()];
        let mut wider = reach.clone();
        for atom in 0..current.len() {
            alive[atom] &= !molecule.links(atom).is_empty();
            if !alive[atom] {
                continue;
            }
            for link in molecule.links(atom) {
                wider[atom].push(link.bond);
                wider[atom].extend_from_slice(&reach[link.atom]);
            }
            wider[atom].sort_unstable();
            wider[atom].dedup();
            next[atom] = grow(molecule, atom, layer, &current);
            found.push((wider[atom].clone(), next[atom], atom));
        }
        found.sort_unstable();
        for (bonds, id, atom) in found {
            if seen.insert(bonds) {
                ids.push(id);
            } else {
                alive[atom] = false;
            }
        }
        current = next;
        reach = wider;
    }
    ids.sort_unstable();
    let count = |run: &[u32]| u32::try_from(run.len()).unwrap_or(u32::MAX);
    ids.chunk_by(|one, other| one == other).map(|run| (run[0], count(run))).collect()
}

/// The id of an atom with its neighbours, from the ids of the layer before.
fn grow(molecule: &Molecule, atom: usize, layer: u32, current: &[u32]) -> u32 {
    let around =
        molecule.links(atom).iter().map(|link| (bond_type(molecule.bonds[link.bond].order), current[link.atom]));
    let mut around: Vec<(u32, u32)> = around.collect();
    around.sort_unstable();
    around
        .into_iter()
        .fold(combine(layer, current[atom]), |id, (bond, neighbour)| combine(id, combine(combine(0, bond), neighbour)))
}

/// The ids of single atoms.
fn invariants(molecule: &Molecule) -> Vec<u32> {
    let of = |index: usize| {
        let atom = &molecule.atoms[index];
        let bonded = molecule.links(index).iter().filter(|link| molecule.atoms[link.atom].number() == 1).count();
        let bonded = i32::try_from(bonded).unwrap_or(i32::MAX);
        let ring = atom.in_ring().then_some(1);
        [atom.number(), molecule.total_degree(index), atom.hydrogens() + bonded, atom.charge, excess_mass(atom)]
            .into_iter()
            .chain(ring)
            .fold(0, |id, value| combine(id, value.cast_unsigned()))
    };
    (0..molecule.atoms.len()).map(of).collect()
}

/// RDKit's number for a type of bond.
fn bond_type(order: Order) -> u32 {
    match order {
        Order::Single => 1,
        Order::Double => 2,
        Order::Triple => 3,
        Order::Aromatic => 12,
    }
}

/// Boost's `hash_combine`, of 32 bits.
fn combine(seed: u32, value: u32) -> u32 {
    let mixed = value.wrapping_add(0x9e37_79b9).wrapping_add(seed << 6).wrapping_add(seed >> 2);
    seed ^ mixed
}
