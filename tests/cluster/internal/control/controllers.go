package control

import (
	"context"
	"fmt"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// ControllerManager runs Deployments, Jobs, garbage collection, autoscaling and the rest. Autoscaling is made quick: a test waits
// seconds where a production cluster takes minutes.
func ControllerManager(l layout.Layout, s *state.State) (process.Component, error) {
	const name = "kube-controller-manager"
	args := append(common(l, s, name, PortControllerManager),
		"--use-service-account-credentials",
		"--service-account-private-key-file="+l.Key("service-account"),
		"--root-ca-file="+l.Certificate(pki.CA),
		"--cluster-signing-cert-file="+l.Certificate(pki.CA),
		"--cluster-signing-key-file="+l.Key(pki.CA),
		"--horizontal-pod-autoscaler-sync-period=5s",
		"--horizontal-pod-autoscaler-downscale-stabilization=15s",
		"--horizontal-pod-autoscaler-cpu-initialization-period=10s",
		"--horizontal-pod-autoscaler-initial-readiness-delay=1s",
		"--kube-api-qps=100",
		"--kube-api-burst=200",
	)
	if !s.APIOnly {
		args = append(args,
			"--allocate-node-cidrs",
			fmt.Sprintf("--cluster-cidr=%s", s.Network.Pods),
			fmt.Sprintf("--node-cidr-mask-size=%d", s.Network.Pods.Bits()),
			fmt.Sprintf("--service-cluster-ip-range=%s", s.Network.Services),
		)
	}
	return controller(l, s, name, PortControllerManager, args)
}

// Scheduler binds pods to the node.
func Scheduler(l layout.Layout, s *state.State) (process.Component, error) {
	const name = "kube-scheduler"
	return controller(l, s, name, PortScheduler, common(l, s, name, PortScheduler))
}

func common(l layout.Layout, s *state.State, name, port string) []string {
	return []string{
		"--kubeconfig=" + l.Kubeconfig(name),
		"--authentication-kubeconfig=" + l.Kubeconfig(name),
		"--authorization-kubeconfig=" + l.Kubeconfig(name),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", s.Ports[port]),
		"--tls-cert-file=" + l.Certificate("loopback"),
		"--tls-private-key-file=" + l.Key("loopback"),
		// There is one of each; an election would only delay a restart.
		"--leader-elect=false",
	}
}

func controller(l layout.Layout, s *state.State, name, port string, args []string) (process.Component, error) {
	client, err := pki.Client(l, "kube-apiserver-kubelet-client")
	if err != nil {
		return process.Component{}, err
	}
	url := fmt.Sprintf("https://127.0.0.1:%d/healthz", s.Ports[port])
	return process.Component{
		Name:     name,
		Path:     s.Programs[name],
		Args:     args,
		Ready:    func(ctx context.Context) error { return pki.Answers(ctx, client, url) },
		Deadline: time.Minute,
	}, nil
}
