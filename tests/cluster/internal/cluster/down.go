package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/network"
	"chemmodel.io/tests/cluster/internal/node"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/progress"
	"chemmodel.io/tests/cluster/internal/state"
)

const (
	// stopGrace is how long a component may take to end by itself: nothing of it is kept.
	stopGrace = 5 * time.Second
	// podGrace bounds the removal of all pods by containerd; what it leaves is removed by force.
	podGrace = time.Minute
)

// Down stops the cluster and removes all of it but the logs. A cluster that does not exist is no error.
func Down(ctx context.Context, l layout.Layout, report *progress.Reporter) error {
	c := &Cluster{layout: l, report: report}
	release, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	if c.state, err = state.Load(l.State()); err != nil {
		return err
	}
	if c.state == nil {
		report.Say("cluster %s does not exist: nothing to stop", l.Name)
		return nil
	}
	return c.remove(ctx)
}

// remove goes on after a failure, so that one thing that cannot be removed does not keep the rest. The state goes last: while it
// exists, `down` can be repeated.
func (c *Cluster) remove(ctx context.Context) error {
	failures := []error{c.stopWriters()}
	if !c.state.APIOnly {
		failures = append(failures, c.removePods(ctx))
	}
	failures = append(failures, c.stop("kube-proxy", "containerd", "kube-apiserver"), c.stop("etcd"), c.killStrays())
	if !c.state.APIOnly {
		failures = append(failures, c.removeNode(ctx))
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("cluster %s is not fully removed, `cluster down --name %s` may be repeated: %w", c.layout.Name, c.layout.Name, err)
	}
	if err := c.removeFiles(); err != nil {
		return err
	}
	if err := os.Remove(c.layout.State()); err != nil {
		return fmt.Errorf("cluster state: %w", err)
	}
	c.report.Say("cluster %s is removed; its logs stay in %s", c.layout.Name, c.layout.Logs())
	return nil
}

// stopWriters stops whatever would start pods or make things anew while they are removed.
func (c *Cluster) stopWriters() error {
	return c.stop("kubelet", "kube-controller-manager", "kube-scheduler", "storage-provisioner", "metrics-server", "network-policies", "coredns", "versitygw")
}

// stop ends components side by side.
func (c *Cluster) stop(names ...string) error {
	var group errgroup.Group
	for _, name := range names {
		if id, recorded := c.state.Processes[name]; recorded {
			group.Go(func() error {
				if err := process.Stop(id, stopGrace); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

func (c *Cluster) removePods(ctx context.Context) error {
	if !c.state.Processes["containerd"].Alive() {
		return nil // its shims are ended by force
	}
	done := c.report.Start()
	ctx, cancel := context.WithTimeout(ctx, podGrace)
	defer cancel()
	removed, err := node.RemovePods(ctx, c.layout)
	if err != nil {
		// Not a failure yet: what containerd cannot remove is removed below it.
		c.report.Say("containerd could not remove all pods: %v", err)
		return nil
	}
	done("removed %d pods", removed)
	return nil
}

// killStrays ends components that run without a record.
func (c *Cluster) killStrays() error {
	strays, err := process.Find(func(words []string) bool {
		return slices.Contains(Components(c.state), words[0]) && slices.ContainsFunc(words[1:], func(word string) bool {
			return strings.Contains(word, c.layout.Root()+"/")
		})
	})
	if err != nil {
		return err
	}
	for _, stray := range strays {
		if err := process.Kill(stray); err != nil {
			return err
		}
	}
	return nil
}

// removeNode removes what the node has made in the kernel and outside the cluster's folder.
func (c *Cluster) removeNode(ctx context.Context) error {
	failures := []error{
		node.KillShims(c.layout),
		node.RemoveCgroups(c.layout),
		node.Unmount(c.layout),
		node.RemoveTraces(c.layout),
		network.ForbidForwarding(ctx, c.state.Network.Pods),
	}
	// The tables have fixed names: they are ours when the link is.
	ours, err := network.DeleteLink(c.layout.Root())
	failures = append(failures, err)
	if ours {
		failures = append(failures, network.DeleteTables(ctx))
	}
	return errors.Join(failures...)
}

// removeFiles removes everything in the cluster's folder but its logs and its state.
func (c *Cluster) removeFiles() error {
	entries, err := os.ReadDir(c.layout.Root())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("files of cluster %s: %w", c.layout.Name, err)
	}
	keep := []string{c.layout.Logs(), c.layout.State()}
	for _, entry := range entries {
		path := filepath.Join(c.layout.Root(), entry.Name())
		if slices.Contains(keep, path) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("files of cluster %s: %w", c.layout.Name, err)
		}
	}
	return nil
}
