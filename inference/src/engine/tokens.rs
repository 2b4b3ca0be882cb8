//! Sequences of tokens, laid below each other and filled up.

/// Molecules of one inference: row-major `rows × length`, padded to the longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBatch {
    /// Token ids.
    pub ids: Vec<i64>,
    /// 1 where `ids` holds a token of the molecule, 0 where it is padding.
    pub mask: Vec<i64>,
    /// Molecules.
    pub rows: usize,
    /// Tokens of the longest molecule.
    pub length: usize,
}

impl TokenBatch {
    /// Lays molecules below each other and fills the short ones up with `pad_id`.
    pub fn pad<'a>(molecules: impl ExactSizeIterator<Item = &'a [u32]> + Clone, pad_id: u32) -> Self {
        let rows = molecules.len();
        let length = molecules.clone().map(<[u32]>::len).max().unwrap_or(0);
        let mut ids = vec![i64::from(pad_id); rows * length];
        let mut mask = vec![0; rows * length];
        for (row, molecule) in molecules.enumerate() {
            let start = row * length;
            for (at, id) in molecule.iter().enumerate() {
                ids[start + at] = i64::from(*id);
                mask[start + at] = 1;
            }
        }
        Self { ids, mask, rows, length }
    }

    /// Fraction of the batch that is padding, 0 to 1.
    #[allow(clippy::cast_precision_loss)] // A ratio for a histogram.
    pub fn padding_ratio(&self) -> f64 {
        let tokens: i64 = self.mask.iter().sum();
        if self.mask.is_empty() { 0.0 } else { 1.0 - tokens as f64 / self.mask.len() as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_molecules_are_filled_up_and_masked() {
        let molecules: [&[u32]; 2] = [&[12, 16, 13], &[12, 16, 16, 19, 13]];
        let batch = TokenBatch::pad(molecules.into_iter(), 7);
        assert_eq!((batch.rows, batch.length), (2, 5));
        assert_eq!(batch.ids, [12, 16, 13, 7, 7, 12, 16, 16, 19, 13]);
        assert_eq!(batch.mask, [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]);
        assert!((batch.padding_ratio() - 0.2).abs() < 1e-12);
    }
}
