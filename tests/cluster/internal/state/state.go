// Package state keeps what later commands must know about a cluster: one JSON file, written whole or not at all.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"chemmodel.io/tests/cluster/internal/network"
	"chemmodel.io/tests/cluster/internal/process"
)

// State is the memory of one cluster.
type State struct {
	Name string `json:"name"`
	// APIOnly clusters have no node: no root rights, no kubelet, no pods.
	APIOnly bool `json:"apiOnly"`
	// Complete is set once every condition of `up` has held; a cluster without it is not repaired but started anew.
	Complete bool           `json:"complete"`
	Network  network.Plan   `json:"network"`
	Ports    map[string]int `json:"ports"`
	S3       S3             `json:"s3"`
	// Programs maps a program to the file that this cluster runs.
	Programs  map[string]string           `json:"programs"`
	Processes map[string]process.Identity `json:"processes"`
}

// S3 is the root account of the cluster's S3 server.
type S3 struct {
	AccessKeyID     string `json:"accessKeyID"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// Region is the only region of the cluster's S3 server.
const Region = "us-east-1"

// Address is where the cluster's servers listen: on the node's own link, or on the loopback where there is no node.
func (s *State) Address() netip.Addr {
	if s.APIOnly {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return s.Network.NodeAddress
}

// At is the address of the server that has the named port.
func (s *State) At(port string) string {
	return netip.AddrPortFrom(s.Address(), uint16(s.Ports[port])).String()
}

// Node is the name of the cluster's only node.
func (s *State) Node() string { return "chemmodel-" + s.Name }

// Load reads the state; nil without error means that there is none.
func Load(path string) (*State, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cluster state: %w", err)
	}
	s := &State{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("cluster state %s: %w; its processes must be stopped by hand before the file is removed", path, err)
	}
	return s, nil
}

// Save writes the state by one rename.
func (s *State) Save(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("cluster state: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cluster state: %w", err)
	}
	draft := path + ".draft"
	// The file holds the S3 secret.
	if err := os.WriteFile(draft, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("cluster state: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("cluster state: %w", err)
	}
	return nil
}

// Alive returns the names of the components that still run.
func (s *State) Alive() map[string]bool {
	alive := map[string]bool{}
	for name, id := range s.Processes {
		if id.Alive() {
			alive[name] = true
		}
	}
	return alive
}
