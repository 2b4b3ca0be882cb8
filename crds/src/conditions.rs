//! The words of the conditions. A reason is API: alerts and scripts match on it.

/// Types of conditions.
pub mod kind {
    /// The live endpoint answers, and nothing else.
    pub const READY: &str = "Ready";
    /// The bundle of the spec's revision is in the cluster, whole and checked.
    pub const ARTIFACT_READY: &str = "ArtifactReady";
    /// The revision of the spec has answered the golden molecules rightly, on every pod.
    pub const VERIFIED: &str = "Verified";
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
    /// The pods are asked for molecules whose answers are known.
    pub const VERIFYING: &str = "Verifying";
    /// Every pod answered every golden molecule rightly.
    pub const VERIFICATION_PASSED: &str = "VerificationPassed";
    /// `spec.rollout.verification.required` is false.
    pub const VERIFICATION_NOT_REQUIRED: &str = "VerificationNotRequired";
    /// The verification did not come to a verdict in time.
    pub const VERIFICATION_TIMED_OUT: &str = "VerificationTimedOut";
    /// A verified revision waits for its time or for `spec.rollout.promote`.
    pub const AWAITING_PROMOTION: &str = "AwaitingPromotion";
    /// Nobody approved the revision in time.
    pub const PROMOTION_DEADLINE_EXCEEDED: &str = "PromotionDeadlineExceeded";
    /// The Service selects the revision; its endpoints are not all there yet.
    pub const PROMOTING: &str = "Promoting";
    /// The revision has the traffic and is watched.
    pub const OBSERVING: &str = "Observing";
    /// The revision of the spec has the traffic.
    pub const PROMOTED: &str = "Promoted";
    /// `spec.rollout.abort` names the version.
    pub const ABORT_REQUESTED: &str = "AbortRequested";
    /// Most pods of the revision were lost while it was observed.
    pub const COLLAPSED: &str = "Collapsed";
    /// The traffic should go back, and no pod is there to take it.
    pub const NO_WAY_BACK: &str = "NoWayBack";
    /// Another spec came before the rollout ended.
    pub const SPEC_CHANGED: &str = "SpecChanged";
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
