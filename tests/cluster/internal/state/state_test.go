package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"chemmodel.io/tests/cluster/internal/network"
	"chemmodel.io/tests/cluster/internal/process"
)

func TestWhatIsSavedIsLoaded(t *testing.T) {
	plan, err := network.Choose(nil)
	if err != nil {
		t.Fatal(err)
	}
	self, err := process.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	saved := &State{
		Name: "dev", Complete: true, Network: plan, Ports: map[string]int{"etcd": 20000}, S3: S3{"id", "secret"},
		Programs: map[string]string{"etcd": "/bin/etcd"}, Processes: map[string]process.Identity{"etcd": self},
	}
	path := filepath.Join(t.TempDir(), "dev", "state.json")
	if err := saved.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil || !reflect.DeepEqual(loaded, saved) {
		t.Errorf("loaded %+v, %v; want %+v", loaded, err, saved)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file mode %v, %v; others must not read the S3 secret", info.Mode(), err)
	}
	if !loaded.Alive()["etcd"] {
		t.Error("a recorded process that runs does not count as alive")
	}
}

func TestAClusterWithoutAFileIsNoErrorAndABrokenFileIs(t *testing.T) {
	dir := t.TempDir()
	if s, err := Load(filepath.Join(dir, "none.json")); s != nil || err != nil {
		t.Errorf("no file: %v, %v", s, err)
	}
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(broken); err == nil {
		t.Error("a broken file was taken for a state")
	}
}

func TestALockIsHeldByOneAndWaitingForItCanBeGivenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Lock(t.Context(), path, func() { t.Error("waited for a lock that nobody holds") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Lock(ctx, path, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("second holder: %v, want %v", err, context.Canceled)
	}
	release()
	again, err := Lock(t.Context(), path, func() { t.Error("waited for a lock that was given back") })
	if err != nil {
		t.Fatal(err)
	}
	again()
}
