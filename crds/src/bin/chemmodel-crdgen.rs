//! Prints the CustomResourceDefinition: `make generate` redirects it into `crds/chemmodel.yaml` and the chart.

use std::error::Error;
use std::io::{Write as _, stdout};

fn main() -> Result<(), Box<dyn Error>> {
    stdout().write_all(chemmodel_crds::crd::yaml()?.as_bytes())?;
    Ok(())
}
