//! What the chart renders is what an API server takes.

use anyhow::Context as _;
use chemmodel_tests::Outcome;
use chemmodel_tests::environment::repository;
use chemmodel_tests::program::{helm_ok, kubectl_ok};

use crate::definition::with_api;

#[test]
fn an_api_server_accepts_the_rendered_chart() -> Outcome {
    with_api("chart", async |scene| {
        let chart = repository("charts/chemmodel-operator");
        let chart = chart.to_str().context("the chart's path is not UTF-8")?;
        for values in [&[][..], &["--set=watchNamespace=default"], &["--set=replicas=1,logFormat=text"]] {
            // The oldest version that the chart is for; a helm that was built from source would guess an older one.
            let template =
                ["template", "chemmodel-operator", chart, "--kube-version=1.33.0", "--namespace", &scene.namespace];
            // The definition is there already, and owned by whoever installed it.
            let rendered = helm_ok(&[&template[..], &["--set=crds.install=false"], values].concat()).await?;
            let apply = ["apply", "--server-side", "--dry-run=server", "--field-manager=test", "--filename=-"];
            kubectl_ok(&apply, &rendered).await?;
        }
        Ok(())
    })
}
