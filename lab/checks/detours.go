package checks

import (
	"fmt"
	"strings"
	"time"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/rig"
)

// SlotNames holds the names of the slots in reports.
var SlotNames = [hooks.Slots]string{"frontend", "backend", "poststatus"}

// eachDetour calls f for every detour that has stood on a slot.
func eachDetour(installed []rig.Installation, f func(policy, slot string, a *hooks.Attachment)) {
	for i := range installed {
		for s, sequence := range installed[i].Sequences {
			for _, a := range sequence {
				f(installed[i].Policy, SlotNames[s], a)
			}
		}
	}
}

// countDetours returns the number of detours that have stood on a slot.
func countDetours(installed []rig.Installation) int {
	n := 0
	eachDetour(installed, func(string, string, *hooks.Attachment) { n++ })
	return n
}

// DetourFaults lists the detours that had refused intents or failed calls.
func DetourFaults(installed []rig.Installation) (all []report.DetourFault) {
	eachDetour(installed, func(policy, slot string, a *hooks.Attachment) {
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
			at := float64(a.PassedOver.At) / float64(machine.Second)
			d.PassedOver = &report.PassedOver{AtS: at, Failures: int64(a.PassedOver.Failures), Kept: int64(a.PassedOver.Overstays)}
		}
		all = append(all, d)
	})
	return all
}

// inCharge checks that no detour was passed over.
func inCharge(s *Seen, c *report.Check) {
	if s.DetourCount == 0 {
		nothing(c, "the policy has no detours")
		return
	}
	var bad []string
	for _, d := range s.Detours {
		if p := d.PassedOver; p != nil {
			at := time.Duration(p.AtS * float64(time.Second)).Round(time.Microsecond)
			text := fmt.Sprintf("%s %s of %s was passed over from %v on, after %s", report.HookName(d.Slot), d.Name, d.Policy, at, p.Reason())
			if d.FirstError != "" {
				text += "; the first: " + d.FirstError
			}
			bad = append(bad, text)
		}
	}
	conclude(c, bad, fmt.Sprintf("%d detours, none passed over", s.DetourCount))
}

// withoutFault is the strict check: every intent was carried out, every call gave a
// valid response, and the host overruled no detour.
func withoutFault(s *Seen, c *report.Check) {
	if s.DetourCount == 0 {
		nothing(c, "the policy has no detours")
		return
	}
	var bad []string
	for _, d := range s.Detours {
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
	conclude(c, bad, fmt.Sprintf("%d detours, every intent carried out and every call answered", s.DetourCount))
}

// conclude fills in a check from a list of faults; good is its detail when the list
// is empty.
func conclude(c *report.Check, bad []string, good string) {
	c.OK, c.Detail = bad == nil, good
	if !c.OK {
		c.Detail = strings.Join(bad, "; ")
	}
}
