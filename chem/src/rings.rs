//! Smallest rings, symmetrised as RDKit does: all rings of a size that could stand for one another.

use crate::error::Problem;
use crate::molecule::Molecule;
use crate::parse::Text;

/// A ring as its atoms and its bonds.
#[derive(Debug)]
pub(crate) struct Ring {
    pub atoms: Vec<usize>,
    pub bonds: Vec<usize>,
}

/// Finds the rings, small ones first, and tells atoms and bonds that they are in one. `kept` leads from atoms of the text to those of the
/// molecule.
pub(crate) fn find(molecule: &mut Molecule, text: &Text, kept: &[Option<usize>]) -> Result<Vec<Ring>, Problem> {
    if !text.has_closures() {
        return Ok(Vec::new());
    }
    let found = text.smiles.symm_sssr_result();
    let mut cycles: Vec<_> = found.cycles().iter().collect();
    cycles.sort_by_key(|cycle| cycle.len());
    let mut rings = Vec::with_capacity(cycles.len());
    for cycle in cycles {
        let size = cycle.len();
        let atoms: Vec<usize> = cycle.iter().filter_map(|&origin| kept[origin]).collect();
        let bonds: Vec<usize> = atoms
            .iter()
            .zip(atoms.iter().cycle().skip(1))
            .filter_map(|(&from, &to)| molecule.links(from).iter().find(|link| link.atom == to))
            .map(|link| link.bond)
            .collect();
        for &atom in &atoms {
            smallest(&mut molecule.atoms[atom].ring, size);
        }
        for &bond in &bonds {
            smallest(&mut molecule.bonds[bond].ring, size);
        }
        rings.push(Ring { atoms, bonds });
    }
    if let (false, Some(ring)) = (found.status().is_complete(), rings.first()) {
        let atom = &molecule.atoms[ring.atoms[0]];
        return Err(atom.problem("is in rings too entangled to be told apart".to_owned()));
    }
    Ok(rings)
}

/// Rings come by their size: the first one is the smallest.
fn smallest(ring: &mut usize, size: usize) {
    if *ring == 0 {
        *ring = size;
    }
}
