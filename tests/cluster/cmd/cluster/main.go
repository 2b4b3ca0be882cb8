// Command cluster starts and stops a real Kubernetes on this machine, for tests and demonstrations. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/preflight"
)

// exitUnfit tells callers that this machine cannot run a node, so that they can fall back to --api-only.
const exitUnfit = 3

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := newCommand().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "cluster:", err)
	var unfit *preflight.Unfit
	if errors.As(err, &unfit) {
		os.Exit(exitUnfit)
	}
	os.Exit(1)
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "cluster",
		Short:         "A real single-node Kubernetes on this machine, for tests and demonstrations",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(os.Stdout)
	name := root.PersistentFlags().String("name", layout.DefaultName, "name of the cluster")
	// withLayout gives each command the layout of the cluster that --name means.
	withLayout := func(run func(*cobra.Command, layout.Layout, []string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, arguments []string) error {
			l, err := layout.For(*name)
			if err != nil {
				return err
			}
			return run(cmd, l, arguments)
		}
	}
	root.AddCommand(
		newUp(withLayout), newDown(withLayout), newStatus(withLayout), newEnv(withLayout), newLoad(withLayout), newGPU(withLayout), newDoctor(),
	)
	return root
}

// runner is a command's work on one cluster; binder makes it what cobra runs.
type (
	runner = func(*cobra.Command, layout.Layout, []string) error
	binder = func(runner) func(*cobra.Command, []string) error
)
