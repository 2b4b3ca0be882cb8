//! What a text must be before anything reads it as a molecule.

use super::MoleculeError;

/// Refuses what can be no SMILES, and what is longer than the server takes.
pub(super) fn check(smiles: &str, max_characters: usize) -> Result<(), MoleculeError> {
    if smiles.is_empty() {
        return Err(MoleculeError::new("the SMILES is empty; send a molecule such as \"CCO\""));
    }
    let characters = smiles.chars().count();
    if characters > max_characters {
        return Err(MoleculeError::new(format!(
            "the SMILES has {characters} characters, but at most {max_characters} are accepted; send a smaller molecule"
        )));
    }
    match smiles.chars().enumerate().find(|(_, c)| !c.is_ascii_graphic()) {
        Some((at, c)) => Err(MoleculeError::at(
            at,
            format!(
                "{} at position {at}, counted from 0, cannot occur in a SMILES; send printable ASCII without spaces",
                describe(c)
            ),
        )),
        None => Ok(()),
    }
}

fn describe(c: char) -> String {
    if c.is_ascii_whitespace() || c.is_control() {
        format!("the character U+{:04X}", u32::from(c))
    } else {
        format!("the character '{c}' (U+{:04X})", u32::from(c))
    }
}
