package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/process"
)

// KillShims ends the processes that containerd has left to watch its containers, and removes their sockets. A shim is ours when
// its command line names the socket of our containerd.
func KillShims(l layout.Layout) error {
	shims, err := process.Find(func(words []string) bool {
		return strings.HasPrefix(filepath.Base(words[0]), "containerd-shim") && slices.Contains(words, l.ContainerdSocket())
	})
	if err != nil {
		return fmt.Errorf("containerd shims: %w", err)
	}
	for _, shim := range shims {
		if err := process.Kill(shim); err != nil {
			return fmt.Errorf("containerd shim: %w", err)
		}
	}
	return removeShimSockets(l)
}

// removeShimSockets removes the sockets of shims that could not do so themselves. containerd puts them outside its state folder
// and notes where.
func removeShimSockets(l layout.Layout) error {
	notes, err := filepath.Glob(filepath.Join(l.Containerd("state"), "io.containerd.runtime.v2.task", "*", "*", "address"))
	if err != nil {
		return fmt.Errorf("containerd shims: %w", err)
	}
	for _, note := range notes {
		address, err := os.ReadFile(note)
		if err != nil {
			return fmt.Errorf("containerd shims: %w", err)
		}
		socket := strings.TrimPrefix(string(address), "unix://")
		if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("containerd shims: %w", err)
		}
	}
	return nil
}
