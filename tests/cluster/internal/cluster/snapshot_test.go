package cluster_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/sys/mountinfo"

	"chemmodel.io/tests/cluster/internal/layout"
)

// snapshot is what a cluster could leave behind on its machine, by kind.
type snapshot map[string][]string

// expectAgain waits until the machine has nothing that it had not before; other programs of the machine may come and go.
func (before snapshot) expectAgain(t *testing.T, l layout.Layout) {
	t.Helper()
	var left []string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		left = nil
		for kind, now := range takeSnapshot(t, l) {
			for _, thing := range now {
				if !slices.Contains(before[kind], thing) {
					left = append(left, kind+": "+thing)
				}
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
}

func takeSnapshot(t *testing.T, l layout.Layout) snapshot {
	t.Helper()
	return snapshot{
		"process": processesOf(t, l),
		"mount":   mounts(t),
		"nft":     rules(t),
		"link":    links(t),
		"file":    traces(t, l),
	}
}

// processesOf lists processes that have to do with the cluster: by command line, by environment's folder, or by cgroup.
func processesOf(t *testing.T, l layout.Layout) []string {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, dir := range dirs {
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		cgroup, _ := os.ReadFile(filepath.Join(dir, "cgroup"))
		words := string(bytes.ReplaceAll(line, []byte{0}, []byte(" ")))
		if strings.Contains(words, l.Root()+"/") || strings.Contains(string(cgroup), "/chemmodel-"+l.Name) {
			found = append(found, dir+" "+words)
		}
	}
	return found
}

func mounts(t *testing.T) []string {
	t.Helper()
	infos, err := mountinfo.GetMounts(nil)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, info := range infos {
		found = append(found, fmt.Sprintf("%s on %s", info.FSType, info.Mountpoint))
	}
	return found
}

var counters = regexp.MustCompile(`packets \d+ bytes \d+`)

// rules lists the lines of the ruleset, each with the table and chain that it stands in.
func rules(t *testing.T) []string {
	t.Helper()
	said, err := exec.Command("nft", "list", "ruleset").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	table := ""
	for _, line := range strings.Split(string(counters.ReplaceAll(said, nil)), "\n") {
		if strings.HasPrefix(line, "table ") {
			table = line
		}
		if strings.TrimSpace(line) != "" {
			found = append(found, table+" "+strings.TrimSpace(line))
		}
	}
	return found
}

func links(t *testing.T) []string {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, i := range interfaces {
		found = append(found, i.Name)
	}
	return found
}

// traces lists files at fixed places outside the cluster's folder, and what is left inside it beside logs.
func traces(t *testing.T, l layout.Layout) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{
		"/var/lib/cni/results/*", "/var/log/containers/*", "/run/containerd/s/*", "/run/netns/*", "/var/lib/kubelet*", "/var/log/pods*",
		"/sys/fs/cgroup/chemmodel-*", "/sys/fs/cgroup/*/chemmodel-*", "/sys/fs/cgroup/kubepods*", "/sys/fs/cgroup/*/kubepods*",
	} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, matches...)
	}
	inside, err := filepath.Glob(l.Root() + "/*")
	if err != nil {
		t.Fatal(err)
	}
	return append(found, slices.DeleteFunc(inside, func(path string) bool { return path == l.Logs() })...)
}
