//! `grpc.health.v1`: the same as `/readyz`, for clients that look for a server by themselves.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{Stream, stream};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_server};

use crate::http::App;

/// Between two looks on behalf of a client that watches.
const PERIOD: Duration = Duration::from_secs(1);
/// Services that a client may ask for; the empty name is the server.
const SERVICES: [&str; 2] = ["", "inference.GRPCInferenceService"];

/// The health of one server.
pub struct Health {
    /// Whose.
    pub app: Arc<App>,
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if SERVICES.contains(&service.as_str()) {
            Ok(Response::new(answer(status(&self.app))))
        } else {
            Err(Status::not_found(format!("there is no service \"{service}\" here")))
        }
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let is_here = SERVICES.contains(&request.into_inner().service.as_str());
        let (app, told) = (self.app.clone(), None);
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let changes = stream::unfold((app, told, ticks), move |(app, told, mut ticks)| async move {
            loop {
                ticks.tick().await;
                // The protocol has a status of its own for a service that may still come.
                let now = if is_here { status(&app) } else { ServingStatus::ServiceUnknown };
                if told != Some(now) {
                    return Some((Ok(answer(now)), (app, Some(now), ticks)));
                }
            }
        });
        Ok(Response::new(Box::pin(changes)))
    }
}

fn status(app: &App) -> ServingStatus {
    if app.health.ready(Instant::now()).is_ok() { ServingStatus::Serving } else { ServingStatus::NotServing }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
