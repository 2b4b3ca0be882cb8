//! The operator dies between any two writes of a rollout, and another one goes on: the end is the same, and nothing is made twice.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::status::Outcome as Ended;
use chemmodel_operator::build::RecordedRevision;
use chemmodel_tests::model::{PATIENCE, is_stable};
use chemmodel_tests::operator::{NAME, NAMESPACE, RECOVERY, is_whole, pods};
use chemmodel_tests::program::kubectl_ok;
use chemmodel_tests::s3::Bucket;
use chemmodel_tests::{Bundle, Model, Outcome, Scene};
use http::StatusCode;
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::mortal::{Operator, Write};
use crate::setting::exclusive;

/// Rollouts until as much is taken away as is added.
const RUN_IN: usize = 3;

/// Rollouts beside each other, each in a namespace of its own.
const PARTS: usize = 3;

#[test]
fn an_operator_that_dies_between_any_two_writes_of_a_rollout_changes_nothing_about_its_end() -> Outcome {
    exclusive("crashes", async |scene| {
        without_the_installed_operator(scene, async || {
            let parts = (0..PARTS).map(|part| async move {
                Scene::part(&format!("crashes-{part}"), async |scene| die_at_every(scene, part).await).await
            });
            let deaths: usize = futures::future::try_join_all(parts).await?.into_iter().sum();
            scene.say(&format!("FIGURE deaths, each between two other writes of a rollout: {deaths}"));
            Ok(())
        })
        .await
    })
}

#[test]
fn a_rollout_of_which_no_operator_lives_to_make_two_writes_ends_like_any_other() -> Outcome {
    exclusive("short-lives", async |scene| {
        without_the_installed_operator(scene, async || {
            let mut stage = Stage::open(scene).await?;
            let undisturbed = stage.rollout(None).await?;
            let run = stage.rollout(Some(Deaths { after: 1, of_all: true })).await?;
            stage.compare(&undisturbed, &run, "lives of one write").await?;
            scene.say(&format!("FIGURE deaths in one rollout, after every write: {}", run.deaths));
            Ok(())
        })
        .await
    })
}

/// One rollout for each write, or for every n-th of them when there are more parts.
async fn die_at_every(scene: &Scene, part: usize) -> Result<usize> {
    let mut stage = Stage::open(scene).await?;
    let undisturbed = stage.rollout(None).await?;
    if part == 0 {
        scene.say(&format!("an undisturbed rollout: {:#?}", undisturbed.writes));
    }
    let mut deaths = 0;
    for life in (part..undisturbed.writes.len()).step_by(PARTS) {
        let run = stage.rollout(Some(Deaths { after: life, of_all: false })).await?;
        // How often the status changes is a matter of time.
        ensure!(run.deaths == 1 || life + 5 > undisturbed.writes.len(), "nobody died after {life} writes");
        stage.compare(&undisturbed, &run, &format!("death after {life} writes")).await?;
        deaths += run.deaths;
    }
    Ok(deaths)
}

/// When operators die.
#[derive(Clone, Copy)]
struct Deaths {
    /// After so many writes of their own.
    after: usize,
    /// Not only the first one.
    of_all: bool,
}

/// A ChemModel, its present version and operator.
struct Stage<'a> {
    scene: &'a Scene,
    bucket: Bucket,
    model: Model<'a>,
    operator: Operator,
    term: i32,
    version: usize,
}

/// What became of a rollout.
struct Run {
    writes: Vec<String>,
    /// Objects that were made, however often.
    created: Vec<String>,
    deaths: usize,
    end: Value,
}

impl<'a> Stage<'a> {
    async fn open(scene: &'a Scene) -> Result<Self> {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let operator = Operator::start(scene, 1)?;
        let short = json!({"spec": {"rollout": {"observeSeconds": 1, "scaleDownDelaySeconds": 1, "historyLimit": 2}}});
        let manifest = chemmodel_tests::model::manifest("boiling-point", &bucket.uri("v1"), &name(0))?;
        let model = Model::apply(scene, &chemmodel_tests::model::changed(manifest, &short)).await?;
        model.until_stable(&name(0)).await?;
        let mut stage = Self { scene, bucket, model, operator, term: 1, version: 0 };
        for _ in 0..RUN_IN {
            stage.rollout(None).await?;
        }
        Ok(stage)
    }

    /// A rollout to a version that there has never been, of the same bundle, from the first write to the last.
    async fn rollout(&mut self, deaths: Option<Deaths>) -> Result<Run> {
        let before = self.operator.writes().len();
        if let Some(deaths) = deaths {
            self.operator.die_after(deaths.after);
        }
        self.version += 1;
        let version = name(self.version);
        let uri = self.bucket.uri("v1");
        self.model.patch(&json!({"spec": {"model": {"uri": uri, "version": version}}})).await?;

        let mut run = Run { writes: Vec::new(), created: Vec::new(), deaths: 0, end: Value::Null };
        let mut writes: Vec<Write> = Vec::new();
        let mut mortal = deaths.is_some();
        let mut skip = before;
        while mortal {
            let settled = settled(self.scene, &self.model, &version);
            tokio::select! {
                () = self.operator.died() => {}
                settled = settled => { settled?; break }
            }
            writes.extend(self.operator.writes().into_iter().skip(skip));
            skip = 0;
            run.deaths += 1;
            self.term += 1;
            self.operator = Operator::start(self.scene, self.term)?;
            mortal = deaths.is_some_and(|deaths| deaths.of_all);
            if mortal {
                // The first write of each term says that there is a new leader; one more is one of the rollout.
                self.operator.die_after(deaths.map_or(0, |deaths| deaths.after) + 1);
            }
        }
        // One that outlived the rollout must not die of the next.
        self.operator.live_on();
        settled(self.scene, &self.model, &version).await?;
        writes.extend(self.operator.writes().into_iter().skip(skip));

        let names = Names::read(self.scene).await?;
        run.created = writes.iter().filter(|write| made(write)).map(|write| names.replace(&write.object)).collect();
        run.created.sort_unstable();
        run.writes = writes.iter().map(|write| format!("{} {}", write.verb, names.replace(&write.object))).collect();
        run.end = shape(self.scene, &names).await?;
        Ok(run)
    }

    async fn compare(&self, undisturbed: &Run, run: &Run, what: &str) -> Result<()> {
        let (made, wanted) = (&run.created, &undisturbed.created);
        ensure!(made == wanted, "{what}: made {made:#?} instead of {wanted:#?}");
        let (end, wanted) = (&run.end, &undisturbed.end);
        ensure!(end == wanted, "{what}: the end is {end:#}\ninstead of {wanted:#}");
        let status = self.model.get().await?.status.context("no status")?;
        let told: Vec<_> = status.history.iter().map(|entry| (entry.version.clone(), entry.outcome)).collect();
        let wanted = [self.version, self.version - 1].map(|version| (name(version), Ended::Promoted));
        ensure!(told == wanted, "{what}: the history tells {told:?}");
        Ok(())
    }
}

fn name(version: usize) -> String {
    format!("try-{version:03}")
}

/// An object that was not there before. Events are stories, not state.
fn made(write: &Write) -> bool {
    write.answer == StatusCode::CREATED && !write.object.starts_with("events")
}

/// Stable, with the old pods and all Jobs gone.
async fn settled(scene: &Scene, model: &Model<'_>, version: &str) -> Result<()> {
    model.until_stable(version).await?;
    let over = |model: &chemmodel_crds::ChemModel| {
        is_stable(model) && model.status.as_ref().is_some_and(|status| status.previous.is_none())
    };
    model.until("has no old pods left", PATIENCE, over).await?;
    scene
        .until("the Jobs are gone", PATIENCE, async || {
            let jobs = scene.kubectl(&["get", "jobs", "--output=name"]).await?;
            Ok(jobs.trim().is_empty().then_some(()))
        })
        .await
}

/// Names that are different in each rollout, and what they stand for.
struct Names(BTreeMap<String, String>);

impl Names {
    async fn read(scene: &Scene) -> Result<Self> {
        let records = scene.api::<ControllerRevision>().list(&ListParams::default()).await?.items;
        let mut records: Vec<_> = records.iter().filter_map(RecordedRevision::read).collect();
        records.sort_by_key(|(_, number, _)| std::cmp::Reverse(*number));
        let mut names = BTreeMap::new();
        for (age, (hash, _, record)) in records.into_iter().enumerate() {
            names.insert(hash.to_string(), format!("REVISION-{age}"));
            names.insert(record.version, format!("VERSION-{age}"));
        }
        let service = scene.kubectl(&["get", "service", "boiling-point", "--output=jsonpath={.spec.selector}"]).await?;
        let (active, idle) = if service.contains("green") { ("green", "blue") } else { ("blue", "green") };
        names.insert(active.to_owned(), "ACTIVE".to_owned());
        names.insert(idle.to_owned(), "IDLE".to_owned());
        Ok(Self(names))
    }

    fn replace(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, meaning)| text.replace(name, meaning))
    }
}

/// The objects of the ChemModel: what somebody wanted of them, without what the cluster adds.
async fn shape(scene: &Scene, names: &Names) -> Result<Value> {
    const KINDS: &str = "deployments,services,jobs,controllerrevisions,persistentvolumeclaims,horizontalpodautoscalers,\
                         poddisruptionbudgets,serviceaccounts";
    const ADDED: [&str; 10] = [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
        "revision",
        "status",
        "chemmodel.io/term",
        "chemmodel.io/applied",
        "deployment.kubernetes.io/revision",
    ];
    let ours = ["get", KINDS, "--selector=chemmodel.io/model=boiling-point", "--output=json"];
    let text = names.replace(&scene.kubectl(&ours).await?);
    let mut list: Value = serde_json::from_str(&text)?;
    strip(&mut list, &ADDED.into_iter().collect());
    // In the order of the names that stand for others.
    let mut objects: Vec<Value> = list["items"].as_array().cloned().context("no list")?;
    objects.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
    Ok(Value::Array(objects))
}

fn strip(value: &mut Value, added: &BTreeSet<&str>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !added.contains(name.as_str()));
            fields.values_mut().for_each(|field| strip(field, added));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, added)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
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
