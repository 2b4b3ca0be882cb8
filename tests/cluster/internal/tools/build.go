package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"chemmodel.io/tests/cluster/internal/progress"
)

// Ensure returns the file of each program, after building what is not cached under dir.
func Ensure(ctx context.Context, dir string, report *progress.Reporter) (map[string]string, error) {
	groups, err := catalogue()
	if err != nil {
		return nil, err
	}
	goVersion, err := command(ctx, "", "go", "env", "GOVERSION")
	if err != nil {
		return nil, fmt.Errorf("%w; install Go (https://go.dev/doc/install)", err)
	}
	programs := map[string]string{}
	for _, g := range groups {
		key, err := g.key(strings.TrimSpace(goVersion))
		if err != nil {
			return nil, err
		}
		target := filepath.Join(dir, g.name+"-"+key)
		if _, err := os.Stat(target); errors.Is(err, os.ErrNotExist) {
			report.Say("building %s (once; minutes with a cold Go cache)", strings.Join(g.programs(), ", "))
			done := report.Start()
			if err := g.build(ctx, target); err != nil {
				return nil, err
			}
			done("built into %s", target)
		} else if err != nil {
			return nil, fmt.Errorf("programs: %w", err)
		}
		for _, name := range g.programs() {
			programs[name] = filepath.Join(target, name)
		}
	}
	return programs, nil
}

// programs are the names of the group's programs and links.
func (g group) programs() []string {
	names := slices.Collect(maps.Keys(g.packages))
	for _, links := range g.links {
		names = append(names, links...)
	}
	slices.Sort(names)
	return names
}

// build makes all programs in a draft folder that becomes the target by one rename: a target that exists is whole.
func (g group) build(ctx context.Context, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("programs: %w", err)
	}
	draft, err := os.MkdirTemp(filepath.Dir(target), ".draft-"+g.name+"-")
	if err != nil {
		return fmt.Errorf("programs: %w", err)
	}
	defer os.RemoveAll(draft)
	if err := os.Chmod(draft, 0o755); err != nil {
		return fmt.Errorf("programs: %w", err)
	}
	arguments := []string{"build", "-trimpath", "-ldflags", g.ldflags, "-o", draft + "/"}
	for _, name := range slices.Sorted(maps.Keys(g.packages)) {
		arguments = append(arguments, g.packages[name])
	}
	if _, err := command(ctx, g.dir, "go", arguments...); err != nil {
		return fmt.Errorf("build of %s: %w", g.name, err)
	}
	for program, links := range g.links {
		for _, link := range links {
			if err := os.Symlink(program, filepath.Join(draft, link)); err != nil {
				return fmt.Errorf("programs: %w", err)
			}
		}
	}
	if err := os.Rename(draft, target); err != nil {
		// Another `cluster` command may have built the same meanwhile; its result is as good.
		if _, statErr := os.Stat(target); statErr == nil {
			return nil
		}
		return fmt.Errorf("programs: %w", err)
	}
	return nil
}

func command(ctx context.Context, dir, name string, arguments ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Dir = dir
	// Static programs run on every libc, and the pause image holds nothing but its program.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(arguments, " "), err, stderr.Bytes())
	}
	return stdout.String(), nil
}
