package main

import (
	"github.com/spf13/cobra"

	"chemmodel.io/tests/cluster/internal/cluster"
	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/preflight"
	"chemmodel.io/tests/cluster/internal/progress"
)

func newUp(bind binder) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster, or mend it, or do nothing when it is whole",
		Long: "Start the cluster and wait until it is whole. The first time, its programs are built from Go modules, which takes minutes.\n" +
			"Exit code 3: this machine cannot run a node; --api-only may still work.",
		Args: cobra.NoArgs,
	}
	apiOnly := cmd.Flags().Bool("api-only", false, "API server, controllers and S3 only: no node, no pods, no root rights; any number beside others")
	cmd.RunE = bind(func(cmd *cobra.Command, l layout.Layout, _ []string) error {
		report := progress.New(cmd.OutOrStdout())
		s, err := cluster.Up(cmd.Context(), l, *apiOnly, report)
		if err != nil {
			return err
		}
		report.Say("cluster %s is up", l.Name)
		cmd.Printf("\n  kubeconfig  %s\n  logs        %s\n  go on       eval \"$(%[3]s env --name %[4]s)\"; \"$KUBECTL\" get nodes\n  stop        %[3]s down --name %[4]s\n",
			l.AdminKubeconfig(), l.Logs(), program(), s.Name)
		return nil
	})
	return cmd
}

func newDown(bind binder) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the cluster and remove all of it but its logs",
		Args:  cobra.NoArgs,
		RunE: bind(func(cmd *cobra.Command, l layout.Layout, _ []string) error {
			return cluster.Down(cmd.Context(), l, progress.New(cmd.OutOrStdout()))
		}),
	}
}

func newDoctor() *cobra.Command {
	var install bool
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Say whether this machine can run a node; exit code 3 when it cannot",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := preflight.Machine()
			// Not on a machine that would not do even with them.
			if install && preflight.Require(checks) == nil {
				if err := preflight.InstallPackages(cmd.Context(), progress.New(cmd.OutOrStdout())); err != nil {
					return err
				}
			}
			checks = append(checks, preflight.Programs())
			for _, check := range checks {
				verdict := "ok"
				if check.Err != nil {
					verdict = check.Err.Error()
				}
				cmd.Printf("%-22s %s\n", check.Name, verdict)
			}
			return preflight.Require(checks)
		},
	}
	command.Flags().BoolVar(&install, "install", false, "install missing packages of Debian and Ubuntu first, as `up` does")
	return command
}
