//! From the network's numbers to predictions in the unit that the bundle names. Pure.

use chemmodel_bundle::{Aggregate, Output, Transform};

/// The answer for one molecule.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// One for each output of the model.
    pub estimates: Vec<Estimate>,
    /// Environments of its atoms that training had not; nothing when the bundle does not say what it had.
    pub unseen: Option<u32>,
}

/// What is predicted for one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// In the output's unit.
    pub value: f32,
    /// The decimal logarithm of the value, as the network gave it; where the output has the transform `log10`.
    pub log10: Option<f32>,
    /// What the members say; where there are several.
    pub spread: Option<Spread>,
}

/// How far the members of an ensemble agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Standard deviation of a sample (n − 1) of the members' values, in the output's unit.
    pub std: f32,
    /// Value of each member, in the output's unit.
    pub members: Vec<f32>,
}

/// Turns the raw numbers of one molecule into an estimate for each output. `raw` holds the outputs of member after member.
/// `None` when a number is not finite.
pub fn estimates(raw: &[f32], outputs: &[Output], aggregate: Aggregate) -> Option<Vec<Estimate>> {
    let columns = outputs.iter().enumerate();
    columns
        .map(|(column, output)| {
            let members = raw.chunks_exact(outputs.len()).map(|member| member[column]);
            let labels = members.map(|raw| f64::from(raw) * output.scale + output.center);
            estimate(&labels.collect::<Vec<_>>(), output.transform, aggregate)
        })
        .collect()
}

/// `labels` are what the members were trained on: they are averaged there, as PolyID does, and only then transformed back.
fn estimate(labels: &[f64], transform: Transform, aggregate: Aggregate) -> Option<Estimate> {
    let label = match aggregate {
        Aggregate::Mean => mean(labels),
    };
    let log10 = match transform {
        Transform::None | Transform::Log1p => None,
        Transform::Log10 => Some(finite(label)?),
    };
    let spread = match labels {
        [] | [_] => None,
        labels => {
            let values: Vec<f64> = labels.iter().map(|label| undone(*label, transform)).collect();
            let members = values.iter().map(|value| finite(*value)).collect::<Option<_>>()?;
            Some(Spread { std: finite(standard_deviation(&values))?, members })
        }
    };
    Some(Estimate { value: finite(undone(label, transform))?, log10, spread })
}

/// inverse-transform(label), as in `docs/bundle.md`.
fn undone(label: f64, transform: Transform) -> f64 {
    match transform {
        Transform::None => label,
        Transform::Log1p => label.exp_m1(),
        Transform::Log10 => 10_f64.powf(label),
    }
}

#[allow(clippy::cast_precision_loss)] // Members are few.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[allow(clippy::cast_precision_loss)] // Members are few.
fn standard_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

#[allow(clippy::cast_possible_truncation)] // The weights are float32.
fn finite(value: f64) -> Option<f32> {
    Some(value as f32).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(transform: Transform, scale: f64, center: f64) -> Output {
        Output { name: "x".to_owned(), property: None, unit: None, transform, scale, center }
    }

    fn one(raw: &[f32], output: Output) -> Option<Estimate> {
        estimates(raw, &[output], Aggregate::Mean).map(|mut estimates| estimates.remove(0))
    }

    fn value(raw: &[f32], output: Output) -> Option<f32> {
        one(raw, output).map(|estimate| estimate.value)
    }

    #[test]
    fn a_value_is_scaled_and_centred() {
        assert_eq!(value(&[-1.5], output(Transform::None, 80.0, 468.0)), Some(348.0));
    }

    #[test]
    fn a_transform_of_the_label_is_undone_after_the_scaling() {
        // ln(1 + 9) = 2.302585, log10(1000) = 3.
        assert!((value(&[1.0], output(Transform::Log1p, 2.0, 0.302_585)).unwrap() - 9.0).abs() < 1e-4);
        assert!((value(&[1.0], output(Transform::Log10, 2.0, 1.0)).unwrap() - 1000.0).abs() < 1e-3);
    }

    #[test]
    fn members_are_averaged_before_the_transform_is_undone() {
        let estimate = one(&[1.0, 3.0], output(Transform::Log10, 1.0, 0.0)).unwrap();
        assert_eq!((estimate.value, estimate.log10), (100.0, Some(2.0)));
        assert_eq!(value(&[1.0, 3.0], output(Transform::None, 10.0, 5.0)), Some(25.0));
    }

    #[test]
    fn the_members_of_an_ensemble_are_told_in_the_unit_with_their_deviation() {
        let spread = one(&[370.0, 371.0, 375.0], output(Transform::None, 1.0, 0.0)).unwrap().spread.unwrap();
        assert_eq!(spread.members, [370.0, 371.0, 375.0]);
        // Deviations from 372: 2, 1 and 3; 14 / 2.
        assert!((spread.std - 7.0_f32.sqrt()).abs() < 1e-6);
        let spread = one(&[1.0, 3.0], output(Transform::Log10, 1.0, 0.0)).unwrap().spread.unwrap();
        assert_eq!(spread.members, [10.0, 1000.0]);
        // 990 / √2.
        assert!((spread.std - 700.035_7).abs() < 1e-3);
    }

    #[test]
    fn a_single_network_has_no_spread_and_a_plain_label_no_logarithm() {
        let estimate = one(&[1.0], output(Transform::None, 1.0, 0.0)).unwrap();
        assert_eq!(estimate, Estimate { value: 1.0, log10: None, spread: None });
    }

    #[test]
    fn outputs_keep_their_columns() {
        let outputs = [output(Transform::None, 1.0, 0.0), output(Transform::None, 10.0, 1.0)];
        let estimates = estimates(&[1.0, 2.0, 3.0, 4.0], &outputs, Aggregate::Mean).unwrap();
        assert_eq!(estimates.iter().map(|estimate| estimate.value).collect::<Vec<_>>(), [2.0, 31.0]);
        assert_eq!(estimates[1].spread.as_ref().unwrap().members, [21.0, 41.0]);
    }

    #[test]
    fn a_number_that_is_not_finite_is_no_answer() {
        assert_eq!(one(&[f32::NAN], output(Transform::None, 1.0, 0.0)), None);
        assert_eq!(one(&[f32::INFINITY], output(Transform::None, 1.0, 0.0)), None);
        assert_eq!(one(&[500.0], output(Transform::Log10, 1.0, 0.0)), None);
        // The mean is finite, one of its members is not.
        assert_eq!(one(&[1.0, 50.0], output(Transform::Log10, 1.0, 0.0)), None);
        assert_eq!(one(&[], output(Transform::None, 1.0, 0.0)), None);
    }
}
