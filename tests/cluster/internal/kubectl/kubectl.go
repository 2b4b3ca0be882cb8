// Package kubectl speaks to the cluster's API server through its own kubectl: the test cluster needs few calls, and this keeps
// the command line tool small enough to build in seconds.
package kubectl

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Kubectl calls one cluster as its administrator.
type Kubectl struct {
	Path       string
	Kubeconfig string
	CacheDir   string
}

// Run returns the trimmed output of a kubectl command; its error has what kubectl said.
func (k Kubectl) Run(ctx context.Context, stdin string, arguments ...string) (string, error) {
	cmd := exec.CommandContext(ctx, k.Path, append([]string{"--kubeconfig", k.Kubeconfig, "--cache-dir", k.CacheDir}, arguments...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(arguments, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// Apply makes the objects of a manifest so.
func (k Kubectl) Apply(ctx context.Context, manifest string) error {
	_, err := k.Run(ctx, manifest, "apply", "--server-side", "--force-conflicts", "-f", "-")
	return err
}
