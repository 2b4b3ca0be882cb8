//! What the documentation must name completely: every reason that a user can read in a status or an Event has its section.
#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::collections::BTreeSet;

use chemmodel_bundle::report::SyncReason;
use chemmodel_bundle::verification::VerifyReason;
use chemmodel_crds::status::Phase;

const RUNBOOK: &str = include_str!("../../docs/runbook.md");
/// Read as text, because the language cannot list the constants of a module.
const CONDITIONS: &str = include_str!("../../crds/src/conditions.rs");

fn reasons() -> BTreeSet<&'static str> {
    let constants = CONDITIONS.split_once("pub mod reason").unwrap().1.split("pub const ").skip(1);
    constants
        .map(|constant| constant.split('"').nth(1).unwrap())
        .chain(SyncReason::ALL.map(SyncReason::as_str))
        .chain(VerifyReason::ALL.map(VerifyReason::as_str))
        // Words of Events that are no reasons of conditions.
        .chain(["ScaledDown", Phase::Stable.as_str()])
        .collect()
}

fn sections() -> Vec<&'static str> {
    RUNBOOK.lines().filter_map(|line| line.strip_prefix("### ")).map(|title| title.trim_matches('`')).collect()
}

#[test]
fn every_reason_has_one_section_in_the_runbook_and_every_section_is_a_reason() {
    let sections = sections();
    let named: BTreeSet<_> = sections.iter().copied().collect();
    assert_eq!(named, reasons());
    assert_eq!(named.len(), sections.len(), "a reason has two sections");
}

#[test]
fn every_link_inside_the_runbook_leads_to_a_heading() {
    let headings = RUNBOOK.lines().filter(|line| line.starts_with('#'));
    let anchors: BTreeSet<String> = headings
        .map(|line| line.trim_start_matches(['#', ' ']).replace('`', "").to_lowercase().replace([',', ':'], ""))
        .map(|title| title.replace(' ', "-"))
        .collect();
    for link in RUNBOOK.split("](#").skip(1) {
        let anchor = link.split(')').next().unwrap();
        assert!(anchors.contains(anchor), "no heading is #{anchor}");
    }
}
