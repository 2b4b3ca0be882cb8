//! The operator is killed at its writes, before and after each of them, and goes on: the end is the same, and nothing is made twice.

mod shape;
mod stage;
mod story;

use anyhow::{Result, ensure};
use chemmodel_tests::operator::{NAME, NAMESPACE, RECOVERY, is_whole, pods};
use chemmodel_tests::program::kubectl_ok;
use chemmodel_tests::{Outcome, Scene};
use futures::future::try_join_all;

use crate::mortal::Way;
use crate::setting::exclusive;

use stage::{Deaths, Stage};
use story::Story;

/// Rollouts beside each other, each in a namespace of its own.
const PARTS: usize = 3;
/// Of so many deaths, `make test` dies one; `CRASHES=all` dies all.
const SAMPLE: usize = 3;

#[test]
fn killed_once_at_a_write_of_a_rollout_it_comes_to_the_same_end() -> Outcome {
    exclusive("crashes", async |scene| {
        let step = if std::env::var("CRASHES").is_ok_and(|which| which == "all") { 1 } else { SAMPLE };
        without_the_installed_operator(scene, async || {
            let parts = (0..PARTS).map(|part| async move {
                Scene::part(&format!("crashes-{part}"), async |scene| die_once_each(scene, part, step).await).await
            });
            let deaths: usize = try_join_all(parts).await?.into_iter().sum();
            scene.say(&format!("FIGURE deaths, each at another write of a rollout or on its other side: {deaths}"));
            Ok(())
        })
        .await
    })
}

#[test]
fn killed_at_every_other_write_of_any_story_it_comes_to_the_same_end() -> Outcome {
    exclusive("short-lives", async |scene| {
        without_the_installed_operator(scene, async || {
            let parts = Story::ALL.map(|story| async move {
                Scene::part(&format!("short-{story:?}").to_lowercase(), async |scene| live_shortly(scene, story).await)
                    .await
            });
            let deaths: usize = try_join_all(parts).await?.into_iter().sum();
            scene.say(&format!("FIGURE deaths in {} stories, each told twice: {deaths}", Story::ALL.len()));
            Ok(())
        })
        .await
    })
}

/// One rollout for each write and each side of it; of those, what falls to this part.
async fn die_once_each(scene: &Scene, part: usize, step: usize) -> Result<usize> {
    let mut stage = Stage::open(scene, Story::Release).await?;
    let undisturbed = stage.play(None).await?;
    let promoted = [0, 1].map(|age| format!("VERSION-{age} Promoted \"Promoted\""));
    ensure!(undisturbed.history == promoted, "undisturbed, the history tells {:#?}", undisturbed.history);
    if part == 0 {
        scene.say(&format!("an undisturbed rollout: {:#?}", undisturbed.writes));
    }
    let every = (0..undisturbed.writes.len()).flat_map(|number| [(number, Way::Unsent), (number, Way::Unheard)]);
    let mut deaths = 0;
    for (number, way) in every.step_by(step).skip(part).step_by(PARTS) {
        let run = stage.play(Some(Deaths { number, way, of_all: false })).await?;
        // How often the status changes is a matter of time.
        ensure!(run.deaths == 1 || number + 5 > undisturbed.writes.len(), "nobody died at write {number}");
        run.compare(&undisturbed, &format!("death at write {number}, {way:?}"))?;
        deaths += run.deaths;
    }
    Ok(deaths)
}

/// Nobody lives for longer than one write and a half.
async fn live_shortly(scene: &Scene, story: Story) -> Result<usize> {
    let mut stage = Stage::open(scene, story).await?;
    let undisturbed = stage.play(None).await?;
    let mut deaths = 0;
    for way in [Way::Unsent, Way::Unheard] {
        let run = stage.play(Some(Deaths { number: 1, way, of_all: true })).await?;
        ensure!(run.deaths > 1, "{story:?}: {} deaths", run.deaths);
        run.compare(&undisturbed, &format!("{story:?}, short lives, {way:?}"))?;
        scene.say(&format!("FIGURE deaths in one {story:?}, {way:?}: {}", run.deaths));
        deaths += run.deaths;
    }
    Ok(deaths)
}

/// Takes the installed operator away for as long as `body` takes.
pub async fn without_the_installed_operator(scene: &Scene, body: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let scale = async |replicas: u8| {
        let replicas = format!("--replicas={replicas}");
        kubectl_ok(&["--namespace", NAMESPACE, "scale", &format!("deployment/{NAME}"), &replicas], "").await
    };
    scale(0).await?;
    let gone = async || Ok(pods(&scene.client).await?.is_empty().then_some(()));
    let outcome = match scene.until("the installed operator is gone", RECOVERY, gone).await {
        Ok(()) => body().await,
        Err(error) => Err(error),
    };
    scale(2).await?;
    let whole = async || Ok(is_whole(&scene.client).await?.then_some(()));
    scene.until("the installed operator is back", RECOVERY, whole).await?;
    outcome
}
