//! A ChemModel and its mortal operator: one story after another is told, and what became of each is kept for comparison.

use std::pin::pin;

use anyhow::{Context as _, Result, ensure};
use chemmodel_tests::model::{changed, manifest};
use chemmodel_tests::s3::Bucket;
use chemmodel_tests::{Bundle, Model, Scene};
use http::StatusCode;
use serde_json::Value;

use super::shape::{Names, shape};
use super::story::{MODEL, Story, in_haste};
use crate::mortal::{Operator, Way, Write};

/// Stories until as much is taken away as is added.
const RUN_IN: usize = 3;

/// When operators die.
#[derive(Clone, Copy, Debug)]
pub struct Deaths {
    /// At which of their own writes.
    pub number: usize,
    /// On which side of it.
    pub way: Way,
    /// All of them, not only the first one.
    pub of_all: bool,
}

/// A ChemModel, its present version and its operator.
pub struct Stage<'a> {
    scene: &'a Scene,
    story: Story,
    bucket: Bucket,
    operator: Operator,
    /// The version that has the traffic.
    present: String,
    told: usize,
}

/// What became of a story.
pub struct Run {
    /// All writes, of all lives.
    pub writes: Vec<String>,
    /// Operators that were killed.
    pub deaths: usize,
    /// Objects that were made, however often.
    created: Vec<String>,
    /// The objects that there are.
    end: Value,
    /// `status.history`: version, outcome and reason, the latest first.
    pub history: Vec<String>,
}

impl<'a> Stage<'a> {
    /// With the story told a few times by an operator that nobody kills.
    pub async fn open(scene: &'a Scene, story: Story) -> Result<Self> {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let operator = Operator::start(scene, "mortal").await?;
        let mut stage = Self { scene, story, bucket, operator, present: name(0), told: 0 };
        let manifest = changed(manifest(MODEL, &stage.bucket.uri("v1"), &stage.present)?, &in_haste());
        Model::apply(scene, &manifest).await?.until_stable(&stage.present).await?;
        for _ in 0..if story == Story::First { 0 } else { RUN_IN } {
            stage.play(None).await?;
        }
        Ok(stage)
    }

    /// Tells the story, with a version that there has never been.
    pub async fn play(&mut self, deaths: Option<Deaths>) -> Result<Run> {
        self.story.prepare(self.scene).await?;
        self.told += 1;
        let new = name(self.told);
        let before = self.operator.writes().len();
        if let Some(Deaths { number, way, .. }) = deaths {
            self.operator.die_at(number, way);
        }
        let killed = {
            let mut story = pin!(self.story.tell(self.scene, &self.bucket, &self.present, &new));
            let mut killed = 0;
            loop {
                tokio::select! {
                    over = &mut story => { over?; break killed }
                    died = self.operator.died() => died?,
                }
                killed += 1;
                if let Some(Deaths { number, way, of_all: true }) = deaths {
                    self.operator.die_at(number, way);
                }
                self.operator.start_again().await?;
            }
        };
        // One that outlived its story must not die of the next.
        self.operator.live_on();
        if self.story.promotes() {
            self.present = new;
        }
        let writes = self.operator.writes().split_off(before);
        self.look(&writes, killed).await
    }

    async fn look(&self, writes: &[Write], deaths: usize) -> Result<Run> {
        let names = Names::read(self.scene, MODEL).await?;
        let mut created: Vec<_> =
            writes.iter().filter(|write| made(write)).map(|write| names.replace(&write.object)).collect();
        created.sort_unstable();
        let model = Model { scene: self.scene, name: MODEL.to_owned() };
        let status = model.get().await?.status.context("no status")?;
        let entry = |entry: &chemmodel_crds::status::HistoryEntry| {
            format!("{} {:?} {:?}", names.replace(&entry.version), entry.outcome, entry.reason)
        };
        Ok(Run {
            writes: writes.iter().map(|write| format!("{} {}", write.verb, names.replace(&write.object))).collect(),
            deaths,
            created,
            end: shape(self.scene, &names).await?,
            history: status.history.iter().map(entry).collect(),
        })
    }
}

impl Run {
    /// The same end by the same creations; how often a status was written is a matter of time.
    pub fn compare(&self, undisturbed: &Self, what: &str) -> Result<()> {
        let (made, wanted) = (&self.created, &undisturbed.created);
        ensure!(made == wanted, "{what}: made {made:#?} instead of {wanted:#?}");
        let (end, wanted) = (&self.end, &undisturbed.end);
        ensure!(end == wanted, "{what}: the end is {end:#}\ninstead of {wanted:#}");
        let (told, wanted) = (&self.history, &undisturbed.history);
        ensure!(told == wanted, "{what}: the history tells {told:#?} instead of {wanted:#?}");
        Ok(())
    }
}

/// Name of a version; in no other name or address.
fn name(number: usize) -> String {
    format!("try-{number:03}")
}

/// An object that was not there before. Events are stories, not state.
fn made(write: &Write) -> bool {
    write.answer == StatusCode::CREATED && !write.object.starts_with("events")
}
