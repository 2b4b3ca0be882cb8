package addons

import (
	"context"
	"fmt"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// Metrics is metrics-server: `kubectl top` and the figures of the autoscaler, renewed every ten seconds.
func Metrics(l layout.Layout, s *state.State) process.Component {
	kubeconfig := l.Kubeconfig("metrics-server")
	return process.Component{
		Name: "metrics-server",
		Path: s.Programs["metrics-server"],
		Args: []string{
			"--kubeconfig=" + kubeconfig,
			"--authentication-kubeconfig=" + kubeconfig,
			"--authorization-kubeconfig=" + kubeconfig,
			fmt.Sprintf("--bind-address=%s", s.Address()),
			fmt.Sprintf("--secure-port=%d", s.Ports[portMetrics]),
			"--tls-cert-file=" + l.Certificate("metrics-server"),
			"--tls-private-key-file=" + l.Key("metrics-server"),
			"--kubelet-certificate-authority=" + l.Certificate(pki.CA),
			"--kubelet-preferred-address-types=InternalIP",
			// The kubelet listens on a port of the cluster's own.
			"--kubelet-use-node-status-port",
			"--metric-resolution=10s",
			"--kubelet-request-timeout=5s",
		},
		// Its own readiness asks for metrics of all nodes; the cluster waits for that at its end, through the API server.
		Ready:    func(ctx context.Context) error { return listens(ctx, s.At(portMetrics)) },
		Deadline: time.Minute,
	}
}
