//! Random histories: specs change, pods come, go and are late, Jobs fail, the operator dies between any two writes, and time passes. At no
//! point may the traffic be harmed by a choice of the planner, and after quiet returns every history must be at an end, with nothing left to
//! write.

use chemmodel_crds::labels::component;
use chemmodel_crds::status::{Colour, Phase};
use serde_json::json;

use super::model;
use super::world::World;
use crate::model::ValidatedModel;
use crate::plan::{Action, plan};

const HISTORIES: u64 = 150;
const STEPS: u32 = 60;

#[test]
fn every_history_ends_and_never_harms_the_traffic() {
    let specs = specs();
    for seed in 1..=HISTORIES {
        let mut dice = Dice(seed);
        let mut world = World::new();
        let mut spec = &specs[0];
        for _ in 0..STEPS {
            world.lags = dice.roll(2) == 0;
            match dice.roll(12) {
                0 => spec = &specs[dice.below(specs.len())],
                1 if job_runs(&world) => world.job_succeeds(&format!("manifest of {}", spec.spec.model.version)),
                2 if job_runs(&world) => world.job_fails("NotFound", "the bucket is gone"),
                3 if job_runs(&world) => world.job_dies_without_a_word(),
                4 => world.pods_become_ready(),
                5 => world.slot_has(Colour::ALL[dice.below(2)], i32::from(dice.below(2) == 1)),
                6 => world.pass(i64::from(dice.roll(120))),
                7 => world.seen.pods.clear(),
                _ => step(&mut world, spec, &mut dice, seed),
            }
        }
        quiet_returns(&mut world, spec, seed);
    }
}

/// A reconcile that may die after any write, before or after the status.
fn step(world: &mut World, spec: &ValidatedModel, dice: &mut Dice, seed: u64) {
    let plan = plan(spec, &world.seen, world.now);
    let survives = dice.roll(3) > 0;
    let writes = if survives { plan.actions.len() } else { dice.below(plan.actions.len() + 1) };
    for action in plan.actions.iter().take(writes) {
        let active_before = world.active();
        if let (Action::Scale { deployment, replicas: 0 }, Some(active)) = (action, active_before) {
            assert!(!deployment.ends_with(active.as_str()), "seed {seed}: the active colour was given up");
        }
        world.perform(action.clone());
        if world.active() != active_before {
            let slot = world.seen.slot(world.active().unwrap()).unwrap();
            assert!(
                slot.ready.min(slot.wanted) > 0,
                "seed {seed}: traffic was given to a slot without a ready pod that stays"
            );
        }
    }
    if survives {
        world.seen.status = plan.status;
    }
    world.play();
}

fn quiet_returns(world: &mut World, spec: &ValidatedModel, seed: u64) {
    world.lags = false;
    for _ in 0..20 {
        world.follow();
        world.settle(spec);
        if job_runs(world) {
            world.job_succeeds(&format!("manifest of {}", spec.spec.model.version));
        }
        world.pods_become_ready();
        world.pass(301);
    }
    world.settle(spec);
    let ended = [Phase::Stable, Phase::Aborted, Phase::RolledBack].contains(&world.phase());
    assert!(ended, "seed {seed}: {:?}", world.seen.status);
    let (colour, revision) = world.seen.active().unwrap();
    assert_eq!(revision == spec.revision, world.phase() == Phase::Stable, "seed {seed}");
    assert_eq!(world.replicas(colour.other()), 0, "seed {seed}: the other colour holds pods for nothing");
    assert!(world.seen.jobs.is_empty(), "seed {seed}: a Job is left");
    assert!(plan(spec, &world.seen, world.now).actions.is_empty(), "seed {seed}");
}

fn job_runs(world: &World) -> bool {
    world.newest_job(component::SYNC).is_some_and(|job| job.status.is_none())
}

fn specs() -> Vec<ValidatedModel> {
    vec![
        model("v1", json!({"replicas": 2})),
        model("v2", json!({"replicas": 2})),
        model("v2", json!({"replicas": 3})),
        model("v2", json!({"autoscaling": {"minReplicas": 1, "maxReplicas": 4}})),
        model("v3", json!({"storage": {"mode": "Ephemeral"}})),
        model("v3", json!({"runtime": {"accelerator": "Cpu"}})),
    ]
}

/// A small generator of its own: a history must be the same on every machine.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % sides
    }

    /// An index below `length`.
    fn below(&mut self, length: usize) -> usize {
        self.roll(length.try_into().unwrap()) as usize
    }
}
