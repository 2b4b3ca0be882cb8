//! E and Z of double bonds, by the directions of the bonds at both ends.

use super::Turn;
use super::marks::Direction;
use super::ranks::Ranks;
use super::written::{Written, WrittenBond};
use crate::molecule::{Geometry, Molecule, Order};

/// Double bonds in smaller rings have no geometry: there is no other.
const SMALLEST_RING: usize = 8;

#[derive(Debug)]
pub(super) struct DoubleBonds {
    directions: Vec<WrittenBond>,
    /// Whether there is something to look at, as RDKit tells.
    is_open: bool,
    is_possible: bool,
}

/// A neighbour of an end, and the direction to it.
#[derive(Debug, Clone, Copy)]
struct Side {
    atom: usize,
    bond: usize,
    direction: Direction,
}

impl DoubleBonds {
    pub fn new(molecule: &Molecule, written: Written) -> Self {
        let mut bonds = Self { directions: written.bonds, is_open: false, is_possible: false };
        for bond in molecule.bonds.iter().filter(|bond| bond.order == Order::Double) {
            if may_have_geometry(bond.ring) && !bonds.is_open {
                let is_directed =
                    |&atom: &usize| molecule.links(atom).iter().any(|link| bonds.direction(link.bond, atom).is_some());
                if bond.atoms.iter().any(is_directed) {
                    bonds.is_open = true;
                } else {
                    bonds.is_possible = true;
                }
            }
        }
        bonds
    }

    /// Gives a geometry to double bonds that have directions at both ends and differing neighbours.
    pub fn assign(&mut self, molecule: &mut Molecule, ranks: &Ranks) -> Turn {
        let mut turn = Turn { open: false, changed: false };
        if !self.is_open && !self.is_possible {
            return turn;
        }
        let mut contradicted = Vec::new();
        for index in 0..molecule.bonds.len() {
            let bond = &molecule.bonds[index];
            let ends = bond.atoms;
            let counts = bond.order == Order::Double
                && bond.geometry.is_none()
                && may_have_geometry(bond.ring)
                && ends.iter().all(|&atom| matches!(molecule.links(atom).len(), 2 | 3));
            if !counts {
                continue;
            }
            let [Some(begin), Some(end)] = ends.map(|atom| self.sides(molecule, ranks, atom, index)) else {
                turn.open = true;
                continue;
            };
            turn.changed = true;
            let before = contradicted.len();
            for sides in [&begin, &end] {
                if let [one, other] = sides[..]
                    && one.direction == other.direction
                {
                    contradicted.extend([one.bond, other.bond]);
                }
            }
            if contradicted.len() == before {
                let [begin, end] = [begin, end].map(|sides| higher(&sides, ranks));
                molecule.bonds[index].geometry = Some(if begin == end { Geometry::Z } else { Geometry::E });
            }
        }
        for bond in contradicted {
            self.directions[bond].direction = None;
        }
        self.is_open = turn.open;
        turn
    }

    /// The one or two neighbours beside the double bond. None when no direction is written, or when they are alike.
    fn sides(&self, molecule: &Molecule, ranks: &Ranks, atom: usize, double: usize) -> Option<Vec<Side>> {
        let beside = || molecule.links(atom).iter().filter(|link| link.bond != double);
        let known: Vec<Option<Direction>> = beside().map(|link| self.direction(link.bond, atom)).collect();
        let one = known.iter().copied().flatten().next()?;
        if let (Some(first), Some(second)) = (beside().next(), beside().nth(1))
            && ranks.of(first.atom) == ranks.of(second.atom)
        {
            return None;
        }
        // What is not written is on the other side.
        let side = |(link, direction): (&crate::molecule::Link, Option<Direction>)| Side {
            atom: link.atom,
            bond: link.bond,
            direction: direction.unwrap_or(one.reversed()),
        };
        Some(beside().zip(known).map(side).collect())
    }

    fn direction(&self, bond: usize, atom: usize) -> Option<Direction> {
        self.directions.get(bond).and_then(|bond| bond.direction_from(atom))
    }
}

fn may_have_geometry(ring: usize) -> bool {
    ring == 0 || ring >= SMALLEST_RING
}

/// The direction to the neighbour of higher rank.
fn higher(sides: &[Side], ranks: &Ranks) -> Option<Direction> {
    sides.iter().max_by_key(|side| ranks.of(side.atom)).map(|side| side.direction)
}
