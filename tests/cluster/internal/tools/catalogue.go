// Package tools builds the programs of the cluster from Go modules and caches them by what they are built from. go.sum pins
// every byte; nothing is downloaded but Go modules.
package tools

import (
	"fmt"
	"path/filepath"
	"runtime"
)

// KubernetesVersion is what the components call themselves; go.mod decides what they are.
const KubernetesVersion = "v1.34.4"

// hyperkubeLinks are the names by which hyperkube plays each component.
var hyperkubeLinks = []string{
	"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl",
}

// sources are the parts of a module that its programs are made from.
var sources = []string{"go.mod", "go.sum", "cmd"}

// group is a set of programs built together from one Go module.
type group struct {
	name string
	// dir is the module.
	dir string
	// packages by the name of the program that they become.
	packages map[string]string
	ldflags  string
	links    map[string][]string
}

// catalogue lists everything that is built. The add-ons want newer Kubernetes libraries than the components, so there are two
// modules; neither is part of this tool's, whose `go test ./...` would compile all of Kubernetes once more.
func catalogue() ([]group, error) {
	module, err := moduleDir()
	if err != nil {
		return nil, err
	}
	const version = "k8s.io/component-base/version"
	return []group{
		{
			name:     "kubernetes",
			dir:      filepath.Join(module, "kubernetes"),
			packages: map[string]string{"hyperkube": "./cmd/hyperkube", "pause": "./cmd/pause"},
			ldflags: fmt.Sprintf("-s -w -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=1 -X %[1]s.gitMinor=34 -X %[1]s.gitTreeState=clean",
				version, KubernetesVersion),
			links: map[string][]string{"hyperkube": hyperkubeLinks},
		},
		{
			name: "addons",
			dir:  filepath.Join(module, "addons"),
			packages: map[string]string{
				"coredns":             "./cmd/coredns",
				"custom-metrics":      "./cmd/custom-metrics",
				"network-policies":    "./cmd/network-policies",
				"storage-provisioner": "./cmd/storage-provisioner",
				"metrics-server":      "sigs.k8s.io/metrics-server/cmd/metrics-server",
				"versitygw":           "github.com/versity/versitygw/cmd/versitygw",
				"helm":                "helm.sh/helm/v3/cmd/helm",
			},
			ldflags: "-s -w",
		},
	}, nil
}

// moduleDir is the source folder of tests/cluster: where this file was when the command line tool was built.
func moduleDir() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return "", fmt.Errorf("source folder of the cluster's programs: this tool was built with -trimpath; build it without")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file))), nil
}
