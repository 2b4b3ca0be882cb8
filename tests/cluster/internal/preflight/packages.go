package preflight

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"chemmodel.io/tests/cluster/internal/progress"
)

// packages of Debian and Ubuntu: the node's programs, and those by which images are built for it.
var packages = []string{
	"containerd", "runc", "containernetworking-plugins", "iptables", "nftables", "conntrack", "socat", "ethtool", "kmod",
	"debootstrap", "docker.io",
}

// InstallPackages installs what Programs misses, where the distribution is one that we know how to ask.
func InstallPackages(ctx context.Context, report *progress.Reporter) error {
	missing := missingPackages(ctx)
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		// Programs will tell what is missing.
		return nil
	}
	report.Say("installing Debian packages: %s", strings.Join(missing, " "))
	done := report.Start()
	// --no-install-recommends: nothing that would start a service of its own is wanted.
	install := append([]string{"install", "--yes", "--no-install-recommends"}, missing...)
	for _, arguments := range [][]string{{"update"}, install} {
		cmd := exec.CommandContext(ctx, "apt-get", arguments...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w:\n%s\n  what to do: install the packages by hand: %s",
				strings.Join(arguments, " "), err, said, strings.Join(missing, " "))
		}
	}
	done("installed %d Debian packages", len(missing))
	return nil
}

func missingPackages(ctx context.Context) []string {
	if _, err := exec.LookPath("dpkg-query"); err != nil {
		return nil
	}
	var missing []string
	for _, name := range packages {
		status, err := exec.CommandContext(ctx, "dpkg-query", "--show", "--showformat=${db:Status-Status}", name).Output()
		if err != nil || string(status) != "installed" {
			missing = append(missing, name)
		}
	}
	return missing
}
