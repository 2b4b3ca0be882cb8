// Package cluster is the order of things: what `up` starts and waits for, and what `down` stops and removes. What each thing is
// belongs to the other packages.
package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"chemmodel.io/tests/cluster/internal/kubectl"
	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/progress"
	"chemmodel.io/tests/cluster/internal/state"
)

// components are the names of all components, in the order in which they are shown.
var (
	apiComponents  = []string{"etcd", "kube-apiserver", "kube-controller-manager", "versitygw"}
	nodeComponents = []string{"kube-scheduler", "containerd", "kubelet", "kube-proxy", "coredns", "metrics-server", "network-policies", "storage-provisioner"}
)

// Components lists the components that a cluster has.
func Components(s *state.State) []string {
	if s.APIOnly {
		return apiComponents
	}
	return slices.Concat(apiComponents, nodeComponents)
}

// Cluster is one cluster while a command works on it, under its lock.
type Cluster struct {
	layout layout.Layout
	state  *state.State
	report *progress.Reporter
	// mutex guards the state: components are started side by side.
	mutex sync.Mutex
}

// Kubectl calls the cluster as its administrator.
func Kubectl(l layout.Layout, s *state.State) kubectl.Kubectl {
	return kubectl.Kubectl{Path: s.Programs["kubectl"], Kubeconfig: l.AdminKubeconfig(), CacheDir: l.KubectlCache()}
}

// Running returns the state of a cluster that is up, for commands that need one.
func Running(l layout.Layout) (*state.State, error) {
	s, err := state.Load(l.State())
	if err != nil {
		return nil, err
	}
	if s == nil || !s.Complete || len(dead(s)) > 0 {
		return nil, fmt.Errorf("cluster %s does not run: `cluster up --name %s` starts or mends it", l.Name, l.Name)
	}
	return s, nil
}

// dead lists the components that should run and do not.
func dead(s *state.State) []string {
	alive := s.Alive()
	return slices.DeleteFunc(slices.Clone(Components(s)), func(name string) bool { return alive[name] })
}

func (c *Cluster) lock(ctx context.Context) (func(), error) {
	return state.Lock(ctx, c.layout.Lock(), func() { c.report.Say("waiting for another command on cluster %s", c.layout.Name) })
}

// start runs a component unless it runs already, records it, and waits until it is ready.
func (c *Cluster) start(ctx context.Context, component process.Component) error {
	done := c.report.Start()
	log := c.layout.Log(component.Name)
	id, err := c.ensure(component, log)
	if err != nil {
		return err
	}
	if err := process.Await(ctx, component, id, log); err != nil {
		return err
	}
	done("%s is ready", component.Name)
	return nil
}

func (c *Cluster) ensure(component process.Component, log string) (process.Identity, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if id, recorded := c.state.Processes[component.Name]; recorded && id.Alive() {
		return id, nil
	}
	id, err := process.Start(component, log)
	if err != nil {
		return process.Identity{}, err
	}
	c.state.Processes[component.Name] = id
	return id, c.state.Save(c.layout.State())
}
