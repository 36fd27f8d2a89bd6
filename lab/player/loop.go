package player

import (
	"context"
	"sync/atomic"

	"github.com/iosrun/iosrun/emulator/machine"
)

// progressEvery is how many events happen between tellings of the progress.
const progressEvery = 1 << 14

// Hooks are called on the goroutine of the loop. Each may be nil.
type Hooks struct {
	// Progress is told now and then what share of the work, 0 to 1, has been done, and
	// in words what mirrors are being synchronised meanwhile; no words for none.
	Progress func(share float64, copying string)
	// Stopped is told that the loop has heard of the end of its context, before it
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

// NewLoop makes a loop on a machine's clock. far tells how far the work is, as
// Hooks.Progress has it.
func NewLoop(m *machine.Machine, h Hooks, far func() (share float64, copying string)) *Loop {
	return &Loop{Hooks: h, clock: &m.Clock, far: far}
}

// Fail ends the loop with an error, once the event that is happening is over. The
// first error stays.
func (l *Loop) Fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// Err is the error that the loop has ended with, nil before. That its context has
// ended is none.
func (l *Loop) Err() error { return l.err }

// Run lets events happen until there are none, the loop fails, or the context
// ends.
func (l *Loop) Run(ctx context.Context) error {
	var stop atomic.Bool // to look at it costs nothing, at a context it would
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
