package node

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/process"
)

const cgroupMount = "/sys/fs/cgroup"

// cgroupRoot is the parent of all pods' cgroups: what lives below it is ours, whatever it is called.
func cgroupRoot(l layout.Layout) string { return "/chemmodel-" + l.Name }

// hierarchies are the mounted cgroup trees: one on a machine with version 2, one per controller with version 1.
func hierarchies() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		return []string{cgroupMount}, nil
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil, fmt.Errorf("cgroups: %w", err)
	}
	var found []string
	for _, entry := range entries {
		// Version 1 shows its file `tasks` in each tree; the tree `unified` has version 2 and no controllers.
		if _, err := os.Stat(filepath.Join(cgroupMount, entry.Name(), "tasks")); err == nil {
			found = append(found, filepath.Join(cgroupMount, entry.Name()))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("cgroups: no controller is mounted below %s", cgroupMount)
	}
	return found, nil
}

// CreateCgroups makes the parent of all pods' cgroups in every tree; the kubelet insists that it exists.
func CreateCgroups(l layout.Layout) error {
	trees, err := hierarchies()
	if err != nil {
		return err
	}
	for _, tree := range trees {
		if err := delegateControllers(tree); err != nil {
			return err
		}
		dir := filepath.Join(tree, cgroupRoot(l))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cgroups: %w", err)
		}
		if err := inheritCPUSet(tree, dir); err != nil {
			return err
		}
	}
	return nil
}

// delegateControllers lets the children of a version 2 tree use all its controllers.
func delegateControllers(tree string) error {
	controllers, err := os.ReadFile(filepath.Join(tree, "cgroup.controllers"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cgroups: %w", err)
	}
	enable := "+" + strings.Join(strings.Fields(string(controllers)), " +")
	if err := os.WriteFile(filepath.Join(tree, "cgroup.subtree_control"), []byte(enable), 0o644); err != nil {
		return fmt.Errorf("cgroups: controllers %s for pods: %w", enable, err)
	}
	return nil
}

// inheritCPUSet gives a version 1 cpuset its parent's processors and memory nodes: an empty one takes no process.
func inheritCPUSet(tree, dir string) error {
	if filepath.Base(tree) != "cpuset" {
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(tree, file))
		if err != nil {
			return fmt.Errorf("cgroups: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), value, 0o644); err != nil {
			return fmt.Errorf("cgroups: %w", err)
		}
	}
	return nil
}

// RemoveCgroups ends whatever still runs in the pods' cgroups and removes them, from every tree: runc uses more of them than the
// kubelet asks for.
func RemoveCgroups(l layout.Layout) error {
	var roots []string
	for _, tree := range []string{cgroupMount, cgroupMount + "/*"} {
		found, err := filepath.Glob(tree + cgroupRoot(l))
		if err != nil {
			return fmt.Errorf("cgroups: %w", err)
		}
		roots = append(roots, found...)
	}
	for _, root := range roots {
		dirs, err := bottomUp(root)
		if err != nil {
			return fmt.Errorf("cgroups: %w", err)
		}
		for _, dir := range dirs {
			if err := emptyCgroup(dir); err != nil {
				return err
			}
			if err := removeCgroup(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeCgroup removes an empty cgroup; the kernel may take a moment to notice that the last process is gone.
func removeCgroup(dir string) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := os.Remove(dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("cgroups: %w", err)
		}
	}
}

// bottomUp lists the folders below and including root, children before parents.
func bottomUp(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, entry := range entries {
		if entry.IsDir() {
			below, err := bottomUp(filepath.Join(root, entry.Name()))
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, below...)
		}
	}
	return append(dirs, root), nil
}

// emptyCgroup ends the processes of one cgroup.
func emptyCgroup(dir string) error {
	file, err := os.Open(filepath.Join(dir, "cgroup.procs"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cgroups: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			return fmt.Errorf("cgroups: %s: %w", file.Name(), err)
		}
		id, err := process.Identify(pid)
		if err != nil {
			continue // gone meanwhile
		}
		if err := process.Kill(id); err != nil {
			return err
		}
	}
	return lines.Err()
}
