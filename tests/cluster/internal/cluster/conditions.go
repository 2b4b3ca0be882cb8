package cluster

import (
	"context"
	"fmt"
)

func (c *Cluster) nodeReady(ctx context.Context) error {
	const ready = `jsonpath={.status.conditions[?(@.type=="Ready")].status}: {.status.conditions[?(@.type=="Ready")].message}`
	status, err := Kubectl(c.layout, c.state).Run(ctx, "", "get", "node", c.state.Node(), "--output", ready)
	if err != nil {
		return err
	}
	if len(status) < 4 || status[:4] != "True" {
		return fmt.Errorf("node %s: Ready is %s", c.state.Node(), status)
	}
	return nil
}

// serviceAccountExists: no pod can be made in a namespace before its service account is.
func (c *Cluster) serviceAccountExists(ctx context.Context) error {
	_, err := Kubectl(c.layout, c.state).Run(ctx, "", "get", "serviceaccount", "default", "--namespace", "default")
	return err
}

func (c *Cluster) metricsServed(ctx context.Context) error {
	_, err := Kubectl(c.layout, c.state).Run(ctx, "", "get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes/"+c.state.Node())
	return err
}
