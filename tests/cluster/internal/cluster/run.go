package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"chemmodel.io/tests/cluster/internal/addons"
	"chemmodel.io/tests/cluster/internal/control"
	"chemmodel.io/tests/cluster/internal/image"
	"chemmodel.io/tests/cluster/internal/network"
	"chemmodel.io/tests/cluster/internal/node"
	"chemmodel.io/tests/cluster/internal/process"
)

// run starts what does not run and waits for every condition of a whole cluster. Each step may be repeated.
func (c *Cluster) run(ctx context.Context) error {
	if c.state.APIOnly {
		if err := c.runAPI(ctx); err != nil {
			return err
		}
		return c.await(ctx, "the default service account exists", c.serviceAccountExists)
	}
	if err := c.prepareNode(ctx); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.runAPI(groupCtx) })
	group.Go(func() error { return c.runContainerd(groupCtx) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := c.runNode(ctx); err != nil {
		return err
	}
	return c.awaitNode(ctx)
}

// runAPI starts the control plane's part that every cluster has, and the S3 server.
func (c *Cluster) runAPI(ctx context.Context) error {
	etcd, err := control.Etcd(c.layout, c.state)
	if err != nil {
		return err
	}
	apiServer, err := control.APIServer(c.layout, c.state)
	if err != nil {
		return err
	}
	controllers, err := control.ControllerManager(c.layout, c.state)
	if err != nil {
		return err
	}
	s3, err := addons.S3(c.layout, c.state)
	if err != nil {
		return err
	}
	for _, component := range []process.Component{etcd, apiServer} {
		if err := c.start(ctx, component); err != nil {
			return err
		}
	}
	return c.startAll(ctx, controllers, s3)
}

// prepareNode makes the kernel objects and files that the node's programs expect.
func (c *Cluster) prepareNode(ctx context.Context) error {
	if err := network.CreateLink(c.state.Network, c.layout.Root()); err != nil {
		return err
	}
	if err := network.CreateTable(ctx, c.state.Network); err != nil {
		return err
	}
	if err := network.AllowForwarding(ctx, c.state.Network.Pods); err != nil {
		return err
	}
	if err := node.CreateCgroups(c.layout); err != nil {
		return err
	}
	return node.Configure(c.layout, c.state)
}

func (c *Cluster) runContainerd(ctx context.Context) error {
	if err := c.start(ctx, node.Containerd(c.layout)); err != nil {
		return err
	}
	program, err := os.ReadFile(c.state.Programs["pause"])
	if err != nil {
		return fmt.Errorf("pause image: %w", err)
	}
	var archive bytes.Buffer
	if err := image.Archive(&archive, node.PauseImage, "pause", program); err != nil {
		return err
	}
	path := c.layout.Config("pause.tar")
	if err := os.WriteFile(path, archive.Bytes(), 0o644); err != nil {
		return fmt.Errorf("pause image: %w", err)
	}
	_, err = node.ImportImages(ctx, c.layout, path)
	return err
}

func (c *Cluster) runNode(ctx context.Context) error {
	manifest, err := addons.Manifest(c.layout, c.state)
	if err != nil {
		return err
	}
	if err := Kubectl(c.layout, c.state).Apply(ctx, manifest); err != nil {
		return err
	}
	scheduler, err := control.Scheduler(c.layout, c.state)
	if err != nil {
		return err
	}
	dns, err := addons.DNS(c.layout, c.state)
	if err != nil {
		return err
	}
	storage, err := addons.Storage(c.layout, c.state)
	if err != nil {
		return err
	}
	return c.startAll(ctx, scheduler, node.Kubelet(c.layout, c.state), node.Proxy(c.layout, c.state),
		dns, addons.Metrics(c.layout, c.state), addons.Policies(c.layout, c.state), storage)
}

func (c *Cluster) startAll(ctx context.Context, components ...process.Component) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, component := range components {
		group.Go(func() error { return c.start(ctx, component) })
	}
	return group.Wait()
}

// awaitNode waits for what no single component can promise.
func (c *Cluster) awaitNode(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for what, holds := range map[string]func(context.Context) error{
		"the node is Ready":                        c.nodeReady,
		"the default service account exists":       c.serviceAccountExists,
		"the cluster's name server resolves names": func(ctx context.Context) error { return addons.ResolvesNames(ctx, c.state) },
		"the metrics API has figures of the node":  c.metricsServed,
	} {
		group.Go(func() error { return c.await(ctx, what, holds) })
	}
	return group.Wait()
}

// await polls a condition; its deadline is generous because machines that build something else meanwhile are slow.
func (c *Cluster) await(ctx context.Context, what string, holds func(context.Context) error) error {
	const deadline = 3 * time.Minute
	done := c.report.Start()
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	for {
		err := holds(ctx)
		if err == nil {
			done("%s", what)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w after %s: %w\n  logs: %s\n  what to do: look for errors there, then `cluster down` and `cluster up`", what, ctx.Err(), deadline, err, c.layout.Logs())
		case <-time.After(500 * time.Millisecond):
		}
	}
}
