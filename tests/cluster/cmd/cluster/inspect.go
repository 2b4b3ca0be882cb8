package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"chemmodel.io/tests/cluster/internal/addons"
	"chemmodel.io/tests/cluster/internal/cluster"
	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/state"
)

func newStatus(bind binder) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the components; exit code 1 unless all run",
		Args:  cobra.NoArgs,
		RunE: bind(func(cmd *cobra.Command, l layout.Layout, _ []string) error {
			s, err := state.Load(l.State())
			if err != nil {
				return err
			}
			if s != nil {
				alive := s.Alive()
				for _, name := range cluster.Components(s) {
					verdict := "stopped"
					if alive[name] {
						verdict = fmt.Sprintf("running, pid %d", s.Processes[name].PID)
					}
					cmd.Printf("%-24s %-22s %s\n", name, verdict, l.Log(name))
				}
			}
			_, err = cluster.Running(l)
			return err
		}),
	}
}

func newEnv(bind binder) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print what a shell needs to use the cluster: eval \"$(cluster env)\"",
		Args:  cobra.NoArgs,
		RunE: bind(func(cmd *cobra.Command, l layout.Layout, _ []string) error {
			s, err := cluster.Running(l)
			if err != nil {
				return err
			}
			for _, variable := range [][2]string{
				{"KUBECONFIG", l.AdminKubeconfig()},
				{"KUBECTL", s.Programs["kubectl"]},
				{"HELM", s.Programs["helm"]},
				{"CUSTOM_METRICS", s.Programs["custom-metrics"]},
				{"CHEMMODEL_CLUSTER", s.Name},
				{"S3_ENDPOINT", addons.S3Endpoint(s)},
				{"AWS_ENDPOINT_URL_S3", addons.S3Endpoint(s)},
				{"AWS_REGION", state.Region},
				{"AWS_ACCESS_KEY_ID", s.S3.AccessKeyID},
				{"AWS_SECRET_ACCESS_KEY", s.S3.SecretAccessKey},
			} {
				cmd.Printf("export %s=%s\n", variable[0], shellQuote(variable[1]))
			}
			return nil
		}),
	}
}

// shellQuote makes any text one word of a shell.
func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// program is how the person has called this tool.
func program() string {
	if path, err := os.Executable(); err == nil && filepath.Base(os.Args[0]) == os.Args[0] {
		return filepath.Base(path)
	}
	return os.Args[0]
}
