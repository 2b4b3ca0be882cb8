//! The form of the server's answers. Reads them, and judges nothing but the form.

use serde::Deserialize;
use serde_json::Value;

use crate::shown;

/// The answer to one molecule.
#[derive(Debug, Deserialize)]
pub struct One {
    /// A number, or an object of numbers by the outputs' names.
    pub prediction: Option<Value>,
    /// Who answered.
    #[serde(flatten)]
    pub about: About,
}

/// The answer to a list.
#[derive(Debug, Deserialize)]
pub struct Many {
    /// One for each molecule, in the order of the request.
    pub predictions: Vec<Row>,
    /// Who answered.
    #[serde(flatten)]
    pub about: About,
}

/// One molecule of a list.
#[derive(Debug, Deserialize)]
pub struct Row {
    /// As in [`One`].
    pub prediction: Option<Value>,
    /// Why there is none.
    pub error: Option<String>,
}

/// What every answer says about itself.
#[derive(Debug, Default, Deserialize)]
pub struct About {
    /// A text, or an object of texts by the outputs' names.
    pub unit: Option<Value>,
    /// Version of the model.
    pub version: Option<String>,
    /// Revision of the deployment.
    pub revision: Option<String>,
    /// Digest of the bundle.
    pub digest: Option<String>,
}

/// The server's own sentence in an answer that is no prediction, else the beginning of the body.
pub fn error_sentence(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Problem {
        error: String,
    }
    let sentence = match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => problem.error,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    if sentence.is_empty() {
        "no reason given".to_owned()
    } else {
        shown::beginning(&sentence, shown::MAX_DETAIL_CHARS)
    }
}
