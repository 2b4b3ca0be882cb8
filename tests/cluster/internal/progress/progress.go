// Package progress prints what a command does: one line when something is done, with the time since the command's start.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Reporter prints lines; it may be used from several goroutines.
type Reporter struct {
	mutex   sync.Mutex
	out     io.Writer
	started time.Time
}

// New returns a reporter whose clock starts now.
func New(out io.Writer) *Reporter { return &Reporter{out: out, started: time.Now()} }

// Say prints one line.
func (r *Reporter) Say(format string, arguments ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	fmt.Fprintf(r.out, "[%6.1fs] %s\n", time.Since(r.started).Seconds(), fmt.Sprintf(format, arguments...))
}

// Start returns a function that prints what was done since now, and how long it took.
func (r *Reporter) Start() (done func(format string, arguments ...any)) {
	began := time.Now()
	return func(format string, arguments ...any) {
		r.Say("%s (%.1f s)", fmt.Sprintf(format, arguments...), time.Since(began).Seconds())
	}
}
