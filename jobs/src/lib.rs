//! What runs inside the Jobs that the operator creates.
//!
//! ```text
//! chemmodel-job sync:   S3 --list, check keys--> plan --ranges--> .staging/<digest> --rename--> models/<digest>
//! chemmodel-job verify: models/<digest>/golden.json --molecules--> every pod, Service --answers--> compare --> verdict
//!                                                                                 both: --report--> termination log
//! ```
//!
//! The Kubernetes API has no place here: a Job's Pod has no permissions. It reads arguments and the environment, and
//! answers with files, an exit code and one line in its termination log (`chemmodel_bundle::report`,
//! `chemmodel_bundle::verification`).

pub mod args;
pub mod process;
mod shown;
pub mod sync;
pub mod telemetry;
pub mod verify;
