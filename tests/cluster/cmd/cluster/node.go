package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"chemmodel.io/tests/cluster/internal/cluster"
	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/node"
	"chemmodel.io/tests/cluster/internal/state"
)

func newLoad(bind binder) *cobra.Command {
	return &cobra.Command{
		Use:   "load ARCHIVE...",
		Short: "Make images known to the node, from archives written by `docker save`",
		Args:  cobra.MinimumNArgs(1),
		RunE: bind(func(cmd *cobra.Command, l layout.Layout, archives []string) error {
			if _, err := withNode(l); err != nil {
				return err
			}
			for _, archive := range archives {
				said, err := node.ImportImages(cmd.Context(), l, archive)
				if err != nil {
					return err
				}
				cmd.Println(said)
			}
			return nil
		}),
	}
}

func newGPU(bind binder) *cobra.Command {
	return &cobra.Command{
		Use:   "gpu N",
		Short: "Let the node say that it has N GPUs (nvidia.com/gpu), for tests of scheduling; there is none behind it",
		Args:  cobra.ExactArgs(1),
		RunE: bind(func(cmd *cobra.Command, l layout.Layout, arguments []string) error {
			count, err := strconv.ParseUint(arguments[0], 10, 16)
			if err != nil {
				return fmt.Errorf("number of GPUs %q: want a number from 0 to 65535", arguments[0])
			}
			s, err := withNode(l)
			if err != nil {
				return err
			}
			// The kubelet keeps resources that it does not know, until it is restarted.
			patch := fmt.Sprintf(`{"status":{"capacity":{"nvidia.com/gpu":"%[1]d"},"allocatable":{"nvidia.com/gpu":"%[1]d"}}}`, count)
			said, err := cluster.Kubectl(l, s).Run(cmd.Context(), "", "patch", "node", s.Node(), "--subresource=status", "--type=merge", "--patch", patch)
			if err != nil {
				return err
			}
			cmd.Println(said)
			return nil
		}),
	}
}

// withNode returns the state of a running cluster that has a node.
func withNode(l layout.Layout) (*state.State, error) {
	s, err := cluster.Running(l)
	if err != nil {
		return nil, err
	}
	if s.APIOnly {
		return nil, fmt.Errorf("cluster %s has no node: it was started with --api-only", s.Name)
	}
	return s, nil
}
