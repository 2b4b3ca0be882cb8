//! How an answer is written where other replicas read it: numbers one after the other, 4 bytes each, little endian. For
//! each output its value, its logarithm, and its members' deviation and values, as far as the model has them; at the end
//! the environments that training had not.

use chemmodel_bundle::{Output, Transform};

use crate::postprocess::{Estimate, Prediction, Spread};

/// A number more for anything that changes about the form, so that no entry is ever read as what it is not.
pub(super) const VERSION: u32 = 2;

/// The form of one model's answers.
#[derive(Debug, Clone)]
pub struct Form {
    /// For each output whether it has a logarithm.
    logarithms: Vec<bool>,
    members: usize,
    domain: bool,
}

impl Form {
    /// Of a model with so many members, whose answers may say how the molecule lies to what training had.
    pub fn new(outputs: &[Output], members: usize, domain: bool) -> Self {
        let logarithms = outputs.iter().map(|output| output.transform == Transform::Log10).collect();
        Self { logarithms, members, domain }
    }

    /// An answer as bytes.
    pub(super) fn write(prediction: &Prediction) -> Vec<u8> {
        let mut bytes = Vec::new();
        for Estimate { value, log10, spread } in &prediction.estimates {
            let spread = spread.iter().flat_map(|Spread { std, members }| [std].into_iter().chain(members));
            bytes.extend([value].into_iter().chain(log10).chain(spread).flat_map(|number| number.to_le_bytes()));
        }
        bytes.extend(prediction.unseen.iter().flat_map(|count| count.to_le_bytes()));
        bytes
    }

    /// The answer that was written, if it is one: somebody else may have written anything.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<Prediction> {
        let (numbers, []) = bytes.as_chunks::<4>() else { return None };
        let mut numbers = numbers.iter().copied();
        let estimates = self.logarithms.iter().map(|has_logarithm| self.estimate(&mut numbers, *has_logarithm));
        let estimates = estimates.collect::<Option<_>>()?;
        let unseen = if self.domain { Some(u32::from_le_bytes(numbers.next()?)) } else { None };
        numbers.next().is_none().then_some(Prediction { estimates, unseen })
    }

    fn estimate(&self, numbers: &mut impl Iterator<Item = [u8; 4]>, has_logarithm: bool) -> Option<Estimate> {
        let mut number = || numbers.next().map(f32::from_le_bytes).filter(|number| number.is_finite());
        let value = number()?;
        let log10 = if has_logarithm { Some(number()?) } else { None };
        let spread = match self.members {
            0 | 1 => None,
            members => Some(Spread { std: number()?, members: (0..members).map(|_| number()).collect::<Option<_>>()? }),
        };
        Some(Estimate { value, log10, spread })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(transform: Transform) -> Output {
        Output { name: "x".to_owned(), property: None, unit: None, transform, scale: 1.0, center: 0.0 }
    }

    fn plain(value: f32) -> Prediction {
        Prediction { estimates: vec![Estimate { value, log10: None, spread: None }], unseen: None }
    }

    #[test]
    fn what_is_written_is_read() {
        let form = Form::new(&[output(Transform::None)], 1, false);
        assert_eq!(form.read(&Form::write(&plain(1.5))), Some(plain(1.5)));

        let form = Form::new(&[output(Transform::None), output(Transform::Log10)], 3, true);
        let spread = |members: [f32; 3]| Some(Spread { std: 0.5, members: members.to_vec() });
        let estimates = vec![
            Estimate { value: 1.5, log10: None, spread: spread([1.0, 1.5, 2.0]) },
            Estimate { value: 100.0, log10: Some(2.0), spread: spread([99.0, 100.0, 101.0]) },
        ];
        let prediction = Prediction { estimates, unseen: Some(7) };
        assert_eq!(form.read(&Form::write(&prediction)), Some(prediction));
    }

    #[test]
    fn what_somebody_else_wrote_is_no_answer() {
        let form = Form::new(&[output(Transform::None)], 1, false);
        for bytes in [&b""[..], b"abc", b"abcde", b"abcdefgh", &f32::NAN.to_le_bytes(), &f32::INFINITY.to_le_bytes()] {
            assert_eq!(form.read(bytes), None, "{bytes:?}");
        }
        let ensemble = Form::new(&[output(Transform::None)], 2, true);
        assert_eq!(ensemble.read(&Form::write(&plain(1.5))), None, "an answer of another model was read");
    }
}
