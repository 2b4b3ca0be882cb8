//! An ensemble of graph networks, from `kubectl apply` to the second one.

use anyhow::{Context as _, Result, ensure};
use chemmodel_tests::environment::repository;
use chemmodel_tests::model::{changed, manifest};
use chemmodel_tests::{Bundle, Model, Outcome, Scene};
use serde_json::{Value, json};

use crate::setting::{shared, switch_to};

const MODEL: &str = "polyid-tg-tm";
/// The output of which the example has measured values.
const PROPERTY: &str = "Tg";
/// No polymer of the training data has anything like it.
const FAR_AWAY: &str = "F[P-](F)(F)(F)(F)F.CCn1cc[n+](C)c1";
/// Of a golden molecule's answer: absolute in °C, and relative.
const TOLERANCE: (f64, f64) = (0.01, 1e-4);

#[test]
fn an_ensemble_predicts_the_best_known_polymers_says_what_it_does_not_know_and_gives_way_to_a_second_one() -> Outcome {
    shared("polymers", async |scene| {
        let bucket = scene.bucket().await?;
        for version in ["v1", "v2"] {
            bucket.upload(version, &Bundle::of(MODEL, version)?).await?;
        }
        let long = json!({"spec": {"runtime": {"limits": {"maxSmilesLength": 4000}}}});
        let model = Model::apply(scene, &changed(manifest(MODEL, &bucket.uri("v1"), "v1")?, &long)).await?;
        for version in ["v1", "v2"] {
            model.patch(&switch_to(&bucket, version)).await?;
            model.until_stable(version).await?;
            model.until_it_answers().await?;
            best_known_polymers(scene, &model, version).await?;
            golden_answers(&model, version).await?;
        }
        domain(&model).await?;
        mistakes(&model).await
    })
}

/// Beside what was measured, which the log shows; how good a model is, its card says.
async fn best_known_polymers(scene: &Scene, model: &Model<'_>, version: &str) -> Result<()> {
    let table = std::fs::read_to_string(repository("examples/polymers.csv"))?;
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split(',').collect()).collect();
    ensure!(rows.len() >= 10, "the example has {} polymers", rows.len());
    let smiles: Vec<&str> = rows.iter().filter_map(|row| row.get(1).copied()).collect();
    let answer = model.ask(&json!({"smiles": smiles})).await?;
    ensure!(answer["version"] == version && answer["unit"][PROPERTY] == "degC", "{answer}");
    for (row, one) in rows.iter().zip(answer["predictions"].as_array().context("no predictions")?) {
        let number = |value: &Value| value.as_f64().with_context(|| format!("{}: {one}", row[0]));
        let (predicted, std) = (number(&one["prediction"][PROPERTY])?, number(&one["std"][PROPERTY])?);
        let members = one["members"][PROPERTY].as_array().context("no members")?;
        let mean = members.iter().map(number).sum::<Result<f64>>()? / f64::from(u32::try_from(members.len())?);
        ensure!(members.len() >= 3 && (mean - predicted).abs() < 0.01, "{}: {one}", row[0]);
        scene.say(&format!(
            "FIGURE {version} {}: Tg {predicted:.0} ± {std:.0} degC, measured {} degC, {} unseen environments",
            row[0], row[2], one["domain"]["unseenEnvironments"]
        ));
    }
    Ok(())
}

/// Some of them are one molecule with its atoms in several orders.
async fn golden_answers(model: &Model<'_>, version: &str) -> Result<()> {
    for (smiles, reference) in Bundle::of(MODEL, version)?.golden()? {
        let answer = model.ask(&json!({"smiles": smiles})).await?;
        let predicted = answer["prediction"][PROPERTY].as_f64().with_context(|| format!("{smiles}: {answer}"))?;
        let allowed = TOLERANCE.0 + TOLERANCE.1 * reference.abs();
        ensure!((predicted - reference).abs() <= allowed, "{smiles}: {predicted} instead of {reference}");
    }
    Ok(())
}

async fn domain(model: &Model<'_>) -> Result<()> {
    let answer = model.ask(&json!({"smiles": FAR_AWAY})).await?;
    let unseen = answer["domain"]["unseenEnvironments"].as_u64().with_context(|| format!("no domain: {answer}"))?;
    ensure!(unseen > 0 && answer["domain"]["inside"] == false, "{answer}");
    Ok(())
}

async fn mistakes(model: &Model<'_>) -> Result<()> {
    let answer = model.ask(&json!({"smiles": ["CCO", "CC(C)(C)(C)C", "C1CC"]})).await?;
    let rows = answer["predictions"].as_array().context("no predictions")?;
    ensure!(rows[0]["prediction"][PROPERTY].is_number(), "{answer}");
    for row in &rows[1..] {
        ensure!(row["error"].is_string() && row["position"].is_u64(), "{answer}");
    }
    Ok(())
}
