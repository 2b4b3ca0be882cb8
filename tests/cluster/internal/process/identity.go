// Package process starts, recognises and stops the cluster's processes. A process is only ever signalled by its recorded
// identity (pid, start time, boot), never by its name: pids are reused.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Identity tells one process from every other that had or will have its pid.
type Identity struct {
	PID int `json:"pid"`
	// StartTicks is field 22 of /proc/PID/stat: clock ticks between boot and the start of the process.
	StartTicks uint64 `json:"startTicks"`
	BootID     string `json:"bootID"`
}

var errNotRunning = errors.New("not running")

// Identify returns the identity of the running process with that pid. A zombie does not run.
func Identify(pid int) (Identity, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return Identity{}, fmt.Errorf("pid %d: %w", pid, errNotRunning)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("pid %d: %w", pid, err)
	}
	ticks, err := startTicks(stat)
	if err != nil {
		return Identity{}, fmt.Errorf("pid %d: %w", pid, err)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Identity{}, fmt.Errorf("boot id: %w", err)
	}
	return Identity{PID: pid, StartTicks: ticks, BootID: strings.TrimSpace(string(boot))}, nil
}

// startTicks reads the start time out of a line of /proc/PID/stat. The program's name (field 2) may hold spaces and
// brackets, so fields are counted from the last closing bracket.
func startTicks(stat []byte) (uint64, error) {
	const state, start = 0, 19
	_, rest, _ := bytes.Cut(stat, []byte("("))
	end := bytes.LastIndexByte(rest, ')')
	if end < 0 {
		return 0, fmt.Errorf("stat line %q has no program name", stat)
	}
	fields := strings.Fields(string(rest[end+1:]))
	if len(fields) <= start {
		return 0, fmt.Errorf("stat line %q has %d fields after the name, want more than %d", stat, len(fields), start)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return 0, errNotRunning
	}
	return strconv.ParseUint(fields[start], 10, 64)
}

// Alive says whether this very process still runs.
func (id Identity) Alive() bool {
	now, err := Identify(id.PID)
	return err == nil && now == id
}

// signal sends sig to this very process. The handle is taken before the identity is checked, so the signal cannot reach
// a later process with the same pid.
func (id Identity) signal(sig os.Signal) error {
	handle, err := os.FindProcess(id.PID)
	if err != nil {
		return fmt.Errorf("pid %d: %w", id.PID, err)
	}
	defer handle.Release() //nolint:errcheck // nothing to do about it
	if !id.Alive() {
		return nil
	}
	if err := handle.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %v to pid %d: %w", sig, id.PID, err)
	}
	return nil
}
