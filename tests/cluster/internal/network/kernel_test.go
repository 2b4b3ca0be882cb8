package network

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// ownNamespace gives the test a network of its own: what it does there, no other program sees.
func ownNamespace(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: links and rules need root")
	}
	// Never unlocked: the thread, and with it the namespace, ends with the test.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("NOT TESTED: no network namespace: %v", err)
	}
}

func command(t *testing.T, words ...string) string {
	t.Helper()
	said, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", words, err, said)
	}
	return string(said)
}

// rulesOf drops the comments of iptables-save, which hold the time.
func rulesOf(saved string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(saved, "\n"), func(line string) bool { return strings.HasPrefix(line, "#") }), "\n")
}

func planFor(t *testing.T) Plan {
	t.Helper()
	plan, err := Choose(nil)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestAForwardChainThatDropsLetsPodsThroughAndIsLeftAsItWas(t *testing.T) {
	ownNamespace(t)
	plan := planFor(t)
	command(t, "iptables", "-P", "FORWARD", "DROP")
	before := command(t, "iptables-save")
	// Twice, as `up` does when it mends a cluster.
	for range 2 {
		if err := AllowForwarding(t.Context(), plan.Pods); err != nil {
			t.Fatal(err)
		}
	}
	if rules := command(t, "iptables", "-S", "FORWARD"); strings.Count(rules, plan.Pods.String()) != 2 {
		t.Errorf("want one rule from and one to %v, have:\n%s", plan.Pods, rules)
	}
	if err := ForbidForwarding(t.Context(), plan.Pods); err != nil {
		t.Fatal(err)
	}
	if after := command(t, "iptables-save"); rulesOf(after) != rulesOf(before) {
		t.Errorf("rules after:\n%s\nbefore:\n%s", after, before)
	}
}

func TestAMachineWithoutAForwardChainGetsNone(t *testing.T) {
	ownNamespace(t)
	if err := AllowForwarding(t.Context(), planFor(t).Pods); err != nil {
		t.Fatal(err)
	}
	if rules := command(t, "nft", "list", "ruleset"); rules != "" {
		t.Errorf("rules appeared:\n%s", rules)
	}
}

func TestTheLinkTellsItsOwnerAndOnlyTheOwnerRemovesIt(t *testing.T) {
	ownNamespace(t)
	plan := planFor(t)
	for range 2 {
		if err := CreateLink(plan, "/cache/cluster/dev"); err != nil {
			t.Fatal(err)
		}
	}
	if owner, err := Owner(); err != nil || owner != "/cache/cluster/dev" {
		t.Errorf("owner %q, %v", owner, err)
	}
	if removed, err := DeleteLink("/cache/cluster/other"); err != nil || removed {
		t.Errorf("removed by another: %v, %v", removed, err)
	}
	if removed, err := DeleteLink("/cache/cluster/dev"); err != nil || !removed {
		t.Errorf("removed by its owner: %v, %v", removed, err)
	}
	if owner, err := Owner(); err != nil || owner != "" {
		t.Errorf("owner of no link: %q, %v", owner, err)
	}
}

func TestTablesAreRemovedWithKubeProxysAndOthersStay(t *testing.T) {
	ownNamespace(t)
	for _, table := range []string{"ip kube-proxy", "ip6 kube-proxy", "ip somebody"} {
		command(t, "nft", "add table "+table)
	}
	for range 2 {
		if err := CreateTable(t.Context(), planFor(t)); err != nil {
			t.Fatal(err)
		}
	}
	if runs, err := ProxyRuns(t.Context()); err != nil || !runs {
		t.Errorf("kube-proxy's tables were not seen: %v, %v", runs, err)
	}
	if err := DeleteTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tables := command(t, "nft", "list", "tables"); tables != "table ip somebody\n" {
		t.Errorf("tables left:\n%s", tables)
	}
}
