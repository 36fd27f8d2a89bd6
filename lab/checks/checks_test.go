package checks

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/rig"
)

// TestFaultsOfDetours: the report has them by policy and slot; one that is passed
// over fails a check, the others only where the experiment is strict.
func TestFaultsOfDetours(t *testing.T) {
	good := &hooks.Attachment{Name: "good"}
	refused := &hooks.Attachment{Name: "refused", Counters: hooks.Counters{Refused: 3}}
	refused.Refusals[abi.IntentPromote][hooks.NoSuchMirror] = 2
	refused.Refusals[abi.IntentMirror][hooks.Program] = 1
	failing := &hooks.Attachment{Name: "failing", Counters: hooks.Counters{Traps: 1, Invalid: 2}, FirstFailure: errors.New("out of memory")}
	over := &hooks.Attachment{Name: "over", Counters: hooks.Counters{Invalid: 16}, FirstFailure: errors.New("unknown intent"), Disabled: true,
		PassedOver: hooks.PassedOver{At: int64(1500 * time.Millisecond), Failures: 16}}
	on := func(strict bool, front ...*hooks.Attachment) *Seen {
		installed := []rig.Installation{
			{Policy: "first", Sequences: [hooks.Slots][]*hooks.Attachment{front, {good}}}, {Policy: "later", Sequences: [hooks.Slots][]*hooks.Attachment{hooks.SRBEP: {good}}},
		}
		return &Seen{Strict: strict, Detours: DetourFaults(installed), DetourCount: countDetours(installed)}
	}
	made := func(s *Seen, hold func(*Seen, *report.Check)) (c report.Check) {
		hold(s, &c)
		return c
	}
	assert.Equal(t, []report.DetourFault{
		{Policy: "first", Slot: "frontend", Name: "refused", Refused: []report.RefusedIntents{
			{Intent: "mirror", Reason: "the channel program or the recipe does not allow it", Count: 1},
			{Intent: "promote", Reason: "the pair has no such mirror", Count: 2},
		}},
		{Policy: "first", Slot: "frontend", Name: "failing", Traps: 1, Invalid: 2, FirstError: "out of memory"},
		{Policy: "first", Slot: "frontend", Name: "over", Invalid: 16, FirstError: "unknown intent", PassedOver: &report.PassedOver{AtS: 1.5, Failures: 16}},
	}, on(false, refused, failing, over).Detours)

	for _, c := range []struct {
		front          []*hooks.Attachment
		charge, strict bool
		want           string
	}{
		{nil, true, true, ""},
		{[]*hooks.Attachment{refused}, true, false, "front-end refused of first: 2 promote intents refused: the pair has no such mirror"},
		{[]*hooks.Attachment{failing}, true, false, "1 calls ended abnormally, 2 responses did not pass the check; the first: out of memory"},
		{[]*hooks.Attachment{over}, false, false, "16 responses did not pass"},
	} {
		s := on(true, c.front...)
		assert.Equal(t, c.charge, made(s, inCharge).OK)
		k := made(s, withoutFault)
		assert.Equal(t, c.strict, k.OK)
		assert.Contains(t, k.Detail, c.want)
		names := func(s *Seen) (all []string) {
			for _, k := range s.OfWorkload() {
				all = append(all, k.Name)
			}
			return all
		}
		assert.Contains(t, names(s), "no detour at fault")
		assert.NotContains(t, names(on(false, c.front...)), "no detour at fault")
	}
	assert.Contains(t, made(on(false, over), inCharge).Detail, "over of first was passed over from 1.5s on, after 16 calls without an answer; the first: unknown intent")
}

// TestChecksOfNothingSeen: where nothing was seen, no check says that it held, but
// those that look for what must not be.
func TestChecksOfNothingSeen(t *testing.T) {
	s := &Seen{Left: Left{Quiet: true}, PointInTime: new(PointInTime)}
	names := make(map[string]bool)
	for _, k := range append(s.OfMachine(), s.OfWorkload()...) {
		assert.False(t, names[k.Name], "two checks are named %s", k.Name)
		names[k.Name] = true
		assert.False(t, k.Failed(), "%s: %s", k.Name, k.Detail)
		assert.Equal(t, k.Name != "nothing pending" && k.Name != "no request failed", k.Nothing, "%s: %s", k.Name, k.Detail)
	}
	assert.Len(t, names, len(ofMachine)+1)
}

// TestAChangeOfStateThatCannotBe fails a run, whatever else came of it.
func TestAChangeOfStateThatCannotBe(t *testing.T) {
	s := &Seen{Left: Left{Quiet: true}, Intercept: intercept.Counts{Illegal: 2}}
	var c report.Check
	nothingPending(s, &c)
	assert.False(t, c.OK)
	assert.Contains(t, c.Detail, "2 changes of state that there cannot be")
}

// TestPointInTime: what constant copy has left out of order is allowed, and said; the
// rest is not.
func TestPointInTime(t *testing.T) {
	for _, c := range []struct {
		p           PointInTime
		ok, allowed bool
	}{{PointInTime{true, true}, true, false}, {PointInTime{true, false}, true, true}, {PointInTime{false, true}, false, false}, {PointInTime{false, false}, false, false}} {
		s := &Seen{PointInTime: &c.p, Intercept: intercept.Counts{Acknowledged: 1}}
		var k report.Check
		pointInTime(s, &k)
		assert.Equal(t, [2]bool{c.ok, c.allowed}, [2]bool{k.OK, k.Allowed}, "%+v", c.p)
	}
}
