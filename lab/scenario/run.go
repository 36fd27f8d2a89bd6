package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/policy"
	"github.com/iosrun/iosrun/policy/catalog"
	"github.com/iosrun/iosrun/trace/steps"
)

// Options holds the parameters of a run besides the scenario.
type Options struct {
	Log hclog.Logger
	// Steps, if not nil, records the steps that the machine takes.
	Steps machine.StepRecorder
	// Frames, if not nil, is called with the frame of a detour before and after each
	// call.
	Frames func(*abi.Frame)
	// Identified, if not nil, is called with the number of an I/O of the scenario,
	// from 1, and its identity on the machine; a large request has several identities.
	Identified func(number int, io uint64)
}

// Result holds the results of a scenario.
type Result struct {
	// Steps counts the steps that were taken.
	Steps *steps.Counter
	// Run holds the measurements and checks, as for any run.
	Run *experiment.Result
	// Wrong lists the results that differ from the expected ones, including the checks
	// that do not hold.
	Wrong []string
	// Codes holds the completion codes of the I/Os, the one of I/O K at index K-1; 0
	// for one that has not ended.
	Codes []uint8
	// Hash is the event-log hash, Took the virtual time until no event was left.
	Hash uint64
	Took machine.Time
}

// request is an I/O of a scenario.
type request struct {
	program *access.Program
	spec    *Program
	write   bool
	offset  int64
	length  int64
	within  machine.Time
	took    machine.Time
	want    uint8
	got     uint8
	ended   bool
	waiters []int // indices of actions that wait for its end
}

// player plays a scenario on a stage.
type player struct {
	s      *Scenario
	o      Options
	ctx    context.Context
	stage  *experiment.Stage
	excp   *access.Excp
	ios    []request
	first  []int // by action: index of its first I/O
	tokens map[int64]int
	swaps  map[int]*catalog.Prepared
	behind []int // by action: number of I/Os that it waits for
	wrong  []string
	err    error
}

// The kinds of a player's events: an action, and a repetition of one.
const (
	kindAction = machine.KindLab + 16 + iota
	kindRepeat
)

// Run plays the scenario on a machine of its own. An error means that it could not
// be played; unexpected results are in Result.Wrong.
func (s *Scenario) Run(ctx context.Context, l *catalog.Loader, o Options) (*Result, error) {
	r, err := s.run(ctx, l, o)
	if err != nil {
		return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	return r, nil
}

func (s *Scenario) run(ctx context.Context, l *catalog.Loader, o Options) (res *Result, err error) {
	pol, err := s.prepare(ctx, l, s.Policy, &s.Settings)
	if err != nil {
		return nil, err
	}
	res = &Result{Steps: &steps.Counter{}}
	p := &player{s: s, o: o, ctx: ctx, tokens: map[int64]int{}, swaps: map[int]*catalog.Prepared{}}
	for i := range s.Play {
		if name := s.Play[i].Policy; name != "" {
			settings := &s.Settings
			if own := s.Play[i].Settings; own != nil {
				settings = own
			}
			if p.swaps[i], err = s.prepare(ctx, l, name, settings); err != nil {
				return nil, err
			}
		}
	}
	p.stage, err = experiment.NewPlan(s.stage, pol).Stage(ctx, 0, experiment.Options{
		Log: o.Log, Observe: true, Frames: o.Frames, Steps: steps.Both(res.Steps, o.Steps), Completed: p.completed,
		Identified: func(number int64, io uint64) {
			if index, ok := p.tokens[number]; ok { // not a request of a trace
				p.identified(index, io)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := p.stage.Close(); err == nil {
			err = e
		}
	}()
	if err := p.set(); err != nil {
		return nil, err
	}
	if err := p.stage.Play(ctx); err != nil {
		return nil, err
	}
	if p.err != nil {
		return nil, p.err
	}
	return res, p.conclude(res)
}

// prepare loads a policy, with settings of the scenario.
func (s *Scenario) prepare(ctx context.Context, l *catalog.Loader, name string, settings *Settings) (*catalog.Prepared, error) {
	pol, err := policy.Load(name)
	if err != nil {
		return nil, err
	}
	override(pol.Slots.FrontEnd, settings.FrontEnd)
	override(pol.Slots.BackEnd, settings.BackEnd)
	override(pol.Slots.PostStatus, settings.PostStatus)
	return l.Prepare(ctx, pol)
}

func override(chain []policy.Detour, settings map[string]any) {
	for i := range chain {
		if len(settings) != 0 && chain[i].Settings == nil {
			chain[i].Settings = map[string]any{}
		}
		for k, v := range settings {
			chain[i].Settings[k] = v
		}
	}
}

// set builds the channel programs and schedules the actions' events.
func (p *player) set() error {
	m := p.stage.Machine()
	p.excp = p.stage.Programs()
	p.behind = make([]int, len(p.s.Play))
	for i := range p.s.Play {
		a := &p.s.Play[i]
		p.first = append(p.first, len(p.ios))
		if err := p.add(a); err != nil {
			return fmt.Errorf("action %d: %w", i+1, err)
		}
		m.Clock.At(machine.Time(a.At), p, kindAction, uint64(i))
	}
	return nil
}

// add lists the I/Os of an action.
func (p *player) add(a *Action) error {
	for _, b := range []*Block{a.Read, a.Write} {
		if b == nil {
			continue
		}
		for k := range b.times() {
			p.ios = append(p.ios, request{write: b == a.Write, offset: b.Offset + int64(k)*b.Step, length: b.Length, within: machine.Time(b.Within), want: b.Code.or()})
		}
	}
	if a.Program == nil {
		return nil
	}
	built, err := p.excp.Build(a.Program.built)
	if err != nil {
		return err
	}
	n := len(p.ios)
	built.Identified = func(io uint64) { p.identified(n, io) }
	p.ios = append(p.ios, request{program: built, spec: a.Program, want: a.Program.Code.or()})
	return nil
}

func (p *player) identified(index int, io uint64) {
	if p.o.Identified != nil {
		p.o.Identified(index+1, io)
	}
}

// Event carries out an action.
func (p *player) Event(kind machine.Kind, arg uint64) {
	if p.err != nil {
		return
	}
	if kind == kindRepeat {
		p.err = p.submit(int(arg))
		return
	}
	i := int(arg)
	if p.waits(i) {
		return
	}
	if err := p.do(i, &p.s.Play[i]); err != nil {
		p.err = fmt.Errorf("action %d: %w", i+1, err)
	}
}

// waits makes an action wait for those I/Os of its list After that have not ended,
// and reports whether there are any.
func (p *player) waits(i int) bool {
	for _, k := range p.s.Play[i].After {
		if x := &p.ios[k-1]; !x.ended {
			x.waiters = append(x.waiters, i)
			p.behind[i]++
		}
	}
	return p.behind[i] != 0
}

// ended notes the end of an I/O and carries out the actions that have waited for it.
func (p *player) ended(index int) {
	x := &p.ios[index]
	x.ended = true
	clock := &p.stage.Machine().Clock
	for _, i := range x.waiters {
		if p.behind[i]--; p.behind[i] == 0 {
			clock.At(clock.Now(), p, kindAction, uint64(i))
		}
	}
	x.waiters = nil
}

func (p *player) do(i int, a *Action) error {
	switch {
	case a.Read != nil:
		return p.repeat(i, a.Read)
	case a.Write != nil:
		return p.repeat(i, a.Write)
	case a.Program != nil:
		n := p.first[i]
		x := &p.ios[n]
		return x.program.Start(p.stage.Unit(a.Program.pair, a.Program.place), func(e *access.Program) {
			x.got = e.Code
			p.ended(n)
		})
	case a.Resume != 0:
		e := p.ios[a.Resume-1].program
		if e == nil {
			return fmt.Errorf("I/O %d is no channel program", a.Resume)
		}
		e.Resume()
		return nil
	case a.Fault != "":
		return p.stage.Happen(a.fault)
	case a.Policy != "":
		return p.stage.Install(p.ctx, p.swaps[i])
	case a.Trace != nil:
		t, err := a.Trace.open(p.s.Name)
		if err != nil {
			return err
		}
		return p.stage.PlayTrace(t)
	}
	s := a.Synchronise
	err := p.stage.Synchronise(s.Pair, s.Mirror, mirror.SyncOptions{
		Full: s.Full, Threshold: s.Threshold, MaxRounds: s.Rounds, TracksPerSecond: s.TracksPerSecond,
		Done: func(err error) {
			if err != nil && !p.s.Expect.AnyState {
				p.wrong = append(p.wrong, fmt.Sprintf("synchronisation of pair %d, mirror %d: %v", s.Pair, s.Mirror, err))
			}
		},
	})
	if errors.Is(err, mirror.ErrBusy) && p.s.Expect.AnyState {
		return nil
	}
	return err
}

// repeat makes the first request of an action, and schedules the others.
func (p *player) repeat(i int, b *Block) error {
	clock := &p.stage.Machine().Clock
	for k := 1; k < b.times(); k++ {
		clock.At(clock.Now()+machine.Time(k)*machine.Time(b.Every), p, kindRepeat, uint64(p.first[i]+k))
	}
	return p.submit(p.first[i])
}

func (p *player) submit(index int) error {
	x := &p.ios[index]
	token, err := p.stage.Submit(x.write, x.offset, x.length)
	p.tokens[token] = index
	return err
}

// completed is called by the block access method at the end of a request.
func (p *player) completed(number int64, _ bool, code uint8, took machine.Time) {
	if index, ok := p.tokens[number]; ok {
		p.ios[index].got, p.ios[index].took = code, took
		p.ended(index)
	} else if code != arch.CompletionNormal && !p.s.Expect.AnyCode {
		p.wrong = append(p.wrong, fmt.Sprintf("request %d, of a trace, ended with code %02X: want %02X", number+1, code, arch.CompletionNormal))
	}
}

// conclude compares the results with the expected ones.
func (p *player) conclude(res *Result) error {
	res.Wrong = p.wrong
	for i := range p.ios {
		x := &p.ios[i]
		res.Codes = append(res.Codes, x.got)
		if x.got != x.want && !p.s.Expect.AnyCode {
			res.Wrong = append(res.Wrong, fmt.Sprintf("I/O %d ended with code %02X%s: want %02X", i+1, x.got, x.status(), x.want))
		}
		if x.within != 0 && x.took > x.within {
			res.Wrong = append(res.Wrong, fmt.Sprintf("I/O %d took %v: want %v at most", i+1, x.took, x.within))
		}
		if x.spec != nil {
			res.Wrong = append(res.Wrong, x.storage(i+1)...)
		}
	}
	var err error
	if res.Run, err = p.stage.Result(); err != nil {
		return err
	}
	for _, c := range res.Run.Report.Checks {
		switch fails := slices.Contains(p.s.Expect.Fails, c.Name); {
		case !c.Failed() && fails:
			res.Wrong = append(res.Wrong, c.Name+": has not failed: want that it does")
		case c.Failed() && !fails:
			res.Wrong = append(res.Wrong, c.Name+": "+c.Detail)
		}
	}
	wrong, err := p.s.Expect.verify(p.stage, res.Steps)
	res.Wrong = append(res.Wrong, wrong...)
	clock := &p.stage.Machine().Clock
	res.Hash, res.Took = clock.Hash(), clock.Now()
	return err
}

// status describes the last status of a channel program.
func (x *request) status() string {
	if x.program == nil {
		return ""
	}
	w := &x.program.IRB.SCSW
	return fmt.Sprintf(" (unit status %02X, channel status %02X, residual count %d, sense % X)", uint8(w.Unit), uint8(w.Channel), w.Residual, x.program.IRB.ECW[:8])
}

// storage compares the data areas with their expected content at the end.
func (x *request) storage(number int) (wrong []string) {
	for i := range x.spec.CCWs {
		want := []byte(x.spec.CCWs[i].Gives)
		if got := x.program.Data(i); len(want) != 0 && !bytes.Equal(got[:len(want)], want) {
			wrong = append(wrong, fmt.Sprintf("I/O %d: data area of CCW %d holds % X: want % X", number, i+1, got[:min(len(want), 16)], want[:min(len(want), 16)]))
		}
	}
	return wrong
}
