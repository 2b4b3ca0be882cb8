package node

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestOnlyLinksIntoTheClustersFolderAreOurs(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"ours": "/cache/dev/pod-logs/x", "other": "/cache/dev2/pod-logs/x", "system": "/var/log/pods/x"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	links, err := linksInto(dir, "/cache/dev/")
	if err != nil || !slices.Equal(links, []string{filepath.Join(dir, "ours")}) {
		t.Errorf("links %v, %v; want only `ours`", links, err)
	}
}

func TestCNIResultsOfOtherClustersStay(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"chemmodel-dev-0a1b-eth0", "cni-loopback-0a1b-lo", "chemmodel-other-9f-eth0", "cni-loopback-9f-lo"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	results, err := cniResults(dir, "chemmodel-dev")
	want := []string{filepath.Join(dir, "chemmodel-dev-0a1b-eth0"), filepath.Join(dir, "cni-loopback-0a1b-lo")}
	if err != nil || !slices.Equal(results, want) {
		t.Errorf("results %v, %v; want %v", results, err, want)
	}
}
