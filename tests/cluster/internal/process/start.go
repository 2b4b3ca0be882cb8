package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Component is a program of the cluster: what to run, and how to see that it does its work.
type Component struct {
	Name string
	Path string
	Args []string
	// Env is added to the environment of the command line tool.
	Env []string
	// Ready returns nil once the component does its work, else what is missing.
	Ready func(context.Context) error
	// Deadline bounds the wait for Ready.
	Deadline time.Duration
}

// Failure is a component that did not start or did not become ready. Its message has all that a person needs to go on.
type Failure struct {
	Component string
	Log       string
	Cause     error
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s: %v\n  log: %s, its last lines:\n%s\n  what to do: mend what the log complains about, then `cluster up` starts anew",
		f.Component, f.Cause, f.Log, tail(f.Log, 12))
}

func (f *Failure) Unwrap() error { return f.Cause }

// Start runs the component detached from the command line tool; its output is appended to log.
func Start(c Component, log string) (Identity, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return Identity{}, &Failure{Component: c.Name, Log: log, Cause: err}
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return Identity{}, &Failure{Component: c.Name, Log: log, Cause: err}
	}
	defer out.Close()
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Args[0] = c.Name
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = "/"
	// A session of its own: the terminal's Ctrl-C and hang-up are not for the cluster.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Identity{}, &Failure{Component: c.Name, Log: log, Cause: err}
	}
	id, err := Identify(cmd.Process.Pid)
	go cmd.Wait() //nolint:errcheck // reaps the child should it end while we are here; Alive tells that it did
	if err != nil {
		return Identity{}, &Failure{Component: c.Name, Log: log, Cause: fmt.Errorf("ended at once: %w", err)}
	}
	return id, nil
}

// Await waits until the component is ready, and fails as soon as its process has ended.
func Await(ctx context.Context, c Component, id Identity, log string) error {
	ctx, cancel := context.WithTimeout(ctx, c.Deadline)
	defer cancel()
	for {
		// Life is looked at before readiness: another program on the same address must not answer for a dead one.
		if !id.Alive() {
			return &Failure{Component: c.Name, Log: log, Cause: fmt.Errorf("pid %d has ended", id.PID)}
		}
		err := c.Ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				err = fmt.Errorf("not ready after %s: %w", c.Deadline, err)
			} else {
				err = ctx.Err()
			}
			return &Failure{Component: c.Name, Log: log, Cause: err}
		case <-time.After(poll * 4):
		}
	}
}
