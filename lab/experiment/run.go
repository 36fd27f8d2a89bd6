package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/lab/catalog"
	"github.com/iosrun/iosrun/lab/observer"
	"github.com/iosrun/iosrun/lab/readcheck"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/workload"
)

// The lab's event kinds.
const (
	kindArrival = machine.KindLab + iota
	kindSwap
	kindFault
)

// progressEvery is how many events happen between tellings of the progress.
const progressEvery = 1 << 14

// Options are what a run needs beside its description.
type Options struct {
	Log hclog.Logger
	// Progress, if not nil, is told now and then what share of the workload, 0 to
	// 1, has been read, and in words what mirrors are being synchronised meanwhile;
	// no words for none. It is called on the run's goroutine.
	Progress func(share float64, copying string)
	// Stopped, if not nil, is told that the run has heard of the end of its context,
	// before it concludes. It is called on the run's goroutine.
	Stopped func()
	// Streams is how many copies of tracks are under way at once when mirrors in
	// image files are synchronised; 0 is mirror.DefaultStreams.
	Streams int
	// NoSync leaves it to the operating system when changes to image files become
	// durable.
	NoSync bool
	// Observe has an independent observer watch the media and the channel; its checks
	// are added to those of the run. It keeps about a kilobyte for each write that a
	// mirror lacks.
	Observe bool
	// Frames, if not nil, is shown the frame of each call of a detour, as it is before
	// the call and as it is after it. It must not change it.
	Frames func(*abi.Frame)
	// Steps, if not nil, is told of the steps that the machine takes.
	Steps machine.StepRecorder
	// Completed, if not nil, is told of each request that ended: its number from
	// 0, whether it wrote, how it ended and how long it took.
	Completed func(number int64, write bool, code uint8, took machine.Time)
	// Identified, if not nil, is told under which identity an I/O of a request,
	// numbered from 0, goes its way, before it does. A large request has several.
	Identified func(number int64, io uint64)
}

// run is one policy on one machine. It is the machine's application.
type run struct {
	config  *Config
	opts    Options
	m       *machine.Machine
	ios     *ios.Supervisor
	x       *intercept.Process
	block   *access.Block
	reads   *readcheck.Checker
	watched *watched
	storage storage
	// observer is nil where nobody has asked for one.
	observer *observer.Observer

	source  workload.Source
	next    workload.Request
	hasNext bool
	trace   *workload.Trace // nil for a generator
	issued  int64
	ended   int64
	failed  failures
	played  report.Workload
	// goodBytes is what the requests that ended well have read and written.
	goodBytes int64
	// installed are the detours that have stood on the slots, in the order in which
	// their policies were installed.
	installed []installation
	// ungrouped says that a policy has been in force that does not promise a point
	// in time.
	ungrouped bool
	inflight  requests
	measured  *measured // nil where nobody wants to know

	mirror     *mirror.Process
	copies     []*copying // in the order in which they were begun
	faults     []Fault
	swaps      []preparedSwap
	swapped    []report.Swap
	late       []lateEvent
	begin      machine.Time // of the workload
	firstAt    machine.Time
	lastEnd    machine.Time
	duplicates uint64
	err        error
}

type preparedSwap struct {
	at     machine.Time
	policy *catalog.Prepared
}

// requests are those under way, by token. A token is the request's number; the
// ring grows with what is in flight.
type requests struct {
	ring []inflight
}

type inflight struct {
	number int64
	at     machine.Time
	write  bool
	bytes  int64
	used   bool
}

func (q *requests) put(f inflight) {
	for len(q.ring) == 0 || q.ring[f.number%int64(len(q.ring))].used {
		old := q.ring
		q.ring = make([]inflight, max(1024, 2*len(old)))
		for _, o := range old {
			if o.used {
				q.ring[o.number%int64(len(q.ring))] = o
			}
		}
	}
	f.used = true
	q.ring[f.number%int64(len(q.ring))] = f
}

func (q *requests) take(number int64) (inflight, bool) {
	if len(q.ring) == 0 {
		return inflight{}, false
	}
	f := &q.ring[number%int64(len(q.ring))]
	if !f.used || f.number != number {
		return inflight{}, false
	}
	f.used = false
	return *f, true
}

// play lets the workload happen until nothing is left to do.
func (r *run) play(ctx context.Context) error {
	if err := r.advance(); err != nil {
		return err
	}
	for i, s := range r.swaps {
		r.m.Clock.At(r.later(s.at), r, kindSwap, uint64(i))
	}
	for i, f := range r.faults {
		r.m.Clock.At(r.later(machine.Time(f.At)), r, kindFault, uint64(i))
	}
	r.startStanding()
	if err := r.loop(ctx); err != nil {
		return err
	}
	r.stopStanding()
	return r.loop(ctx)
}

// loop lets events happen until there are none, or the context ends.
func (r *run) loop(ctx context.Context) error {
	var stop atomic.Bool // to look at it costs nothing, at a context it would
	defer context.AfterFunc(ctx, func() { stop.Store(true) })()
	for n := 0; ; n++ {
		if n%progressEvery == 0 && r.opts.Progress != nil {
			r.opts.Progress(r.share(), r.copyingNow())
		}
		if stop.Load() || n == 0 && ctx.Err() != nil {
			if r.opts.Stopped != nil {
				r.opts.Stopped()
			}
			return ctx.Err()
		}
		if !r.m.Clock.Step() || r.err != nil {
			break
		}
		if r.observer != nil {
			r.observer.Look()
		}
	}
	if r.opts.Progress != nil {
		r.opts.Progress(1, "")
	}
	return r.err
}

// share is how much of the workload has been read.
func (r *run) share() float64 {
	w := &r.config.Workload
	switch {
	case r.issued == 0 && len(r.copies) != 0:
		return min(1, float64(r.lastCopied())/float64(r.geometry().Tracks))
	case w.Limit != 0:
		return float64(r.issued) / float64(w.Limit)
	case r.trace != nil:
		if done, total := r.trace.Progress(); total > 0 {
			return float64(done) / float64(total)
		}
	case w.Generator != nil && w.Generator.Count > 0:
		return float64(r.issued) / float64(w.Generator.Count)
	}
	return 0
}

// advance reads the next request of the workload and has it arrive in its time.
func (r *run) advance() error {
	for {
		err := r.source.Next(&r.next)
		if errors.Is(err, io.EOF) {
			r.hasNext = false
			return nil
		}
		if err != nil {
			return err
		}
		switch r.next.Op {
		case workload.Flush:
			r.played.Flushes++
			continue
		case workload.Trim:
			r.played.Trims++
			continue
		}
		r.hasNext = true
		r.next.At = r.later(r.next.At)
		r.m.Clock.At(r.next.At, r, kindArrival, uint64(r.issued))
		return nil
	}
}

// Event is an arrival, a swap or a fault. A swap or fault for which the run has
// ended does not happen.
func (r *run) Event(kind machine.Kind, arg uint64) {
	if r.err != nil {
		return
	}
	switch kind {
	case kindArrival:
		r.arrive()
	case kindSwap:
		if !r.tooLate("swap", r.config.Swaps[arg]) {
			r.err = r.swap(context.Background(), r.swaps[arg].at, r.swaps[arg].policy)
		}
	case kindFault:
		if !r.tooLate("fault", r.config.Faults[arg]) {
			r.err = r.happen(r.faults[arg])
		}
	}
}

func (r *run) arrive() {
	q := &r.next
	write := q.Op == workload.Write
	token := uint64(r.begun(write, q.Length, q.At))
	if err := r.block.Submit(token, write, q.Offset, q.Length); err != nil {
		r.err = fmt.Errorf("workload request %d: %w", token+1, err)
		return
	}
	if err := r.advance(); err != nil {
		r.err = err
	}
}

// begun counts a request that arrives at the given time, and numbers it.
func (r *run) begun(write bool, length int64, at machine.Time) int64 {
	if r.issued == 0 {
		r.firstAt = at
	}
	r.inflight.put(inflight{number: r.issued, at: at, write: write, bytes: length})
	r.played.Requests++
	if write {
		r.played.Writes++
		r.played.WriteBytes += length
	} else {
		r.played.Reads++
		r.played.ReadBytes += length
	}
	r.issued++
	return r.issued - 1
}

// Complete is told by the access method that a request has ended.
func (r *run) Complete(token uint64, code uint8, now machine.Time) {
	f, ok := r.inflight.take(int64(token))
	if !ok {
		r.duplicates++
		return
	}
	r.ended++
	r.lastEnd = max(r.lastEnd, now)
	if code == arch.CompletionNormal {
		r.goodBytes += f.bytes
	} else {
		r.failed.add(f.write, code)
	}
	if r.measured != nil {
		r.measured.record(f.number, f.write, code, now-f.at)
	}
	if r.opts.Completed != nil {
		r.opts.Completed(f.number, f.write, code, now-f.at)
	}
}
