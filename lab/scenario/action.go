package scenario

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/trace"
)

// Action is one step of a scenario at a virtual time: exactly one of its fields
// besides At, After and Settings is set. The I/Os of a scenario are numbered from 1
// in the order in which its actions ask for them.
type Action struct {
	At Duration `yaml:"at"`
	// After lists the numbers of I/Os of earlier actions; the action waits until they
	// have ended.
	After []int `yaml:"after,omitempty"`
	// Read and Write are requests to the block access method.
	Read  *Block `yaml:"read,omitempty"`
	Write *Block `yaml:"write,omitempty"`
	// Program is a channel program that is run as it is.
	Program *Program `yaml:"program,omitempty"`
	// Resume is the number of the I/O whose channel program goes on after it has
	// suspended itself.
	Resume int `yaml:"resume,omitempty"`
	// Fault is PLACE:ACTION, as in an experiment.
	Fault string `yaml:"fault,omitempty"`
	// Policy replaces the policy in force. Settings override those of its detours; by
	// default they are the scenario's.
	Policy   string    `yaml:"policy,omitempty"`
	Settings *Settings `yaml:"settings,omitempty"`
	// Synchronise makes a mirror identical to its primary.
	Synchronise *Synchronise `yaml:"synchronise,omitempty"`
	// Trace is played from then on, at its own times.
	Trace *Trace `yaml:"trace,omitempty"`

	fault description.Fault
}

// Block is a request for bytes of the volume, or several of them.
type Block struct {
	Offset int64 `yaml:"offset"`
	Length int64 `yaml:"length"`
	// Times is the number of requests, Every the time between two of them, and Step
	// the number of bytes by which the offset of the next one is higher.
	Times int      `yaml:"times,omitempty"`
	Every Duration `yaml:"every,omitempty"`
	Step  int64    `yaml:"step,omitempty"`
	// Code is the completion code with which each must end, by default 7F (normal
	// end).
	Code Code `yaml:"code,omitempty"`
	// Within is the time within which each must end; without it the time is not
	// checked.
	Within Duration `yaml:"within,omitempty"`
}

func (b *Block) times() int { return max(1, b.Times) }

// Synchronise holds the options for making a mirror identical to its primary. (FIG.
// 2 of the method.)
type Synchronise struct {
	// Pair is the number of the pair, by default 1.
	Pair   int `yaml:"pair,omitempty"`
	Mirror int `yaml:"mirror"`
	// Full copies every track, not only those that are marked.
	Full bool `yaml:"full,omitempty"`
	// Threshold, Rounds and TracksPerSecond are as in mirror.SyncOptions.
	Threshold       int `yaml:"threshold,omitempty"`
	Rounds          int `yaml:"rounds,omitempty"`
	TracksPerSecond int `yaml:"tracks-per-second,omitempty"`
}

// Trace is a short trace. Its requests are not among the I/Os that are numbered;
// each must end well.
type Trace struct {
	// Rows is the content of a trace's file, in any of the layouts.
	Rows string `yaml:"rows"`
	// SkipBad is the number of bad rows that are tolerated.
	SkipBad int64 `yaml:"skip-bad,omitempty"`
}

func (t *Trace) open(name string) (*trace.Trace, error) {
	return trace.New(name, strings.NewReader(t.Rows), trace.Options{SkipBad: t.SkipBad})
}

// Duration is a time as text, such as "30ms".
type Duration time.Duration

// UnmarshalYAML reads a duration.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	t, err := time.ParseDuration(n.Value)
	if err != nil && n.Value != "0" || t < 0 {
		return fmt.Errorf("line %d: time %q: want a duration such as 30ms", n.Line, n.Value)
	}
	*d = Duration(t)
	return nil
}

// Code is a byte as two hexadecimal digits.
type Code uint8

// UnmarshalYAML reads a byte.
func (c *Code) UnmarshalYAML(n *yaml.Node) error {
	v, err := strconv.ParseUint(n.Value, 16, 8)
	if err != nil {
		return fmt.Errorf("line %d: %q: want two hexadecimal digits", n.Line, n.Value)
	}
	*c = Code(v)
	return nil
}

// or returns the code, or the one of a normal end when it is 0.
func (c Code) or() uint8 {
	if c == 0 {
		return arch.CompletionNormal
	}
	return uint8(c)
}

func (a *Action) ios() int {
	switch {
	case a.Read != nil:
		return a.Read.times()
	case a.Write != nil:
		return a.Write.times()
	case a.Program != nil:
		return 1
	}
	return 0
}

// check returns the number of I/Os that the action asks for; before is the number of
// earlier ones. The error says which field is invalid.
func (a *Action) check(m *description.Machine, before int) (int, error) {
	set := 0
	for _, is := range []bool{a.Read != nil, a.Write != nil, a.Program != nil, a.Resume != 0, a.Fault != "", a.Policy != "", a.Synchronise != nil, a.Trace != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return 0, fmt.Errorf("%d things to do: want one of read, write, program, resume, fault, policy, synchronise, trace", set)
	}
	if a.Settings != nil && a.Policy == "" {
		return 0, errors.New("settings without a policy")
	}
	for _, b := range []*Block{a.Read, a.Write} {
		if b != nil && (b.Length <= 0 || b.Offset < 0 || b.Times < 0 || b.Times > MaxIOs) {
			return 0, fmt.Errorf("request for %d bytes at %d, %d times: want bytes of the volume, up to %d times", b.Length, b.Offset, b.Times, MaxIOs)
		}
	}
	if a.Program != nil {
		if err := a.Program.check(m); err != nil {
			return 0, err
		}
	}
	if a.Resume < 0 || a.Resume > before {
		return 0, fmt.Errorf("resume of I/O %d: there are %d before it", a.Resume, before)
	}
	for _, k := range a.After {
		if k < 1 || k > before {
			return 0, fmt.Errorf("after I/O %d: there are %d before it", k, before)
		}
	}
	if a.Fault != "" {
		f, err := description.ParseFault("0s=" + a.Fault)
		if err != nil {
			return 0, err
		}
		if err := m.Has(f.Pair, f.Mirror); err != nil {
			return 0, fmt.Errorf("fault %q: %w", a.Fault, err)
		}
		a.fault = f
	}
	if a.Trace != nil {
		t, err := a.Trace.open("rows")
		if err != nil {
			return 0, err
		}
		if err := t.Close(); err != nil {
			return 0, err
		}
	}
	if s := a.Synchronise; s != nil {
		if s.Pair = max(s.Pair, 1); s.Mirror < 1 {
			return 0, fmt.Errorf("synchronise mirror %d: want 1 or more", s.Mirror)
		}
		if err := m.Has(s.Pair, s.Mirror); err != nil {
			return 0, fmt.Errorf("synchronise mirror %d of pair %d: %w", s.Mirror, s.Pair, err)
		}
	}
	return a.ios(), nil
}

// place reads "primary" or "mirrorN", with or without "pairN." in front: the number
// of the pair, and 0 or the number of the mirror.
func place(text string, pairs, mirrors int) (pair, number int, err error) {
	wrong := fmt.Errorf("place %q: want primary, or mirror1 to mirror%d, with pair1. to pair%d. in front where it is not of the first pair", text, mirrors, pairs)
	pair, on := 1, text
	if of, rest, ok := strings.Cut(text, "."); ok {
		if pair, ok = numbered(of, "pair", pairs); !ok {
			return 0, 0, wrong
		}
		on = rest
	}
	if on == "primary" {
		return pair, 0, nil
	}
	number, ok := numbered(on, "mirror", mirrors)
	if !ok {
		return 0, 0, wrong
	}
	return pair, number, nil
}

// numbered reads a name followed by a number from 1 to most.
func numbered(text, name string, most int) (int, bool) {
	digits, ok := strings.CutPrefix(text, name)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 1 && n <= most
}
