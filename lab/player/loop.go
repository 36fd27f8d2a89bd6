package player

import (
	"context"
	"sync/atomic"

	"github.com/iosrun/iosrun/emulator/machine"
)

// progressEvery is the number of events between two reports of the progress.
const progressEvery = 1 << 14

// Hooks are called on the goroutine of the loop. Each may be nil.
type Hooks struct {
	// Progress is called now and then with the share of the work, 0 to 1, that has
	// been done, and a text about the mirrors that are being synchronised, which is
	// empty when there are none.
	Progress func(share float64, copying string)
	// Stopped is called when the loop has noticed the end of its context, before it
	// returns.
	Stopped func()
}

// Loop lets the events of a machine happen.
type Loop struct {
	Hooks
	// Look, if not nil, is called after each event.
	Look func()

	clock *machine.Clock
	far   func() (share float64, copying string)
	err   error
}

// NewLoop makes a loop on a machine's clock. far returns the arguments of
// Hooks.Progress.
func NewLoop(m *machine.Machine, h Hooks, far func() (share float64, copying string)) *Loop {
	return &Loop{Hooks: h, clock: &m.Clock, far: far}
}

// Fail ends the loop with an error after the present event. The first error is kept.
func (l *Loop) Fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// Err returns the error that the loop has ended with, or nil. The end of its context
// is not an error here.
func (l *Loop) Err() error { return l.err }

// Run lets events happen until there are none, the loop fails, or the context
// ends.
func (l *Loop) Run(ctx context.Context) error {
	var stop atomic.Bool // checking it costs nothing; checking a context would
	defer context.AfterFunc(ctx, func() { stop.Store(true) })()
	for n := 0; ; n++ {
		if n%progressEvery == 0 && l.Progress != nil {
			l.Progress(l.far())
		}
		if stop.Load() || n == 0 && ctx.Err() != nil {
			if l.Stopped != nil {
				l.Stopped()
			}
			return ctx.Err()
		}
		if !l.clock.Step() || l.err != nil {
			break
		}
		if l.Look != nil {
			l.Look()
		}
	}
	if l.Progress != nil {
		l.Progress(1, "")
	}
	return l.err
}
