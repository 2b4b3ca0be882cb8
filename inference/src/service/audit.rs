//! A line about each request, for those who must be able to say who asked what: caller, number of molecules, how it ended. Molecules are
//! secrets of their owners, so they are in it only when somebody has said so.

use std::time::Instant;

use serde_json::json;
use tracing::info;

use super::{Row, RowError};

/// Target of the lines, for filters.
pub const TARGET: &str = "audit";

/// What is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audit {
    /// Nothing.
    #[default]
    Off,
    /// A line without molecules.
    Counts,
    /// A line with them.
    Molecules,
}

/// What is known of a request so far; written when it is dropped, however it ended.
#[derive(Debug)]
pub(super) struct Record {
    caller: String,
    with_molecules: bool,
    began: Instant,
    molecules: Vec<String>,
    asked: usize,
    answered: usize,
    invalid: usize,
    failed: usize,
    refused: String,
}

impl Record {
    pub(super) fn begin(audit: Audit, caller: &str) -> Option<Self> {
        let with_molecules = match audit {
            Audit::Off => return None,
            Audit::Counts => false,
            Audit::Molecules => true,
        };
        Some(Self {
            caller: caller.to_owned(),
            with_molecules,
            began: Instant::now(),
            molecules: Vec::new(),
            asked: 0,
            answered: 0,
            invalid: 0,
            failed: 0,
            refused: String::new(),
        })
    }

    pub(super) fn asked<'a>(&mut self, molecules: impl Iterator<Item = &'a str>) {
        for molecule in molecules {
            self.asked += 1;
            if self.with_molecules {
                self.molecules.push(molecule.to_owned());
            }
        }
    }

    pub(super) fn answered(&mut self, row: &Row) {
        match row {
            Ok(_) => self.answered += 1,
            Err(RowError::Molecule(_)) => self.invalid += 1,
            Err(RowError::Engine | RowError::NotFinite) => self.failed += 1,
        }
    }

    pub(super) fn refused(&mut self, why: &dyn std::fmt::Display) {
        self.refused = why.to_string();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Self { caller, began, molecules, asked, answered, invalid, failed, refused, with_molecules: _ } = self;
        let gone = *asked - *answered - *invalid - *failed;
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        // A list in JSON, because text that is no molecule may hold anything.
        let molecules = if molecules.is_empty() { String::new() } else { json!(molecules).to_string() };
        // `gone` are molecules whose answer nobody waited for.
        info!(
            target: TARGET, caller, asked, answered, invalid, failed, gone, milliseconds, refused,
            molecules, "request"
        );
    }
}
