package cluster

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"chemmodel.io/tests/cluster/internal/addons"
	"chemmodel.io/tests/cluster/internal/control"
	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/network"
	"chemmodel.io/tests/cluster/internal/node"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/preflight"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/progress"
	"chemmodel.io/tests/cluster/internal/state"
	"chemmodel.io/tests/cluster/internal/tools"
)

// Up makes the cluster run: a whole one is left alone, a damaged one is mended, a half-made or dead one is removed and made anew.
func Up(ctx context.Context, l layout.Layout, apiOnly bool, report *progress.Reporter) (*state.State, error) {
	c := &Cluster{layout: l, report: report}
	release, err := c.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if c.state, err = state.Load(l.State()); err != nil {
		return nil, err
	}
	if c.state != nil {
		kept, err := c.keep(ctx, apiOnly)
		if err != nil {
			return nil, err
		}
		if !kept {
			report.Say("cluster %s is half-made or dead: removing it", l.Name)
			if err := c.remove(ctx); err != nil {
				return nil, err
			}
			c.state = nil
		}
	}
	if c.state == nil {
		if err := c.found(ctx, apiOnly); err != nil {
			return nil, err
		}
	}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	c.state.Complete = true
	return c.state, c.state.Save(l.State())
}

// keep says whether the recorded cluster is worth keeping.
func (c *Cluster) keep(ctx context.Context, apiOnly bool) (bool, error) {
	missing := dead(c.state)
	if len(missing) == len(Components(c.state)) {
		return false, nil
	}
	if c.state.APIOnly != apiOnly {
		return false, fmt.Errorf("cluster %s runs %s: `cluster down --name %s` first, or choose another --name", c.layout.Name, kind(c.state), c.layout.Name)
	}
	if len(missing) > 0 && c.state.Complete {
		c.report.Say("starting again what has ended: %v", missing)
	}
	return c.state.Complete, nil
}

func kind(s *state.State) string {
	if s.APIOnly {
		return "without a node"
	}
	return "with a node"
}

// found checks the machine, builds the programs, and makes what a new cluster remembers: addresses, ports, accounts, certificates.
func (c *Cluster) found(ctx context.Context, apiOnly bool) error {
	if !apiOnly {
		if err := c.checkMachine(ctx); err != nil {
			return err
		}
	}
	programs, err := tools.Ensure(ctx, c.layout.Programs(), c.report)
	if err != nil {
		return err
	}
	inUse, err := network.InUse()
	if err != nil {
		return err
	}
	plan, err := network.Choose(inUse)
	if err != nil {
		return err
	}
	ports, err := network.FreePorts(slices.Concat(control.Ports(), node.Ports(), addons.Ports()))
	if err != nil {
		return err
	}
	c.state = &state.State{
		Name: c.layout.Name, APIOnly: apiOnly, Network: plan, Ports: ports, S3: addons.NewS3Account(),
		Programs: programs, Processes: map[string]process.Identity{},
	}
	if err := c.removeFiles(); err != nil {
		return err
	}
	// Logs of the cluster that had the name before would only confuse.
	if err := os.RemoveAll(c.layout.Logs()); err != nil {
		return fmt.Errorf("old logs: %w", err)
	}
	// Saved before anything is made, so that `down` knows of it.
	if err := c.state.Save(c.layout.State()); err != nil {
		return err
	}
	return pki.Write(c.layout, pki.Identities{
		Node: c.state.Node(), Server: c.state.Address(), APIService: plan.APIService, Port: ports[control.PortAPIServer],
	}, time.Now())
}

// checkMachine returns an Unfit when no node can run here, and another error when somebody else's does.
func (c *Cluster) checkMachine(ctx context.Context) error {
	if err := preflight.Require(preflight.Machine()); err != nil {
		return err
	}
	if err := preflight.InstallPackages(ctx, c.report); err != nil {
		return err
	}
	if err := preflight.Require([]preflight.Check{preflight.Programs()}); err != nil {
		return err
	}
	owner, err := network.Owner()
	if err != nil {
		return err
	}
	if owner != "" && owner != c.layout.Root() {
		return fmt.Errorf("another cluster's node holds this machine: %s; stop it by `cluster down` with its name and CHEMMODEL_CACHE, or use --api-only", owner)
	}
	runs, err := network.ProxyRuns(ctx)
	if err != nil {
		return err
	}
	if runs && owner == "" {
		return fmt.Errorf("another kube-proxy has its rules on this machine (`nft list tables`), two cannot share one: stop it and remove its tables, or use --api-only")
	}
	return nil
}
