//! The words of the conditions. A reason is API: alerts and scripts match on it.

/// Types of conditions.
pub mod kind {
    /// The live endpoint answers, and nothing else.
    pub const READY: &str = "Ready";
    /// The bundle of the spec's revision is in the cluster, whole and checked.
    pub const ARTIFACT_READY: &str = "ArtifactReady";
    /// A revision is on its way and moving.
    pub const PROGRESSING: &str = "Progressing";
    /// All pods found a node.
    pub const SCHEDULED: &str = "Scheduled";
    /// The HorizontalPodAutoscaler can do its work; only with `spec.autoscaling`.
    pub const AUTOSCALER_READY: &str = "AutoscalerReady";
    /// Something is wrong that a person should look at, even while traffic is served.
    pub const DEGRADED: &str = "Degraded";
}

/// Reasons of conditions and of Events.
pub mod reason {
    /// The Service has ready endpoints.
    pub const ENDPOINTS_READY: &str = "EndpointsReady";
    /// Nothing has been given the traffic yet.
    pub const NOT_YET_SERVING: &str = "NotYetServing";
    /// The active revision's pods are gone or not ready.
    pub const NO_READY_ENDPOINTS: &str = "NoReadyEndpoints";

    /// The bundle is being fetched.
    pub const SYNCING: &str = "Syncing";
    /// The bundle is in the cluster.
    pub const SYNCED: &str = "Synced";
    /// The sync did not finish in time.
    pub const SYNC_DEADLINE_EXCEEDED: &str = "SyncDeadlineExceeded";
    /// The sync's pod ended without a report: killed, evicted, or its image is missing.
    pub const SYNC_POD_FAILED: &str = "SyncPodFailed";
    /// The bundle under this version is not the one that was recorded for it.
    pub const DIGEST_CHANGED: &str = "DigestChanged";

    /// Pods of the revision are starting.
    pub const STARTING: &str = "Starting";
    /// The revision of the spec has the traffic.
    pub const PROMOTED: &str = "Promoted";
    /// Pods did not become available in time.
    pub const PROGRESS_DEADLINE_EXCEEDED: &str = "ProgressDeadlineExceeded";
    /// A container cannot start, or ends again and again.
    pub const POD_FAILING: &str = "PodFailing";
    /// An image cannot be pulled.
    pub const IMAGE_PULL_FAILED: &str = "ImagePullFailed";

    /// Every pod has a node.
    pub const ALL_SCHEDULED: &str = "AllPodsScheduled";
    /// No node has enough free GPUs.
    pub const INSUFFICIENT_GPU: &str = "InsufficientGPU";
    /// A pod finds no node for another cause.
    pub const UNSCHEDULABLE: &str = "Unschedulable";

    /// The autoscaler reads its metrics and can scale.
    pub const SCALING_ACTIVE: &str = "ScalingActive";
    /// The autoscaler has not reported yet.
    pub const AUTOSCALER_PENDING: &str = "AutoscalerPending";

    /// Nothing is wrong.
    pub const AS_EXPECTED: &str = "AsExpected";
    /// `spec.suspend` is true.
    pub const SUSPENDED: &str = "Suspended";
    /// A child's name is in use by an object that belongs to somebody else.
    pub const NAME_TAKEN: &str = "NameTaken";
    /// The API server refused a write: a quota, an admission rule, a missing permission.
    pub const WRITE_REFUSED: &str = "WriteRefused";
    /// A value in the spec passed the API server and is still not usable.
    pub const INVALID_SPEC: &str = "InvalidSpec";
}
