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

// exitInterrupted is the exit code after SIGINT, SIGTERM or SIGHUP: the one that a
// shell gives for a program that SIGINT has ended.
const exitInterrupted = 130

// grace is the time that a command has to react to a first signal. A command that
// waits for data from a pipe, compiles a module or is in a call of one cannot react;
// after this time the program ends without waiting for it.
const grace = time.Second

// sayTime is the longest time for writing the last message, in case standard error
// is a pipe that nobody reads.
const sayTime = 100 * time.Millisecond

// interruption handles signals while a command runs. The first one cancels the
// command's context. The second one ends the program at once, by the Go run-time's
// own handler, which needs no goroutine.
type interruption struct {
	errOut io.Writer
	exit   func(int)

	mu        sync.Mutex
	signalled bool
	heeded    bool // the command reacts to the signal and ends by itself
	overdue   bool // the program must end as soon as no protected function runs
	protected int
	timer     *time.Timer
	temporary map[string]bool // files to remove if the program ends now
}

// interruptionKey is the key of the interruption in a command's context.
type interruptionKey struct{}

// catchSignals returns a context that the first signal cancels. SIGHUP stays ignored
// when the program was started so, for instance by nohup.
//
// Code of modules cannot be preempted: a goroutine that is in a call of a module
// keeps its processor (P). So the program uses one processor more than runs, which
// then notices a signal. During a garbage collection every goroutine is stopped
// until the call has ended; the limit on a call limits that time, too.
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

// interruptionOf returns the interruption of a command, or one without effect when
// catchSignals was not called.
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

// heed notes that the command has noticed a signal and ends by itself, or would do
// so: the grace time no longer applies.
func (i *interruption) heed() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.heeded = true
	if i.timer != nil {
		i.timer.Stop()
	}
}

// conclude notes that the command only has to show its results, for which it has the
// grace time after a signal.
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

// protect runs a function that must not be ended halfway, such as the writing of a
// file: the end of the grace time waits for it.
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

// temp notes a temporary file, which is removed if a signal ends the program.
func (i *interruption) temp(path string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.temporary[path] = true
}

// keep notes that the file is complete and must not be removed.
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
