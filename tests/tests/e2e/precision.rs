//! A variant of a bundle is a version like any other.

use anyhow::{Context as _, ensure};
use chemmodel_tests::{Bundle, Outcome};
use serde_json::json;

use crate::setting::{bucket_with_both, shared, stable};

/// Kelvin. Of the variant: what its manifest allows.
const TOLERANCE: f64 = 2.5;

#[test]
fn the_int8_variant_is_verified_by_its_own_tolerance_and_answers_nearly_like_fp32() -> Outcome {
    shared("int8", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let bundle = Bundle::example("v2-int8")?;
        bucket.upload("v2-int8", &bundle).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        model
            .patch(&json!({"spec": {
                "model": {"uri": bucket.uri("v2-int8"), "version": "v2-int8"}, "runtime": {"precision": "Int8"}
            }}))
            .await?;
        model.until_stable("v2-int8").await?;
        let (smiles, references): (Vec<String>, Vec<f64>) = bundle.golden()?.into_iter().unzip();
        let answers = model.predict(&smiles.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let differences: Vec<f64> =
            answers.iter().zip(&references).map(|(answer, reference)| (answer - reference).abs()).collect();
        let largest = differences.iter().copied().reduce(f64::max).context("there are no golden molecules")?;
        ensure!(largest <= TOLERANCE, "an answer is {largest} K off");
        ensure!(largest > 0.01, "answers are those of fp32: they differ by {largest} K at most");
        Ok(())
    })
}
