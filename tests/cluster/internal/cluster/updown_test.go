package cluster_test

import (
	"context"
	"os"
	"syscall"
	"testing"

	"chemmodel.io/tests/cluster/internal/cluster"
	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/network"
	"chemmodel.io/tests/cluster/internal/preflight"
	"chemmodel.io/tests/cluster/internal/progress"
	"chemmodel.io/tests/cluster/internal/state"
)

// TestUpDown starts a whole cluster, runs pods on it, removes it while they run, and compares the machine with how it was.
func TestUpDown(t *testing.T) {
	l := testLayout(t, "updown")
	requireMachine(t, l)
	before := takeSnapshot(t, l)

	s := up(t, l, false)
	runWorkload(t, l, s)

	t.Run("a second up changes nothing", func(t *testing.T) {
		again := up(t, l, false)
		for name, id := range s.Processes {
			if again.Processes[name] != id {
				t.Errorf("%s has process %v, had %v", name, again.Processes[name], id)
			}
		}
	})
	t.Run("up mends a cluster that lost a component", func(t *testing.T) {
		kill(t, s.Processes["kube-scheduler"].PID)
		mended := up(t, l, false)
		if mended.Processes["kube-scheduler"] == s.Processes["kube-scheduler"] {
			t.Error("the scheduler was not started again")
		}
		if mended.Processes["etcd"] != s.Processes["etcd"] {
			t.Error("etcd was started again although it ran")
		}
	})
	t.Run("down leaves nothing behind", func(t *testing.T) {
		down(t, l)
		before.expectAgain(t, l)
	})
	t.Run("a second down is no error", func(t *testing.T) { down(t, l) })
	t.Run("down leaves nothing behind of a cluster whose containerd and kubelet were killed", func(t *testing.T) {
		s := up(t, l, false)
		runWorkload(t, l, s)
		kill(t, s.Processes["kubelet"].PID)
		kill(t, s.Processes["containerd"].PID)
		down(t, l)
		before.expectAgain(t, l)
	})
}

// TestAPIOnly needs no rights and runs beside any other cluster.
func TestAPIOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers")
	}
	l := testLayout(t, "apionly")
	s := up(t, l, true)
	kubectl := cluster.Kubectl(l, s)
	if _, err := kubectl.Run(t.Context(), "", "create", "deployment", "web", "--image=none"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the controllers make the Deployment's ReplicaSet", func() error {
		_, err := kubectl.Run(t.Context(), "", "wait", "--for=create", "replicaset", "--selector=app=web", "--timeout=1s")
		return err
	})
	down(t, l)
	if alive := s.Alive(); len(alive) > 0 {
		t.Errorf("still running after down: %v", alive)
	}
	if _, err := os.Stat(l.PKI()); !os.IsNotExist(err) {
		t.Errorf("certificates after down: %v", err)
	}
}

// testLayout shares the built programs with other clusters and nothing else.
func testLayout(t *testing.T, name string) layout.Layout {
	t.Helper()
	l, err := layout.For(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context is over by now.
		if err := cluster.Down(context.Background(), l, progress.New(t.Output())); err != nil {
			t.Error(err)
		}
	})
	return l
}

func requireMachine(t *testing.T, l layout.Layout) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole cluster")
	}
	if err := preflight.Require(append(preflight.Machine(), preflight.Programs())); err != nil {
		t.Skipf("NOT TESTED that up and down leave nothing behind: %v", err)
	}
	owner, err := network.Owner()
	if err != nil {
		t.Fatal(err)
	}
	if owner != "" && owner != l.Root() {
		t.Skipf("NOT TESTED that up and down leave nothing behind: the cluster in %s runs, and a machine holds one node; `cluster down` it first", owner)
	}
}

func up(t *testing.T, l layout.Layout, apiOnly bool) *state.State {
	t.Helper()
	s, err := cluster.Up(t.Context(), l, apiOnly, progress.New(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func down(t *testing.T, l layout.Layout) {
	t.Helper()
	if err := cluster.Down(t.Context(), l, progress.New(t.Output())); err != nil {
		t.Fatal(err)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
