package process

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAComponentThatEndsIsReportedWithItsLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "broken.log")
	component := Component{
		Name: "broken", Path: "/bin/sh", Args: []string{"-c", "echo no such flag >&2; exit 1"},
		Ready: func(context.Context) error { return errors.New("not yet") }, Deadline: time.Minute,
	}
	id, err := Start(component, log)
	if err == nil {
		err = Await(t.Context(), component, id, log)
	}
	if err == nil {
		t.Fatal("a component that has ended counts as ready")
	}
	for _, part := range []string{"broken", log, "no such flag", "what to do"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not name %q", err, part)
		}
	}
}

func TestAComponentThatNeverGetsReadyIsReportedWithWhatIsMissing(t *testing.T) {
	component := Component{
		Name: "slow", Path: "/bin/sleep", Args: []string{"60"},
		Ready: func(context.Context) error { return errors.New("no certificate yet") }, Deadline: 100 * time.Millisecond,
	}
	log := filepath.Join(t.TempDir(), "slow.log")
	id, err := Start(component, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Kill(id); err != nil {
			t.Error(err)
		}
	})
	err = Await(t.Context(), component, id, log)
	if err == nil || !strings.Contains(err.Error(), "no certificate yet") {
		t.Errorf("error %v does not say what is missing", err)
	}
}

func TestFindTellsProcessesByTheirWords(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	id, err := Start(Component{Name: "sleeper", Path: "/bin/sleep", Args: []string{"61.25"}}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Kill(id); err != nil {
			t.Error(err)
		}
	})
	found, err := Find(func(words []string) bool { return len(words) == 2 && words[0] == "sleeper" && words[1] == "61.25" })
	if err != nil || len(found) != 1 || found[0] != id {
		t.Errorf("found %v, %v; want %v", found, err, id)
	}
}
