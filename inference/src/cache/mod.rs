//! Answers that were given before, by the exact text of the molecule. A bundle is its digest and a server has one bundle, so
//! an answer holds for as long as there is that digest: nothing here is ever out of date.
//!
//! Two places: the server's own memory, and a Redis that replicas share when there is one. Neither can fail a request.

mod form;
mod shared;

use std::sync::Arc;

use moka::sync::Cache;

use crate::metrics::Metrics;
use crate::postprocess::Prediction;

pub use form::Form;
pub use shared::Shared;

/// What is known without asking the network.
pub struct Answers {
    own: Option<Cache<Arc<str>, Prediction>>,
    shared: Option<Shared>,
    metrics: Arc<Metrics>,
}

impl Answers {
    /// Keeps at most `entries` answers in memory, none when that is 0; the least used go first.
    pub fn new(entries: u64, shared: Option<Shared>, metrics: Arc<Metrics>) -> Self {
        Self { own: (entries > 0).then(|| Cache::new(entries)), shared, metrics }
    }

    /// For each molecule its answer, when somebody has asked before.
    pub async fn find(&self, molecules: &[&str]) -> Vec<Option<Prediction>> {
        let mut found: Vec<Option<Prediction>> = match &self.own {
            Some(own) => molecules.iter().map(|smiles| own.get(*smiles)).collect(),
            None => vec![None; molecules.len()],
        };
        let own = self.count("own", &found, 0);
        if let Some(shared) = &self.shared
            && own < molecules.len()
        {
            let missing: Vec<usize> = (0..molecules.len()).filter(|index| found[*index].is_none()).collect();
            let texts: Vec<&str> = missing.iter().map(|index| molecules[*index]).collect();
            for (index, known) in missing.into_iter().zip(shared.find(&texts).await) {
                if let (Some(own), Some(prediction)) = (&self.own, &known) {
                    own.insert(molecules[index].into(), prediction.clone());
                }
                found[index] = known;
            }
            self.count("shared", &found, own);
        }
        if self.own.is_some() || self.shared.is_some() {
            let misses = found.iter().filter(|known| known.is_none()).count();
            self.metrics.cache_lookups.with_label_values(&["miss"]).inc_by(misses as u64);
        }
        found
    }

    /// Keeps an answer. Errors are not kept: they may be about the moment.
    pub fn keep(&self, smiles: String, prediction: &Prediction) {
        let text: Arc<str> = smiles.into();
        if let Some(own) = &self.own {
            own.insert(text.clone(), prediction.clone());
        }
        if let Some(shared) = &self.shared {
            shared.keep(text, prediction.clone());
        }
    }

    fn count(&self, place: &str, found: &[Option<Prediction>], before: usize) -> usize {
        let hits = found.iter().flatten().count();
        if hits > before {
            self.metrics.cache_lookups.with_label_values(&[place]).inc_by((hits - before) as u64);
        }
        hits
    }
}
