package process

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestStartTimeIsReadBehindAnyProgramName(t *testing.T) {
	const rest = " S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 98"
	for _, name := range []string{"sleep", "a b", "evil) S 1 1", "((("} {
		ticks, err := startTicks([]byte("42 (" + name + ")" + rest))
		if err != nil || ticks != 4711 {
			t.Errorf("program %q: start time %d, %v; want 4711", name, ticks, err)
		}
	}
}

func TestAZombieDoesNotRun(t *testing.T) {
	if _, err := startTicks([]byte("42 (sleep) Z 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 98")); err == nil {
		t.Error("a zombie has an identity")
	}
}

func TestALaterProcessWithTheSamePIDIsAnother(t *testing.T) {
	self, err := Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !self.Alive() {
		t.Error("this very process does not count as alive")
	}
	earlier := self
	earlier.StartTicks--
	if earlier.Alive() {
		t.Error("a process with another start time counts as alive")
	}
	otherBoot := self
	otherBoot.BootID = "another"
	if otherBoot.Alive() {
		t.Error("a process of another boot counts as alive")
	}
	// Were it signalled, the test would end here.
	if err := Kill(earlier); err != nil {
		t.Error(err)
	}
}

func TestStopEndsAProcessThatIgnoresTheRequest(t *testing.T) {
	cmd := exec.Command("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // it was killed
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	id, err := Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := Stop(id, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if id.Alive() {
		t.Error("still runs after Stop")
	}
}
