// Package node has the machine's part of the cluster: containerd, kubelet, kube-proxy, and what they leave behind. It says how
// each is run, writes its configuration, and cleans up after it.
package node

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/state"
)

// PauseImage is the sandbox image of every pod.
const PauseImage = "docker.io/chemmodel/pause:cluster"

// Ports of the node, as the state file names them.
const (
	portKubelet       = "kubelet"
	portKubeletHealth = "kubelet-health"
	portProxyHealth   = "kube-proxy-health"
	portProxyMetrics  = "kube-proxy-metrics"
)

// Ports lists them all.
func Ports() []string {
	return []string{portKubelet, portKubeletHealth, portProxyHealth, portProxyMetrics}
}

//go:embed config
var configs embed.FS

var templates = template.Must(template.New("").Option("missingkey=error").ParseFS(configs, "config/*"))

// Configure writes the configuration files of the node's components.
func Configure(l layout.Layout, s *state.State) error {
	for _, file := range []struct {
		template, path string
		values         map[string]any
	}{
		{"containerd.toml", l.Config("containerd.toml"), map[string]any{
			"Root":       l.Containerd("root"),
			"State":      l.Containerd("state"),
			"Opt":        l.Containerd("opt"),
			"Socket":     l.ContainerdSocket(),
			"PauseImage": PauseImage,
			"CNI":        l.CNI("conf"),
		}},
		{"cni.conflist", filepath.Join(l.CNI("conf"), "10-cluster.conflist"), map[string]any{
			"Name":   cniNetwork(l),
			"Leases": l.CNI("leases"),
			"Pods":   s.Network.Pods,
		}},
		{"kubelet.yaml", l.Config("kubelet.yaml"), map[string]any{
			"Address":       s.Network.NodeAddress,
			"Port":          s.Ports[portKubelet],
			"HealthPort":    s.Ports[portKubeletHealth],
			"CA":            l.Certificate("ca"),
			"Certificate":   l.Certificate("kubelet"),
			"Key":           l.Key("kubelet"),
			"DNS":           s.Network.DNS,
			"ResolvConf":    "/etc/resolv.conf",
			"Socket":        l.ContainerdSocket(),
			"CgroupRoot":    cgroupRoot(l),
			"PodLogs":       l.PodLogs(),
			"VolumePlugins": filepath.Join(l.Kubelet(), "volume-plugins"),
		}},
	} {
		var text bytes.Buffer
		if err := templates.ExecuteTemplate(&text, file.template, file.values); err != nil {
			return fmt.Errorf("configuration %s: %w", file.template, err)
		}
		if err := os.MkdirAll(filepath.Dir(file.path), 0o755); err != nil {
			return fmt.Errorf("configuration %s: %w", file.template, err)
		}
		if err := os.WriteFile(file.path, text.Bytes(), 0o644); err != nil {
			return fmt.Errorf("configuration %s: %w", file.template, err)
		}
	}
	return nil
}

func cniNetwork(l layout.Layout) string { return "chemmodel-" + l.Name }
