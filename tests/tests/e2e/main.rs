//! The whole on a real node: images, pods, Services, storage, autoscaler. One module per topic.
//!
//! Each test has a namespace and a bucket of its own. Those that measure time, count writes or kill the operator are alone; all others
//! run beside each other.

mod autoscaling;
mod bad_candidates;
mod caching;
mod controls;
mod crashes;
mod ephemeral;
mod failures;
mod fencing;
mod first_light;
mod gpu;
mod grpc;
mod mortal;
mod polymers;
mod precision;
mod quiet;
mod resilience;
mod rollbacks;
mod rollout;
mod scale;
mod security;
mod setting;
mod switches;
mod volume;
