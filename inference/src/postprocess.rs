//! From the network's numbers to values in the unit that the bundle names. Pure.

use chemmodel_bundle::{Aggregate, Output, Transform};

/// Turns the raw numbers of one molecule into one value for each output.
///
/// `raw` holds the outputs of member after member. Each is scaled and transformed back, then the members' values are
/// averaged: a member is a model of its own, and its answer is in the unit. `None` when a value is not finite.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // The weights are float32; members are few.
pub fn values(raw: &[f32], outputs: &[Output], aggregate: Aggregate) -> Option<Vec<f32>> {
    let members = raw.chunks_exact(outputs.len().max(1));
    let count = members.len() as f64;
    let mut sums = vec![0.0; outputs.len()];
    for member in members {
        for ((sum, raw), output) in sums.iter_mut().zip(member).zip(outputs) {
            *sum += value(f64::from(*raw), output);
        }
    }
    match aggregate {
        Aggregate::Mean => {
            let means: Vec<f32> = sums.into_iter().map(|sum| (sum / count) as f32).collect();
            means.iter().all(|mean| mean.is_finite()).then_some(means)
        }
    }
}

/// inverse-transform(raw × scale + center), as in `docs/bundle.md`.
fn value(raw: f64, output: &Output) -> f64 {
    let label = raw * output.scale + output.center;
    match output.transform {
        Transform::None => label,
        Transform::Log1p => label.exp_m1(),
        Transform::Log10 => 10_f64.powf(label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(transform: Transform, scale: f64, center: f64) -> Output {
        Output { name: "x".to_owned(), property: None, unit: None, transform, scale, center }
    }

    fn one(raw: &[f32], output: Output) -> Option<Vec<f32>> {
        values(raw, &[output], Aggregate::Mean)
    }

    #[test]
    fn a_value_is_scaled_and_centred() {
        assert_eq!(one(&[-1.5], output(Transform::None, 80.0, 468.0)), Some(vec![348.0]));
    }

    #[test]
    fn a_transform_of_the_label_is_undone_after_the_scaling() {
        // ln(1 + 9) = 2.302585, log10(1000) = 3.
        assert!((one(&[1.0], output(Transform::Log1p, 2.0, 0.302_585)).unwrap()[0] - 9.0).abs() < 1e-4);
        assert!((one(&[1.0], output(Transform::Log10, 2.0, 1.0)).unwrap()[0] - 1000.0).abs() < 1e-3);
    }

    #[test]
    fn members_are_averaged_in_the_unit_and_not_in_the_logarithm() {
        assert_eq!(one(&[1.0, 3.0], output(Transform::Log10, 1.0, 0.0)), Some(vec![505.0]));
    }

    #[test]
    fn outputs_keep_their_columns() {
        let outputs = [output(Transform::None, 1.0, 0.0), output(Transform::None, 10.0, 1.0)];
        assert_eq!(values(&[1.0, 2.0, 3.0, 4.0], &outputs, Aggregate::Mean), Some(vec![2.0, 31.0]));
    }

    #[test]
    fn a_number_that_is_not_finite_is_no_answer() {
        assert_eq!(one(&[f32::NAN], output(Transform::None, 1.0, 0.0)), None);
        assert_eq!(one(&[f32::INFINITY], output(Transform::None, 1.0, 0.0)), None);
        assert_eq!(one(&[500.0], output(Transform::Log10, 1.0, 0.0)), None);
        assert_eq!(one(&[], output(Transform::None, 1.0, 0.0)), None);
    }
}
