//! The lines about who asked what.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use chemmodel_inference::service::Audit;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::fixture::{Fixture, Options};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is written about one request with a good and a bad molecule.
async fn lines(audit: Audit) -> (String, Vec<Value>) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Fixture::new(Options { audit, ..Options::default() });
    server.predict(json!({"smiles": ["CO", "C C"]})).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let audits = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let audits = audits.filter(|line| line["target"] == "audit").collect();
    (text, audits)
}

#[tokio::test]
async fn nothing_is_written_unless_asked() {
    let (text, audits) = lines(Audit::Off).await;
    assert!(audits.is_empty() && !text.contains("C C"), "{text}");
}

#[tokio::test]
async fn a_line_counts_and_keeps_the_molecules_to_itself() {
    let (text, audits) = lines(Audit::Counts).await;
    let [line] = &audits[..] else { panic!("{text}") };
    for (field, value) in [("asked", 2), ("answered", 1), ("invalid", 1), ("failed", 0), ("gone", 0)] {
        assert_eq!(line[field], value, "{field}");
    }
    assert_eq!(line["molecules"], "");
    assert!(!text.contains("CO"), "{text}");
}

#[tokio::test]
async fn a_line_names_the_molecules_when_somebody_said_so() {
    let (_, audits) = lines(Audit::Molecules).await;
    assert_eq!(audits[0]["molecules"], r#"["CO","C C"]"#);
}
