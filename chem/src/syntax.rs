//! Sentences for texts that are no SMILES.

use smiles_rs::{SmilesError as Syntax, SmilesErrorWithSpan};

use crate::error::SmilesError;
use crate::locate::{self, Closure};
use crate::molecule::Limits;

const HALF_BOND: &str = "a bond needs one atom before and one behind it";

/// What can be told without reading: the length, what is no SMILES at all, and closures that contradict themselves, of which
/// RDKit takes the first end and `smiles-rs` the second.
pub(crate) fn check(smiles: &str, limits: Limits) -> Result<(), SmilesError> {
    let characters = smiles.chars().count();
    if smiles.is_empty() {
        return error("the SMILES is empty".to_owned(), None);
    }
    if characters > limits.characters {
        let most = limits.characters;
        return error(format!("the SMILES has {characters} characters; at most {most} are accepted"), None);
    }
    for (position, character) in smiles.chars().enumerate() {
        let what = match character {
            _ if character.is_whitespace() => "send the SMILES alone, without blanks or a name",
            '~' => "bonds of any kind ('~') cannot be predicted: write the bond that is meant",
            '>' => "reactions and dative bonds are not supported: send one molecule of plain bonds",
            _ if !character.is_ascii_graphic() => "a SMILES has none but plain ASCII characters",
            _ => continue,
        };
        return error(format!("{character:?} at position {position}: {what}"), Some(position));
    }
    let bond_before_closure = |pair: &[u8]| b"=#$:-/\\".contains(&pair[0]) && matches!(pair[1], b'0'..=b'9' | b'%');
    if smiles.as_bytes().windows(2).any(bond_before_closure) {
        check_closures(smiles)?;
    }
    check_branches(smiles)
}

/// Branches that begin with the closure of a ring or end with a bond, which `smiles-rs` accepts and RDKit does not.
fn check_branches(smiles: &str) -> Result<(), SmilesError> {
    let bytes = smiles.as_bytes();
    for (position, pair) in bytes.windows(2).enumerate() {
        let number = position > 0 && bytes[position - 1] == b'%';
        match pair {
            [b'(', b'0'..=b'9' | b'%'] if !number => {
                return Err(sentence("a branch begins with an atom", position + 1));
            }
            [b'=' | b'#' | b'-' | b':' | b'/' | b'\\', b')'] => return Err(sentence(HALF_BOND, position)),
            _ => {}
        }
    }
    Ok(())
}

fn check_closures(smiles: &str) -> Result<(), SmilesError> {
    let kind = |bond: u8| if matches!(bond, b'/' | b'\\') { b'-' } else { bond };
    for (opened, closed) in pairs(smiles).0 {
        if let (Some(one), Some(other)) = (opened.bond, closed.bond)
            && kind(one) != kind(other)
        {
            let (number, from, to) = (opened.number, opened.position, closed.position);
            let message = format!("ring closure {number} has one bond at position {from} and another at position {to}");
            return error(message, Some(to));
        }
    }
    Ok(())
}

/// Both ends of each closure, and those that have but one.
fn pairs(smiles: &str) -> (Vec<(Closure, Closure)>, Vec<Closure>) {
    let (mut pairs, mut open) = (Vec::new(), Vec::<Closure>::new());
    for closure in locate::closures(smiles) {
        match open.iter().position(|opened| opened.number == closure.number) {
            Some(index) => pairs.push((open.remove(index), closure)),
            None => open.push(closure),
        }
    }
    (pairs, open)
}

/// The sentence for what `smiles-rs` found.
pub(crate) fn explain(smiles: &str, found: &SmilesErrorWithSpan) -> SmilesError {
    let at = found.start().min(smiles.len());
    let (what, position) = match found.smiles_error() {
        Syntax::UnclosedRing => {
            let open = pairs(smiles).1;
            let Some(open) = open.first() else { return sentence("a ring is never closed", at) };
            let (number, at) = (open.number, open.position);
            let message = format!("ring closure {number} opened at position {at} is never closed");
            return SmilesError { message, position: Some(at) };
        }
        Syntax::UnclosedBranch => match locate::open_branch(smiles) {
            Some(open) => ("'(' is never closed", open),
            None => ("'.' may not stand inside of a branch", at),
        },
        Syntax::UnexpectedRightParentheses => ("')' closes no '('", at),
        Syntax::UnclosedBracket => ("'[' is not closed by ']' after element, hydrogens, charge and class", at),
        Syntax::UnexpectedCharacter(']') => ("']' closes no '['", at),
        Syntax::WildcardAtomNotAllowed => {
            ("'*' stands for any atom: send a whole molecule, of a polymer an oligomer with its end groups", at)
        }
        Syntax::InvalidElementName(_) | Syntax::ElementsRs(_) | Syntax::MissingElement => {
            ("no element has this name", at)
        }
        Syntax::MissingBracketElement => ("the brackets hold no element", at),
        Syntax::InvalidUnbracketedAtom(_) | Syntax::ElementRequiresBrackets => {
            ("only B, C, N, O, P, S, F, Cl, Br and I may stand without brackets", at)
        }
        Syntax::InvalidAromaticElement(_) => ("this element cannot be aromatic: write it with a capital", at),
        Syntax::IncompleteBond(_) | Syntax::InvalidBond => (HALF_BOND, at),
        Syntax::EmptyBranch | Syntax::InvalidBranch | Syntax::UnexpectedLeftParentheses => {
            ("a branch begins behind an atom and holds at least one", at)
        }
        Syntax::InvalidRingNumber => {
            ("this ring closure has no number, or binds an atom to itself, to a neighbour or to none", at)
        }
        Syntax::RingNumberOverflow(_) => ("the number of this ring closure is too large", at),
        Syntax::UnexpectedPercent => ("'%' is followed by the two digits of a ring closure", at),
        Syntax::InvalidNonBondToken => ("'.' stands between two atoms", at),
        Syntax::IntegerOverflow | Syntax::InvalidNumber => ("a number in the brackets is too large", at),
        Syntax::InvalidIsotope => ("this element has no such isotope", at),
        Syntax::ChargeOverflow(_) | Syntax::ChargeUnderflow(_) => ("charges are at most 15", at),
        Syntax::HydrogenCountOverflow(_) => ("an atom has at most 15 hydrogens", at),
        Syntax::InvalidHydrogenWithExplicitHydrogensFound => ("a hydrogen has at most one other hydrogen", at),
        Syntax::DuplicateEdge(..) | Syntax::SelfLoopEdge(_) => ("two atoms are bonded twice, or one to itself", at),
        Syntax::UnexpectedCharacter(_) => ("this character has no meaning here", at),
        other => {
            let message = format!("{other} at position {at}");
            return SmilesError { message, position: Some(at) };
        }
    };
    sentence(what, position)
}

fn sentence(what: &str, position: usize) -> SmilesError {
    SmilesError { message: format!("position {position}: {what}"), position: Some(position) }
}

fn error(message: String, position: Option<usize>) -> Result<(), SmilesError> {
    Err(SmilesError { message, position })
}
