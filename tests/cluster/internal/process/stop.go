package process

import (
	"fmt"
	"syscall"
	"time"
)

// poll is how often a process is looked at while something is awaited.
const poll = 25 * time.Millisecond

// killGrace is how long the kernel may take to end a process after SIGKILL.
const killGrace = 10 * time.Second

// Stop asks the process to end, and ends it by force after grace. A process that is gone, or whose pid belongs to another
// process now, is no error.
func Stop(id Identity, grace time.Duration) error {
	if err := id.signal(syscall.SIGTERM); err != nil {
		return err
	}
	if gone(id, grace) {
		return nil
	}
	return Kill(id)
}

// Kill ends the process by force and waits until it is gone.
func Kill(id Identity) error {
	if err := id.signal(syscall.SIGKILL); err != nil {
		return err
	}
	if !gone(id, killGrace) {
		return fmt.Errorf("pid %d still runs %s after SIGKILL: look at /proc/%d/stack for what the kernel waits for", id.PID, killGrace, id.PID)
	}
	return nil
}

func gone(id Identity, within time.Duration) bool {
	for deadline := time.Now().Add(within); ; time.Sleep(poll) {
		if !id.Alive() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
