// Package addons has the servers that a cluster is expected to offer beside Kubernetes itself: names, metrics, volumes, S3. They run as
// programs of the node; Services without selectors lead to them.
package addons

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// Ports of the add-ons, as the state file names them.
const (
	portDNS       = "coredns"
	portDNSHealth = "coredns-health"
	portMetrics   = "metrics-server"
	portS3        = "s3"
)

// Ports lists them all.
func Ports() []string { return []string{portDNS, portDNSHealth, portMetrics, portS3} }

const resolvConf = "/etc/resolv.conf"

// DNS is CoreDNS: names of Services, and other names by the machine's own name servers.
func DNS(l layout.Layout, s *state.State) (process.Component, error) {
	if err := writeCorefile(l, s); err != nil {
		return process.Component{}, err
	}
	health := fmt.Sprintf("http://127.0.0.1:%d/ready", s.Ports[portDNSHealth])
	return process.Component{
		Name:     "coredns",
		Path:     s.Programs["coredns"],
		Args:     []string{"-conf", l.Config("Corefile")},
		Ready:    func(ctx context.Context) error { return pki.Answers(ctx, http.DefaultClient, health) },
		Deadline: time.Minute,
	}, nil
}

func writeCorefile(l layout.Layout, s *state.State) error {
	forward := ""
	if text, err := os.ReadFile(resolvConf); err == nil && strings.Contains("\n"+string(text), "\nnameserver") {
		forward = "\n    forward . " + resolvConf
	}
	text := fmt.Sprintf(`.:%d {
    bind %s
    errors
    ready 127.0.0.1:%d
    kubernetes cluster.local in-addr.arpa {
        kubeconfig %s
        ttl 1
    }%s
    cache 1
}
`, s.Ports[portDNS], s.Address(), s.Ports[portDNSHealth], l.Kubeconfig("coredns"), forward)
	path := l.Config("Corefile")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("configuration of CoreDNS: %w", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("configuration of CoreDNS: %w", err)
	}
	return nil
}

// ResolvesNames returns nil once the cluster's name server, asked at its Service's address, knows the API server. That takes
// CoreDNS, the Service and kube-proxy.
func ResolvesNames(ctx context.Context, s *state.State) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(s.Network.DNS.String(), "53"))
	}}
	const name = "kubernetes.default.svc.cluster.local."
	addresses, err := resolver.LookupHost(ctx, name)
	if err != nil {
		return fmt.Errorf("name server: %w", err)
	}
	if want := s.Network.APIService.String(); len(addresses) != 1 || addresses[0] != want {
		return fmt.Errorf("name server: %s has addresses %v, want %s", name, addresses, want)
	}
	return nil
}
