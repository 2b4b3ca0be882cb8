// Package preflight says whether this machine can run a node, before anything is changed on it.
package preflight

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"
)

// Check is one thing that a node needs.
type Check struct {
	Name string
	// Err is nil when the machine has it, else it says what is missing and what to do.
	Err error
}

// Unfit is the error of a machine that cannot run a node: callers fall back to a cluster without one.
type Unfit struct{ Missing []Check }

func (u *Unfit) Error() string {
	var text strings.Builder
	text.WriteString("this machine cannot run a Kubernetes node:")
	for _, check := range u.Missing {
		fmt.Fprintf(&text, "\n  %s: %v", check.Name, check.Err)
	}
	text.WriteString("\n  what to do: mend that, or use `cluster up --api-only`, which needs none of it")
	return text.String()
}

// Machine checks rights and kernel, Require turns what fails into an Unfit.
func Machine() []Check {
	checks := []Check{{"root rights", rootRights()}}
	if checks[0].Err != nil {
		// The rest cannot be tried without.
		return checks
	}
	return append(checks,
		Check{"overlay file system", overlay()},
		Check{"cgroups", cgroups()},
		Check{"network links", links()},
	)
}

// Require returns an Unfit with the checks that have failed, nil when none has.
func Require(checks []Check) error {
	var missing []Check
	for _, check := range checks {
		if check.Err != nil {
			missing = append(missing, check)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &Unfit{Missing: missing}
}

// Programs checks the programs that come as packages of the distribution.
func Programs() Check {
	const name = "programs"
	for _, program := range []string{"containerd", "ctr", "runc", "nft", "iptables", "conntrack"} {
		if _, err := exec.LookPath(program); err != nil {
			return Check{name, fmt.Errorf("%s is not installed (Debian packages: %s)", program, strings.Join(packages, " "))}
		}
	}
	for _, plugin := range []string{"/usr/lib/cni/ptp", "/usr/lib/cni/host-local"} {
		if _, err := os.Stat(plugin); err != nil {
			return Check{name, fmt.Errorf("%s is missing (Debian package: containernetworking-plugins)", plugin)}
		}
	}
	if said, err := exec.Command("nft", "list", "tables").CombinedOutput(); err != nil {
		return Check{name, fmt.Errorf("nft cannot use the kernel's nf_tables: %s", strings.TrimSpace(string(said)))}
	}
	return Check{name, nil}
}

func rootRights() error {
	if id := os.Geteuid(); id != 0 {
		return fmt.Errorf("running as user %d; run as root", id)
	}
	return nil
}

func overlay() error {
	const path = "/proc/filesystems"
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	// A kernel that has it as a module loads it at the first mount.
	if !strings.Contains(string(text), "\toverlay\n") && exec.Command("modprobe", "overlay").Run() != nil {
		return fmt.Errorf("not in %s and not to be loaded; use a kernel with CONFIG_OVERLAY_FS", path)
	}
	return nil
}

func cgroups() error {
	const mount = "/sys/fs/cgroup"
	for _, path := range []string{mount + "/cgroup.controllers", mount + "/memory/tasks"} {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
	}
	return fmt.Errorf("neither version 2 nor the version 1 controller `memory` is mounted at %s; mount one", mount)
}

// links tries the two kinds of link that a node is made of.
func links() error {
	for _, link := range []netlink.Link{
		&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "chemmodeltry0"}},
		&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "chemmodeltry0"}, PeerName: "chemmodeltry1"},
	} {
		if err := netlink.LinkAdd(link); err != nil {
			return fmt.Errorf("a %s link cannot be made: %w; use a kernel and a container that allow it", link.Type(), err)
		}
		if err := netlink.LinkDel(link); err != nil {
			return fmt.Errorf("trial link chemmodeltry0: %w", err)
		}
	}
	return nil
}
