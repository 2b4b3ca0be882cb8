//! Aromatic rings as alternating double bonds: the atoms that can take a double bond are paired off. RDKit searches with
//! back-tracking; which structure it finds does not matter, because aromaticity depends on the atoms alone, and what
//! does not turn out to be aromatic is refused.

use petgraph::algo::matching::maximum_matching;
use petgraph::graph::{NodeIndex, UnGraph};

use crate::error::Problem;
use crate::molecule::{Molecule, Order};
use crate::periodic::{default_valence, valences};
use crate::strict;

/// Replaces aromatic bonds by single and double ones, and returns those of rings. Rings without any atom that takes a double bond, like that of
/// `O=c1[nH]c(=O)[nH]c(=O)[nH]1`, have their double bonds outside.
pub(crate) fn localise(molecule: &mut Molecule) -> Result<Vec<usize>, Problem> {
    if molecule.atoms.iter().all(|atom| !atom.aromatic) {
        return Ok(Vec::new());
    }
    let written: Vec<usize> = (0..molecule.bonds.len())
        .filter(|&bond| molecule.bonds[bond].aromatic && molecule.bonds[bond].in_ring())
        .collect();
    strict::lower_case(molecule)?;
    let candidates: Vec<usize> = (0..molecule.atoms.len()).filter(|&atom| takes_double_bond(molecule, atom)).collect();
    let pairs = pair(molecule, &candidates)?;
    for bond in molecule.bonds.iter_mut().filter(|bond| bond.aromatic) {
        bond.order = Order::Single;
        bond.aromatic = false;
    }
    for bond in pairs {
        molecule.bonds[bond].order = Order::Double;
    }
    for atom in &mut molecule.atoms {
        // RDKit then takes the hydrogen of `[nH]` for any other, which may be a matter of radicals.
        if atom.aromatic && matches!(atom.number(), 7 | 15) && atom.charge == 0 && atom.explicit_hydrogens == 1 {
            atom.in_brackets = false;
            atom.explicit_hydrogens = 0;
            atom.implicit_hydrogens = 1;
            atom.explicit_valence -= 1;
        }
        atom.aromatic = false;
    }
    Ok(written)
}

/// The bonds that become double.
fn pair(molecule: &Molecule, candidates: &[usize]) -> Result<Vec<usize>, Problem> {
    let mut nodes = vec![None; molecule.atoms.len()];
    let mut graph = UnGraph::<usize, usize, usize>::with_capacity(candidates.len(), molecule.bonds.len());
    for &atom in candidates {
        nodes[atom] = Some(graph.add_node(atom));
    }
    for (index, bond) in molecule.bonds.iter().enumerate() {
        if let (true, [Some(one), Some(other)]) = (bond.aromatic && bond.in_ring(), bond.atoms.map(|atom| nodes[atom]))
        {
            graph.add_edge(one, other, index);
        }
    }
    let matching = maximum_matching(&graph);
    let lonely = graph.node_indices().find(|&node: &NodeIndex<usize>| matching.mate(node).is_none());
    if let Some(&atom) = lonely.and_then(|node| graph.node_weight(node)) {
        let what = "is in an aromatic ring that cannot be drawn with alternating double bonds: \
                    write the hydrogen of a nitrogen as [nH], or the ring with its double bonds";
        return Err(molecule.atoms[atom].problem(what.to_owned()));
    }
    let edges = matching.edges().filter_map(|(one, other)| graph.find_edge(one, other));
    Ok(edges.filter_map(|edge| graph.edge_weight(edge).copied()).collect())
}

/// Whether an aromatic atom lacks exactly one bond: more than its neighbours and hydrogens need, by RDKit's reckoning.
fn takes_double_bond(molecule: &Molecule, index: usize) -> bool {
    let atom = &molecule.atoms[index];
    if !atom.aromatic {
        return false;
    }
    let bonds = molecule.links(index).iter().map(|link| &molecule.bonds[link.bond]);
    let single =
        bonds.map(|bond| if bond.aromatic { 1 } else { bond.order.twice() / 2 }).sum::<i32>() + atom.hydrogens();
    // A charge takes an electron from carbon, either way, and from boron; other elements get one more bond by it.
    let charge = match atom.number() {
        5 => -atom.charge,
        6 => -atom.charge.abs(),
        _ => atom.charge,
    };
    let mut valence = default_valence(atom.number()) + charge;
    for higher in valences(atom.number()).iter().skip(1).filter(|&&higher| higher > 0) {
        if atom.valence() > valence {
            valence = higher + charge;
        }
    }
    if molecule.degree(index) + atom.implicit_hydrogens >= valence {
        return false;
    }
    valence == single + 1 || (atom.in_brackets && valence == single + 2)
}
