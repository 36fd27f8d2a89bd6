package scenario

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/trace/steps"
)

// Expect lists the expected results of a scenario.
type Expect struct {
	// Steps must be taken, each by the component that the table of steps names;
	// Never must not be taken.
	Steps []string `yaml:"steps,omitempty"`
	Never []string `yaml:"never,omitempty"`
	// Mirrors lists the expected state of each mirror at the end, those of the first
	// pair first; mirrors beyond the list must be in sync and identical.
	Mirrors []Mirror `yaml:"mirrors,omitempty"`
	// Fails names the checks of a run that must fail.
	Fails []string `yaml:"fails,omitempty"`
	// Promoted is the number of mirrors that become the primary.
	Promoted int `yaml:"promoted,omitempty"`
	// Lost is the number of acknowledged writes that are lost.
	Lost int64 `yaml:"lost,omitempty"`
	// Modes is the number of times that pairs change their mode, between synchronous
	// and constant copy, and Held the number of times that a completion is held back
	// for a mirror (312). Without them they are not checked.
	Modes *int `yaml:"modes,omitempty"`
	Held  *int `yaml:"held,omitempty"`
	// AnyCode allows I/Os to end in any way. AnyState allows mirrors to be in any state,
	// at the end and when they are to be synchronised, synchronisations to fail, and
	// mirrors to be promoted. The end-of-run checks are still made.
	AnyCode  bool `yaml:"any-code,omitempty"`
	AnyState bool `yaml:"any-state,omitempty"`
}

// Mirror is the expected state of a mirror.
type Mirror struct {
	// State is "in sync", "synchronising", "dissociated" or "failed".
	State string `yaml:"state"`
	// Marked is the number of tracks that are marked out of sync; -1 stands for any
	// number above 0.
	Marked int `yaml:"marked,omitempty"`
}

var states = map[string]abi.MirrorState{
	"in sync": abi.MirrorInSync, "synchronising": abi.MirrorSynchronising,
	"dissociated": abi.MirrorSuspended, "failed": abi.MirrorFailed,
}

func (e *Expect) check(mirrors int) error {
	if len(e.Mirrors) > mirrors {
		return fmt.Errorf("%d mirrors: there are %d", len(e.Mirrors), mirrors)
	}
	for _, m := range e.Mirrors {
		if _, ok := states[m.State]; !ok {
			return fmt.Errorf("mirror state %q: want in sync, synchronising, dissociated or failed", m.State)
		}
	}
	rows, err := byName()
	if err != nil {
		return err
	}
	for _, list := range [][]string{e.Steps, e.Never} {
		for _, name := range list {
			if _, ok := rows[name]; !ok {
				return fmt.Errorf("step %q: the table of steps has no such row", name)
			}
		}
	}
	return nil
}

func byName() (map[string]steps.Row, error) {
	rows, err := steps.Table()
	if err != nil {
		return nil, err
	}
	m := make(map[string]steps.Row, len(rows))
	for _, r := range rows {
		m[r.Name] = r
	}
	return m, nil
}

// verify lists the results that differ from the expected ones.
func (e *Expect) verify(stage *experiment.Stage, c *steps.Counter) ([]string, error) {
	rows, err := byName()
	if err != nil {
		return nil, err
	}
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, name := range e.Steps {
		if r := rows[name]; c.Count(r) == 0 {
			say("step %s was not taken by %s: %s", name, r.Actor, r.What)
		}
	}
	for _, name := range e.Never {
		if r := rows[name]; c.Count(r) != 0 {
			say("step %s was taken: %s", name, r.What)
		}
	}
	var mirrors []*intercept.Mirror
	for _, p := range stage.Intercept().Pairs() {
		mirrors = append(mirrors, p.Mirrors()...)
	}
	if e.AnyState {
		return append(wrong, e.often(stage, c.Count(rows["312"]))...), nil
	}
	for i, m := range mirrors {
		want := Mirror{State: "in sync"}
		if i < len(e.Mirrors) {
			want = e.Mirrors[i]
		}
		if m.State != states[want.State] {
			say("mirror %d is %s: want %s", i+1, experiment.MirrorState(m), want.State)
		}
		if n := m.OutOfSync(); n != want.Marked && (want.Marked >= 0 || n == 0) {
			say("mirror %d has %d tracks marked: want %d", i+1, n, want.Marked)
		}
		if want.Marked == 0 {
			n, err := stage.Differ(int(m.Pair().ID), m.Index()+1)
			if err != nil {
				return nil, err
			}
			if n != 0 {
				say("mirror %d differs on %d tracks: want none", i+1, n)
			}
		}
	}
	if n := int(stage.Intercept().Counts().Promoted); n != e.Promoted {
		say("%d mirrors were promoted: want %d", n, e.Promoted)
	}
	if n := stage.LostWrites(); n != e.Lost {
		say("%d acknowledged writes were lost: want %d", n, e.Lost)
	}
	return append(wrong, e.often(stage, c.Count(rows["312"]))...), nil
}

// often lists the events that did not happen as often as expected; held is the
// number of times that a completion was held back.
func (e *Expect) often(stage *experiment.Stage, held uint64) (wrong []string) {
	if n := int(stage.Intercept().Counts().Modes); e.Modes != nil && n != *e.Modes {
		wrong = append(wrong, fmt.Sprintf("pairs changed their mode %d times: want %d", n, *e.Modes))
	}
	if e.Held != nil && int(held) != *e.Held {
		wrong = append(wrong, fmt.Sprintf("completions were held back %d times: want %d", held, *e.Held))
	}
	return wrong
}
