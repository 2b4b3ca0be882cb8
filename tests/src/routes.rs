//! Which pods a Service had, and when: its `EndpointSlice`s, watched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures::StreamExt as _;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::task::JoinHandle;

use crate::Scene;

/// The pods to which a Service sends new connections, since a moment.
#[derive(Clone, Debug)]
pub struct Route {
    /// When the API server told of it.
    pub since: Instant,
    /// Names of the pods.
    pub pods: BTreeSet<String>,
}

impl Route {
    /// The Deployment of all pods, when they have one in common.
    pub fn deployment(&self) -> Option<&str> {
        let mut names = self.pods.iter().map(|pod| pod.rsplitn(3, '-').last().unwrap_or_default());
        let first = names.next()?;
        names.all(|name| name == first).then_some(first)
    }
}

/// A watch on the routes of a Service.
pub struct Routes {
    history: Arc<Mutex<Vec<Route>>>,
    watch: JoinHandle<()>,
}

impl Routes {
    /// Watches from now on.
    pub fn watch(scene: &Scene, service: &str) -> Self {
        let labels = watcher::Config::default().labels(&format!("kubernetes.io/service-name={service}"));
        let mut events = watcher(scene.api::<EndpointSlice>(), labels).boxed();
        let history = Arc::<Mutex<Vec<Route>>>::default();
        let told = history.clone();
        let watch = tokio::spawn(async move {
            let mut slices = BTreeMap::new();
            while let Some(event) = events.next().await {
                match event {
                    Ok(Event::Apply(slice) | Event::InitApply(slice)) => {
                        slices.insert(slice.name_any(), pods(&slice));
                    }
                    Ok(Event::Delete(slice)) => {
                        slices.remove(&slice.name_any());
                    }
                    // A watch that broke begins again by itself.
                    Ok(Event::Init) => slices.clear(),
                    Ok(Event::InitDone) | Err(_) => {}
                }
                note(&told, slices.values().flatten().cloned().collect());
            }
        });
        Self { history, watch }
    }

    /// All routes so far, the oldest first.
    pub fn history(&self) -> Vec<Route> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first route of each row of routes to one Deployment: the switches, and before them where it began.
    pub fn turns(&self) -> Vec<Route> {
        let mut turns: Vec<Route> = Vec::new();
        for route in self.history() {
            if route.deployment().is_some() && turns.last().and_then(Route::deployment) != route.deployment() {
                turns.push(route);
            }
        }
        turns
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

fn note(history: &Mutex<Vec<Route>>, pods: BTreeSet<String>) {
    let mut history = history.lock().unwrap_or_else(PoisonError::into_inner);
    if history.last().is_none_or(|last| last.pods != pods) {
        history.push(Route { since: Instant::now(), pods });
    }
}

/// Those that get new connections: ready, or of unknown state.
fn pods(slice: &EndpointSlice) -> BTreeSet<String> {
    let ready = |ready: Option<bool>| ready.unwrap_or(true);
    slice
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.conditions.as_ref().is_none_or(|conditions| ready(conditions.ready)))
        .filter_map(|endpoint| endpoint.target_ref.as_ref()?.name.clone())
        .collect()
}
