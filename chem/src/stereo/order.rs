//! Permutations, of which nothing but the parity matters.

use crate::molecule::Handedness;

/// Whether it takes an odd number of swaps to bring distinct items into ascending order.
pub(super) fn is_odd<T: PartialOrd>(items: &[T]) -> bool {
    let inversions =
        items.iter().enumerate().map(|(place, item)| items[place + 1..].iter().filter(|later| *later < item).count());
    inversions.sum::<usize>() % 2 == 1
}

impl Handedness {
    pub(super) fn inverted_if(self, odd: bool) -> Self {
        match (self, odd) {
            (Self::Clockwise, false) | (Self::Counterclockwise, true) => Self::Clockwise,
            (Self::Counterclockwise, false) | (Self::Clockwise, true) => Self::Counterclockwise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_odd;

    #[test]
    fn the_parity_is_that_of_the_swaps() {
        let parities = [
            (&[][..], false),
            (&[7], false),
            (&[1, 2], false),
            (&[2, 1], true),
            (&[3, 1, 2], false),
            (&[3, 2, 1], true),
        ];
        for (items, odd) in parities {
            assert_eq!(is_odd(items), odd, "{items:?}");
        }
    }
}
