package addons

import (
	"context"
	"fmt"
	"os"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// Provisioner is the name by which the default StorageClass calls our provisioner.
const Provisioner = "chemmodel.io/node-directory"

// Storage is our provisioner: a folder of the node per PersistentVolume. Kubernetes' own host path provisioner is of no use to
// pods that do not run as root: it makes folders of root's, and ignores fsGroup.
func Storage(l layout.Layout, s *state.State) (process.Component, error) {
	if err := os.MkdirAll(l.Volumes(), 0o755); err != nil {
		return process.Component{}, fmt.Errorf("volumes: %w", err)
	}
	return process.Component{
		Name: "storage-provisioner",
		Path: s.Programs["storage-provisioner"],
		Args: []string{"--kubeconfig", l.Kubeconfig("storage-provisioner"), "--name", Provisioner, "--directory", l.Volumes()},
		// It has no server; that it works is seen when a claim is bound.
		Ready:    func(context.Context) error { return nil },
		Deadline: time.Minute,
	}, nil
}
