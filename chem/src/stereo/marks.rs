//! What a text marks, and in which order: the parser's graph no longer knows where the closures of rings stood.
//!
//! The text is one that the parser has read, so nothing is checked here.

use rustc_hash::FxHashMap;
use smiles_rs::atom::bracketed::chirality::Chirality;

use crate::molecule::Handedness;
use crate::parse::Text;

/// `/` or `\` as read from one end of the bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

impl Direction {
    pub fn reversed(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }

    fn of(bond: Option<u8>) -> Option<Self> {
        match bond {
            Some(b'/') => Some(Self::Up),
            Some(b'\\') => Some(Self::Down),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct MarkedAtom {
    pub handedness: Option<Handedness>,
    /// Whether it is the first of its fragment.
    pub is_first: bool,
    /// The atoms to which it closes rings, in the order of its closures.
    pub closures: Vec<usize>,
    /// Bonds that are no closures, so far.
    degree: usize,
}

/// A bond as RDKit makes it.
#[derive(Debug)]
pub(super) struct MarkedBond {
    pub begin: usize,
    pub end: usize,
    /// Read from its begin.
    pub direction: Option<Direction>,
}

#[derive(Debug, Default)]
pub(super) struct Marks {
    pub atoms: Vec<MarkedAtom>,
    pub bonds: Vec<MarkedBond>,
}

/// An end of a ring's closure that waits for the other.
struct Open {
    atom: usize,
    bond: Option<u8>,
    /// Which of the atom's closures.
    place: usize,
}

/// Reads the marks. `text` is what the parser made of `smiles`.
pub(super) fn read(smiles: &str, text: &Text) -> Marks {
    let mut reader = Reader::new(text);
    let bytes = smiles.as_bytes();
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        position += 1;
        let rest = &bytes[position..];
        match byte {
            b'[' => {
                position += rest.iter().take_while(|&&byte| byte != b']').count() + 1;
                reader.atom();
            }
            b'(' => reader.branches.push(reader.active),
            b')' => reader.active = reader.branches.pop().flatten(),
            b'.' => reader.active = None,
            b'0'..=b'9' => reader.closure(u32::from(byte - b'0')),
            b'%' => {
                let digits = if rest.first() == Some(&b'(') {
                    1..rest.iter().take_while(|&&byte| byte != b')').count()
                } else {
                    0..2
                };
                position += if digits.start == 1 { digits.end + 1 } else { 2 };
                let number = rest.get(digits).unwrap_or_default();
                reader.closure(number.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0'))));
            }
            b'C' | b'B' if matches!((byte, rest.first()), (b'C', Some(b'l')) | (b'B', Some(b'r'))) => {
                position += 1;
                reader.atom();
            }
            letter if letter.is_ascii_alphabetic() => reader.atom(),
            bond => reader.bond = Some(bond),
        }
    }
    reader.marks
}

struct Reader<'a> {
    text: &'a Text,
    marks: Marks,
    active: Option<usize>,
    branches: Vec<Option<usize>>,
    /// The bond that was written last, for the next atom or closure.
    bond: Option<u8>,
    open: FxHashMap<u32, Open>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a Text) -> Self {
        Self {
            text,
            marks: Marks::default(),
            active: None,
            branches: Vec::new(),
            bond: None,
            open: FxHashMap::default(),
        }
    }

    fn atom(&mut self) {
        let index = self.marks.atoms.len();
        let handedness = match self.text.smiles.nodes().get(index).and_then(smiles_rs::atom::Atom::chirality) {
            Some(Chirality::At | Chirality::TH(1)) => Some(Handedness::Counterclockwise),
            Some(Chirality::AtAt | Chirality::TH(_)) => Some(Handedness::Clockwise),
            _ => None,
        };
        let is_first = self.active.is_none();
        self.marks.atoms.push(MarkedAtom {
            handedness,
            is_first,
            closures: Vec::new(),
            degree: usize::from(!is_first),
        });
        let direction = Direction::of(self.bond.take());
        if let Some(begin) = self.active {
            self.marks.atoms[begin].degree += 1;
            self.marks.bonds.push(MarkedBond { begin, end: index, direction });
        }
        self.active = Some(index);
    }

    fn closure(&mut self, number: u32) {
        let bond = self.bond.take();
        let Some(index) = self.active else { return };
        self.invert_behind_branch(index);
        let place = self.marks.atoms[index].closures.len();
        let Some(open) = self.open.remove(&number) else {
            // The other atom is not known yet.
            self.marks.atoms[index].closures.push(index);
            self.open.insert(number, Open { atom: index, bond, place });
            return;
        };
        self.marks.atoms[index].closures.push(open.atom);
        if let Some(other) = self.marks.atoms[open.atom].closures.get_mut(open.place) {
            *other = index;
        }
        let from_open = Direction::of(open.bond);
        // Read from this end; what is written here counts more.
        let direction = Direction::of(bond).or(from_open.map(Direction::reversed));
        // RDKit keeps the end whose bond is plain, if the first one is.
        let bond = if open.bond.is_some() && from_open.is_none() {
            MarkedBond { begin: open.atom, end: index, direction: direction.map(Direction::reversed) }
        } else {
            MarkedBond { begin: index, end: open.atom, direction }
        };
        self.marks.bonds.push(bond);
    }

    /// `C1CN[C@](O)(N)1`: RDKit has counted the branches before the closure.
    fn invert_behind_branch(&mut self, index: usize) {
        let behind = index + 1 < self.marks.atoms.len();
        let by_class = matches!(
            self.text.smiles.nodes().get(index).and_then(smiles_rs::atom::Atom::chirality),
            Some(Chirality::TH(_))
        );
        let atom = &mut self.marks.atoms[index];
        let odd = match atom.degree {
            1 => true,
            2 => index > 0,
            3 => index == 0,
            _ => false,
        };
        if behind && odd && !by_class {
            atom.handedness = atom.handedness.map(|handedness| handedness.inverted_if(true));
        }
    }
}
