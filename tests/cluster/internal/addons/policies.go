package addons

import (
	"context"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/network"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// Policies enforces NetworkPolicies, as far as our tests need them.
func Policies(l layout.Layout, s *state.State) process.Component {
	return process.Component{
		Name: "network-policies",
		Path: s.Programs["network-policies"],
		Args: []string{"--kubeconfig", l.Kubeconfig("network-policies"), "--table", network.PoliciesTable},
		// It has no server; that it works is seen when a connection is refused.
		Ready:    func(context.Context) error { return nil },
		Deadline: time.Minute,
	}
}
