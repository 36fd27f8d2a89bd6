package experiment

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/lab/report"
)

// What a run must say of itself beside its figures: requests that failed, events
// that did not happen, detours that were not obeyed or not called any more.

// ErrNothingPlayed says that a workload had no read and no write.
var ErrNothingPlayed = errors.New("nothing was played")

// nothingPlayed is ErrNothingPlayed with what the workload had instead.
func (r *run) nothingPlayed() error {
	text := ""
	if n := r.played.Flushes + r.played.Trims; n != 0 {
		text = fmt.Sprintf("; %d flushes and %d trims are no I/O here", r.played.Flushes, r.played.Trims)
	}
	if r.trace != nil {
		f := r.trace.Findings()
		text += "; the trace has " + f.Text()
	}
	return fmt.Errorf("workload %s: %w: it has no read and no write%s", r.config.Workload.name(), ErrNothingPlayed, text)
}

// failures counts the requests that failed, by class and completion code.
type failures struct{ reads, writes [256]int64 }

func (f *failures) add(write bool, code uint8) {
	if write {
		f.writes[code]++
	} else {
		f.reads[code]++
	}
}

func (f *failures) report() report.Failed {
	var out report.Failed
	for _, c := range []struct {
		class string
		codes *[256]int64
		total *int64
	}{{"read", &f.reads, &out.Reads}, {"write", &f.writes, &out.Writes}} {
		for code, n := range c.codes {
			if n != 0 {
				*c.total += n
				out.Codes = append(out.Codes, report.FailedCode{Class: c.class, Code: fmt.Sprintf("%02X", code), Meaning: completionText(uint8(code)), Count: n})
			}
		}
	}
	return out
}

// installation is a policy's detours on the slots.
type installation struct {
	policy    string
	sequences [hooks.Slots][]*hooks.Attachment
}

// eachDetour calls f for every detour that has stood on a slot.
func (r *run) eachDetour(f func(policy, slot string, a *hooks.Attachment)) {
	for i := range r.installed {
		for s, sequence := range r.installed[i].sequences {
			for _, a := range sequence {
				f(r.installed[i].policy, abi.HookTable[s].Report, a)
			}
		}
	}
}

// detourFaults lists the detours with something that did not go as they wanted,
// or as it should.
func (r *run) detourFaults() (all []report.DetourFault) {
	r.eachDetour(func(policy, slot string, a *hooks.Attachment) {
		n := &a.Counters
		if n.Refused == 0 && n.Failures() == 0 && n.Overruled == 0 && !a.Disabled {
			return
		}
		d := report.DetourFault{Policy: policy, Slot: slot, Name: a.Name, Traps: int64(n.Traps), Invalid: int64(n.Invalid), Overruled: int64(n.Overruled)}
		if a.FirstFailure != nil {
			d.FirstError = a.FirstFailure.Error()
		}
		for kind := range a.Refusals {
			for why, count := range a.Refusals[kind] {
				if count != 0 {
					d.Refused = append(d.Refused, report.RefusedIntents{
						Intent: abi.IntentKind(kind).String(), Reason: hooks.Refusal(why).String(), Count: int64(count),
					})
				}
			}
		}
		if a.Disabled {
			d.PassedOver = &report.PassedOver{AtS: seconds(machine.Time(a.PassedOver.At)), Failures: int64(a.PassedOver.Failures), Kept: int64(a.PassedOver.Overstays)}
		}
		all = append(all, d)
	})
	return all
}

// lateEvent is a swap or a fault for which the run had ended.
type lateEvent struct{ what, text string }

// tooLate notes an event for which the run has ended: the last request has
// ended, no other is to come, and nothing that an event could happen to is under
// way with the mirrors.
func (r *run) tooLate(what, text string) bool {
	if r.hasNext || r.ended != r.issued || r.copyingNow() != "" || r.mirroring() {
		return false
	}
	r.opts.Log.Warn("event after the end of the run", "time", r.m.Clock.Now(), "end", r.lastEnd, what, text)
	r.late = append(r.late, lateEvent{what, text})
	return true
}

// mirroring says whether a mirror I/O is under way or about to be.
func (r *run) mirroring() bool {
	for i := range r.storage.pairs {
		for _, m := range r.storage.pairs[i].Mirrors() {
			if under, _ := m.Oldest(); under != nil || m.Waiting() != 0 {
				return true
			}
		}
	}
	return false
}

// until is the virtual time at which the run has ended. Events for which it was
// too late are not part of it.
func (r *run) until() machine.Time {
	if len(r.late) != 0 {
		return r.lastEnd
	}
	return r.m.Clock.Now()
}

// runChecks are the checks of a run that plays a workload, beside those of any
// machine.
func (r *run) runChecks() []report.Check {
	all := []report.Check{r.noneFailed()}
	if len(r.faults)+len(r.swaps) != 0 {
		all = append(all, r.allHappened())
	}
	if len(r.copies) != 0 {
		all = append(all, r.allSynchronised())
	}
	if r.config.Strict {
		all = append(all, r.withoutFault())
	}
	return all
}

// noneFailed: no request ended with an error, unless the experiment expects it.
func (r *run) noneFailed() report.Check {
	f := r.failed.report()
	c := report.Check{Name: "no request failed", OK: f.Total() == 0 || r.config.Expect.FailedRequests}
	if f.Total() == 0 {
		c.Detail = fmt.Sprintf("all of %d requests ended well", r.ended)
		return c
	}
	var parts []string
	for _, k := range f.Codes {
		parts = append(parts, fmt.Sprintf("%d %ss: %s", k.Count, k.Class, k.Meaning))
	}
	c.Detail = fmt.Sprintf("%d of %d requests failed (%s)", f.Total(), r.ended, strings.Join(parts, "; "))
	if c.OK {
		c.Allowed = true
		c.Detail += ", as the experiment expects"
	} else {
		c.Detail += "; expect.failed-requests or --expect-failures allows it"
	}
	return c
}

// allHappened: every fault and swap happened while there was something for it to
// happen to.
func (r *run) allHappened() report.Check {
	c := report.Check{Name: "all events happened", OK: len(r.late) == 0}
	c.Detail = fmt.Sprintf("%d faults and %d swaps", len(r.faults), len(r.swaps))
	if c.OK {
		return c
	}
	var names []string
	for _, e := range r.late {
		names = append(names, e.what+" "+e.text)
	}
	end := (r.lastEnd - r.begin).Duration().Round(time.Microsecond)
	c.Detail = fmt.Sprintf("the last request ended at %v, before %s", end, strings.Join(names, ", "))
	return c
}

// allSynchronised: every synchronisation that was asked for ended well.
func (r *run) allSynchronised() report.Check {
	c := report.Check{Name: "synchronised"}
	var bad []string
	for _, k := range r.copies {
		switch {
		case k.err != nil:
			bad = append(bad, fmt.Sprintf("%s from %v: %v", k.name, (k.begun-r.begin).Duration(), k.err))
		case !k.progress().Ended:
			bad = append(bad, fmt.Sprintf("%s from %v: has not ended", k.name, (k.begun-r.begin).Duration()))
		}
	}
	c.OK = len(bad) == 0 || r.config.Expect.FailedSynchronisations
	switch {
	case len(bad) == 0:
		c.Detail = fmt.Sprintf("%d synchronisations ended well", len(r.copies))
	case c.OK:
		c.Detail = strings.Join(bad, "; ") + ", as the experiment expects"
	default:
		c.Detail = strings.Join(bad, "; ") + "; expect.failed-synchronisations allows it"
	}
	return c
}

// countDetours is how many detours the run installed.
func (r *run) countDetours() int {
	n := 0
	r.eachDetour(func(string, string, *hooks.Attachment) { n++ })
	return n
}

// inCharge: no detour was passed over.
func (r *run) inCharge() report.Check {
	const name = "detours in charge"
	detours := r.countDetours()
	if detours == 0 {
		return report.NothingToCheck(name, "the policy has no detours")
	}
	var bad []string
	for _, d := range r.detourFaults() {
		if p := d.PassedOver; p != nil {
			at := time.Duration(p.AtS * float64(time.Second)).Round(time.Microsecond)
			text := fmt.Sprintf("%s %s of %s was passed over from %v on, after %s", report.HookName(d.Slot), d.Name, d.Policy, at, p.Reason())
			if d.FirstError != "" {
				text += "; the first: " + d.FirstError
			}
			bad = append(bad, text)
		}
	}
	c := report.Check{Name: name, OK: bad == nil, Detail: strings.Join(bad, "; ")}
	if c.OK {
		c.Detail = fmt.Sprintf("%d detours, none passed over", detours)
	}
	return c
}

// withoutFault is the strict check: every intent was carried out and every call
// gave an answer.
func (r *run) withoutFault() report.Check {
	const name = "no detour at fault"
	detours := r.countDetours()
	if detours == 0 {
		return report.NothingToCheck(name, "the policy has no detours")
	}
	var bad []string
	for _, d := range r.detourFaults() {
		who := fmt.Sprintf("%s %s of %s", report.HookName(d.Slot), d.Name, d.Policy)
		for _, k := range d.Refused {
			bad = append(bad, fmt.Sprintf("%s: %d %s intents refused: %s", who, k.Count, k.Intent, k.Reason))
		}
		if d.Traps+d.Invalid != 0 {
			bad = append(bad, fmt.Sprintf("%s: %d calls ended abnormally, %d responses did not pass the check; the first: %s", who, d.Traps, d.Invalid, d.FirstError))
		}
		if d.Overruled != 0 {
			bad = append(bad, fmt.Sprintf("%s: %d times the host went on with an I/O that it would have kept", who, d.Overruled))
		}
	}
	c := report.Check{Name: name, OK: bad == nil, Detail: strings.Join(bad, "; ")}
	if c.OK {
		c.Detail = fmt.Sprintf("%d detours, every intent carried out and every call answered", detours)
	}
	return c
}
