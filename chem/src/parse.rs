//! From the text to atoms and bonds in RDKit's order. Grammar and ring closures are the crate `smiles-rs`'s.

use elements_rs::Element;
use smiles_rs::Smiles;
use smiles_rs::atom::bracketed::chirality::Chirality;
use smiles_rs::bond::{Bond as Written, bond_edge::BondEdge};

use crate::error::{Problem, SmilesError};
use crate::molecule::{Atom, Bond, Limits, Order};
use crate::syntax;

/// What the text says.
pub(crate) struct Text {
    pub smiles: Smiles,
}

/// Reads it, once it is known to be short enough.
pub(crate) fn read(smiles: &str, limits: Limits) -> Result<Text, SmilesError> {
    syntax::check(smiles, limits)?;
    let parsed: Smiles = smiles.parse().map_err(|error| syntax::explain(smiles, &error))?;
    let heavy = parsed.nodes().iter().filter(|node| node.element() != Some(Element::H)).count();
    limits.check_written(parsed.nodes().len(), heavy)?;
    Ok(Text { smiles: parsed })
}

impl Text {
    /// Whether it closes any ring.
    pub fn has_closures(&self) -> bool {
        self.smiles.number_of_bonds() >= self.smiles.nodes().len() || self.closures().next().is_some()
    }

    fn closures(&self) -> impl Iterator<Item = BondEdge> + '_ {
        self.edges().filter(|edge| edge.ring_num().is_some())
    }

    fn edges(&self) -> impl Iterator<Item = BondEdge> + '_ {
        (0..self.smiles.nodes().len())
            .flat_map(|atom| self.smiles.edges_for_node(atom))
            .filter(|edge| edge.source() < edge.target())
    }
}

/// Atoms in the order of the text; bonds in the order in which RDKit makes them, which is when the text reaches their
/// second atom, and for closures of rings in the end, by the ring's number.
pub(crate) fn graph(text: &Text) -> Result<(Vec<Atom>, Vec<Bond>), Problem> {
    let nodes = text.smiles.nodes();
    let mut atoms = Vec::with_capacity(nodes.len());
    for (origin, node) in nodes.iter().enumerate() {
        // `Smiles` holds no wildcards: reading them is an error.
        let element = node.element().unwrap_or(Element::C);
        let atom = Atom {
            element,
            isotope: node.isotope_mass_number(),
            charge: i32::from(node.charge_value()),
            explicit_hydrogens: i32::from(node.hydrogen_count()),
            implicit_hydrogens: 0,
            in_brackets: node.is_bracket_atom(),
            aromatic: node.aromatic(),
            explicit_valence: 0,
            radicals: 0,
            ring: 0,
            handedness: None,
            is_marked: false,
            origin,
        };
        if !matches!(node.chirality(), None | Some(Chirality::At | Chirality::AtAt | Chirality::TH(_))) {
            return Err(atom.problem("has a geometry other than tetrahedral, which is not supported".to_owned()));
        }
        atoms.push(atom);
    }
    let mut edges: Vec<BondEdge> = text.edges().collect();
    edges.sort_by_key(|edge| {
        let [low, high] = [edge.source(), edge.target()];
        (edge.ring_num().map(|ring| ring.get()), high, low)
    });
    let bonds = edges.into_iter().map(|edge| bond(edge, &atoms)).collect::<Result<_, _>>()?;
    Ok((atoms, bonds))
}

fn bond(edge: BondEdge, atoms: &[Atom]) -> Result<Bond, Problem> {
    let ends = [edge.source(), edge.target()];
    let order = match edge.bond() {
        _ if edge.is_aromatic() => Order::Aromatic,
        // A direction says nothing of the order.
        Written::Up | Written::Down if ends.iter().all(|&atom| atoms[atom].aromatic) => Order::Aromatic,
        Written::Single | Written::Up | Written::Down => Order::Single,
        Written::Double => Order::Double,
        Written::Triple => Order::Triple,
        Written::Quadruple => {
            return Err(atoms[ends[0]].problem("has a quadruple bond, which is not supported".to_owned()));
        }
    };
    if let (Order::Aromatic, Some(&plain)) = (order, ends.iter().find(|&&atom| !atoms[atom].aromatic)) {
        let what = "has an aromatic bond but is not aromatic: write both ends in lower case";
        return Err(atoms[plain].problem(what.to_owned()));
    }
    Ok(Bond { atoms: ends, order, aromatic: order == Order::Aromatic, conjugated: false, ring: 0, geometry: None })
}
