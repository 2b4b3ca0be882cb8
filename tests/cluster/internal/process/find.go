package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Find returns the processes whose command line, as words, satisfies the condition. It is for what was never recorded: a command
// killed between a start and its record, and children of children. The condition must name a path of the cluster, since a
// program's name alone does not tell whose it is.
func Find(condition func(words []string) bool) ([]Identity, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list of processes: %w", err)
	}
	var found []Identity
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // not a process
		}
		// The identity is taken before the command line is read, so that both are of one process.
		id, err := Identify(pid)
		if err != nil {
			continue // gone meanwhile
		}
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil || len(line) == 0 {
			continue // gone meanwhile, or a thread of the kernel
		}
		if condition(strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00")) {
			found = append(found, id)
		}
	}
	return found, nil
}
