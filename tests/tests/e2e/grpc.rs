//! The Open Inference Protocol over gRPC, through the Service and through a switch.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use chemmodel_inference::grpc::proto::grpc_inference_service_client::GrpcInferenceServiceClient;
use chemmodel_inference::grpc::proto::model_infer_request::InferInputTensor;
use chemmodel_inference::grpc::proto::{InferTensorContents, ModelInferRequest};
use chemmodel_tests::Outcome;
use chemmodel_tests::model::PATIENCE;
use serde_json::json;
use tokio::sync::watch;
use tonic::transport::Channel;

use crate::setting::{ETHANOL, bucket_with_both, shared, stable, switch_to};

const PORT: u16 = 9000;
/// Between two calls.
const PERIOD: Duration = Duration::from_millis(20);

type Client = GrpcInferenceServiceClient<Channel>;

#[test]
fn a_client_that_stays_connected_gets_the_answers_of_http_and_no_call_fails_over_a_switch() -> Outcome {
    shared("grpc", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({"spec": {"replicas": 2}})).await?;
        let address = model.address().await?;
        let host = address.split(':').next().unwrap_or_default();
        let channel = Channel::from_shared(format!("http://{host}:{PORT}"))?.connect().await?;
        let mut client = GrpcInferenceServiceClient::new(channel);
        let (version, prediction) = infer(&mut client).await?;
        let http = model.predict(&[ETHANOL]).await?;
        ensure!(
            version == "v1" && (f64::from(prediction) - http[0]).abs() < 1e-3,
            "{prediction} over gRPC, {http:?} over HTTP"
        );

        let (stop, mut stopped) = watch::channel(false);
        let asking = tokio::spawn(async move {
            let (mut versions, mut failed) = (BTreeMap::<String, u64>::new(), Vec::new());
            let mut ticks = tokio::time::interval(PERIOD);
            while stopped.has_changed().is_ok_and(|changed| !changed) {
                ticks.tick().await;
                match infer(&mut client).await {
                    Ok((version, _)) => *versions.entry(version).or_default() += 1,
                    Err(error) => failed.push(format!("{error:#}")),
                }
            }
            stopped.mark_unchanged();
            (versions, failed)
        });
        model.patch(&switch_to(&bucket, "v2")).await?;
        model.until_stable("v2").await?;
        // Until the pods of v1 have gone: that is when the connection is closed.
        let gone = async || Ok((model.pods("server").await?.len() == 2).then_some(()));
        scene.until("the pods of v1 have gone", PATIENCE, gone).await?;
        let _ = stop.send(true);
        let (versions, failed) = asking.await?;
        scene.say(&format!("FIGURE calls over gRPC during a switch: {versions:?} answered, {} failed", failed.len()));
        ensure!(failed.is_empty(), "{} calls failed: {:?}", failed.len(), failed.first());
        ensure!(versions.keys().eq(["v1", "v2"]), "answers came from {versions:?}");
        Ok(())
    })
}

/// Who answers, and what.
async fn infer(client: &mut Client) -> Result<(String, f32)> {
    let contents =
        InferTensorContents { bytes_contents: vec![Bytes::from_static(ETHANOL.as_bytes())], ..Default::default() };
    let input = InferInputTensor {
        name: "smiles".to_owned(),
        datatype: "BYTES".to_owned(),
        shape: vec![1],
        contents: Some(contents),
        ..Default::default()
    };
    let request =
        ModelInferRequest { model_name: "boiling-point".to_owned(), inputs: vec![input], ..Default::default() };
    let answer = client.model_infer(request).await?.into_inner();
    let contents = answer.outputs.first().and_then(|output| output.contents.as_ref()).context("no output")?;
    Ok((answer.model_version, *contents.fp32_contents.first().context("no prediction")?))
}
