package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// exitInterrupted is the exit code after SIGINT, SIGTERM or SIGHUP: that of a
// shell for a program which SIGINT has ended.
const exitInterrupted = 130

// grace is how long a command may take to heed a first signal. One that reads
// from a pipe which gives nothing, compiles a module or is in a call of one hears
// of nothing; then the program ends without it.
const grace = time.Second

// sayTime is how long the last words may take where standard error is a pipe that
// nobody reads.
const sayTime = 100 * time.Millisecond

// interruption is what becomes of signals while a command runs. The first one
// cancels the command's context. The second one ends the program at once, by the
// Go run-time's own handler, which needs no goroutine.
type interruption struct {
	errOut io.Writer
	exit   func(int)

	mu        sync.Mutex
	signalled bool
	heeded    bool // the command winds up by itself
	overdue   bool // it is to end as soon as nothing is protected
	protected int
	timer     *time.Timer
	temporary map[string]bool // files that are no use to anybody if the program ends now
}

// interruptionKey is the key of the interruption in a command's context.
type interruptionKey struct{}

// catchSignals gives the context that the first signal cancels. SIGHUP stays
// ignored where the program was started so, as by nohup.
//
// Code of modules cannot be preempted: a goroutine that is in a call of one keeps
// its processor (P). One more than there are runs on which hear of a signal. What
// that does not help against is a garbage collection, which stops every goroutine
// until the call has ended; the bound on a call is the bound on that.
func catchSignals(parent context.Context, errOut io.Writer) context.Context {
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	i := &interruption{errOut: errOut, exit: os.Exit, temporary: make(map[string]bool)}
	ctx := context.WithValue(parent, interruptionKey{}, i)
	caught := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		caught = append(caught, syscall.SIGHUP)
	}
	ctx, cancel := context.WithCancel(ctx)
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, caught...)
	go func() {
		<-heard
		signal.Reset(caught...)
		i.first(cancel)
	}()
	return ctx
}

// interruptionOf is the interruption of a command; one without effect where
// nobody has caught signals.
func interruptionOf(c *cobra.Command) *interruption {
	if i, ok := c.Context().Value(interruptionKey{}).(*interruption); ok {
		return i
	}
	return &interruption{errOut: io.Discard, exit: func(int) {}, temporary: make(map[string]bool)}
}

func (i *interruption) first(cancel func()) {
	i.mu.Lock()
	i.signalled = true
	if !i.heeded {
		i.timer = time.AfterFunc(grace, i.end)
	}
	i.mu.Unlock()
	cancel()
}

// heed says that the command has heard of a signal and winds up by itself, or
// that it would: what it does now takes as long as it takes.
func (i *interruption) heed() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.heeded = true
	if i.timer != nil {
		i.timer.Stop()
	}
}

// conclude says that the command only has to show what there is, for which it has
// the grace time once a signal has come.
func (i *interruption) conclude() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.heeded = false
	if i.signalled {
		if i.timer != nil {
			i.timer.Stop()
		}
		i.timer = time.AfterFunc(grace, i.end)
	}
}

// protect runs what is to be whole or not at all, such as the writing of a file:
// the grace time does not end the program in the middle of it.
func (i *interruption) protect(f func() error) error {
	i.mu.Lock()
	i.protected++
	i.mu.Unlock()
	err := f()
	i.mu.Lock()
	i.protected--
	overdue := i.overdue && i.protected == 0
	i.mu.Unlock()
	if overdue {
		i.end()
	}
	return err
}

// temp notes a temporary file, which is removed if the program is ended while it
// is there.
func (i *interruption) temp(path string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.temporary[path] = true
}

// keep says that the file is of use.
func (i *interruption) keep(path string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.temporary, path)
}

// end ends the program.
func (i *interruption) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.heeded:
		return
	case i.protected > 0:
		i.overdue = true
		return
	}
	for path := range i.temporary {
		_ = os.Remove(path)
	}
	said := make(chan struct{})
	go func() {
		fmt.Fprintln(i.errOut, "iosrun: interrupted")
		close(said)
	}()
	select {
	case <-said:
	case <-time.After(sayTime):
	}
	i.exit(exitInterrupted)
}
