package node

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// Containerd is the cluster's own container runtime; one that the system runs is never asked for anything.
func Containerd(l layout.Layout) process.Component {
	return process.Component{
		Name:     "containerd",
		Path:     "/usr/bin/containerd",
		Args:     []string{"--config", l.Config("containerd.toml")},
		Ready:    func(ctx context.Context) error { return runtimeReady(ctx, l) },
		Deadline: time.Minute,
	}
}

// Kubelet runs the pods.
func Kubelet(l layout.Layout, s *state.State) process.Component {
	url := fmt.Sprintf("http://127.0.0.1:%d/healthz", s.Ports[portKubeletHealth])
	return process.Component{
		Name: "kubelet",
		Path: s.Programs["kubelet"],
		Args: []string{
			"--config=" + l.Config("kubelet.yaml"),
			"--kubeconfig=" + l.Kubeconfig("kubelet"),
			"--root-dir=" + l.Kubelet(),
			"--cert-dir=" + l.PKI(),
			"--hostname-override=" + s.Node(),
			fmt.Sprintf("--node-ip=%s", s.Network.NodeAddress),
			// Fresh figures for the autoscaler.
			"--housekeeping-interval=5s",
		},
		Ready:    func(ctx context.Context) error { return pki.Answers(ctx, http.DefaultClient, url) },
		Deadline: time.Minute,
	}
}

// Proxy makes Services work, by nftables.
func Proxy(l layout.Layout, s *state.State) process.Component {
	url := fmt.Sprintf("http://127.0.0.1:%d/healthz", s.Ports[portProxyHealth])
	return process.Component{
		Name: "kube-proxy",
		Path: s.Programs["kube-proxy"],
		Args: []string{
			"--kubeconfig=" + l.Kubeconfig("kube-proxy"),
			"--hostname-override=" + s.Node(),
			"--proxy-mode=nftables",
			fmt.Sprintf("--cluster-cidr=%s", s.Network.Pods),
			// The machine's connection tracking limits are not ours to set.
			"--conntrack-max-per-core=0",
			"--conntrack-tcp-timeout-established=0",
			"--conntrack-tcp-timeout-close-wait=0",
			"--nodeport-addresses=primary",
			fmt.Sprintf("--healthz-bind-address=127.0.0.1:%d", s.Ports[portProxyHealth]),
			fmt.Sprintf("--metrics-bind-address=127.0.0.1:%d", s.Ports[portProxyMetrics]),
		},
		Ready:    func(ctx context.Context) error { return pki.Answers(ctx, http.DefaultClient, url) },
		Deadline: time.Minute,
	}
}
