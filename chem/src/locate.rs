//! Where things are in a text. Nothing here judges: the grammar is `smiles-rs`'s, and this is asked only when something is
//! wrong.

/// A ring closure's number, either end of it.
pub(crate) struct Closure {
    pub number: u32,
    /// The bond written before it.
    pub bond: Option<u8>,
    pub position: usize,
}

/// Position of the first character of the n-th atom.
pub(crate) fn atom(smiles: &str, index: usize) -> Option<usize> {
    let bytes = smiles.as_bytes();
    let starts = outside_brackets(bytes).filter(|&(position, byte)| {
        let second = matches!(
            (position.checked_sub(1).map(|before| bytes[before]), byte),
            (Some(b'C'), b'l') | (Some(b'B'), b'r')
        );
        byte == b'[' || (byte.is_ascii_alphabetic() && !second)
    });
    starts.map(|(position, _)| position).nth(index)
}

/// All ends of ring closures.
pub(crate) fn closures(smiles: &str) -> Vec<Closure> {
    let bytes = smiles.as_bytes();
    let mut closures = Vec::new();
    let mut skip = 0;
    for (position, byte) in outside_brackets(bytes) {
        if position < skip {
            continue;
        }
        let digits = match (byte, bytes.get(position + 1)) {
            (b'0'..=b'9', _) => position..position + 1,
            (b'%', Some(b'(')) => position + 2..position + bytes[position..].iter().take_while(|&&b| b != b')').count(),
            (b'%', _) => position + 1..position + 3,
            _ => continue,
        };
        skip = digits.end;
        if let Some(number) = smiles.get(digits).and_then(|digits| digits.parse().ok()) {
            let before = position.checked_sub(1).map(|before| bytes[before]);
            closures.push(Closure { number, bond: before.filter(|b| b"-=#$:/\\".contains(b)), position });
        }
    }
    closures
}

/// Position of an opening parenthesis that is never closed.
pub(crate) fn open_branch(smiles: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (position, byte) in outside_brackets(smiles.as_bytes()) {
        match byte {
            b'(' => open.push(position),
            b')' => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// Bytes and their positions; of an atom in brackets, the opening bracket alone.
fn outside_brackets(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> + '_ {
    let mut inside = false;
    bytes.iter().copied().enumerate().filter(move |&(_, byte)| {
        let outside = !inside;
        inside = byte == b'[' || (inside && byte != b']');
        outside && byte != b']'
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atoms_are_found_by_their_first_character() {
        let positions = |smiles| (0..).map_while(|index| atom(smiles, index)).collect::<Vec<_>>();
        assert_eq!(positions("ClC(Br)[13CH2]C%12=[nH+]Cl"), [0, 2, 4, 7, 14, 19, 24]);
    }

    #[test]
    fn closures_are_found_with_their_bonds() {
        let found: Vec<_> = closures("C1=%12[13C]%(123)-1").iter().map(|c| (c.number, c.bond, c.position)).collect();
        assert_eq!(found, [(1, None, 1), (12, Some(b'='), 3), (123, None, 11), (1, Some(b'-'), 18)]);
    }
}
