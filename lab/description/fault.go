package description

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/names/suggest"
	"github.com/iosrun/iosrun/trace"
)

// Fault is an event at a virtual time: a failure of a volume or its link, or a
// repair.
type Fault struct {
	// At is the time of the fault on the workload's clock.
	At machine.Time
	// Pair numbers the pair from 1.
	Pair int
	// Mirror numbers the pair's mirror from 1; 0 is the primary.
	Mirror int
	Action Action
	// Text is the text of the setting, for messages.
	Text string
}

// Action is the kind of a fault or of a repair.
type Action uint8

// The actions.
const (
	// LinkDown cuts the volume's link, LinkUp mends it.
	LinkDown Action = iota
	LinkUp
	// Fail makes the device answer with an equipment check, Gone with not operational,
	// and NotResponding not at all.
	Fail
	Gone
	NotResponding
	// Restore makes the device work again.
	Restore
	// Resynchronise makes a mirror identical to its primary again.
	Resynchronise
	Actions // number of actions
)

// actionNames holds the names of the actions in settings and messages.
var actionNames = [Actions]string{
	LinkDown: "link-down", LinkUp: "link-up", Fail: "fail", Gone: "gone", NotResponding: "not-responding", Restore: "restore", Resynchronise: "synchronise",
}

// String returns the action's name.
func (a Action) String() string {
	if a < Actions {
		return actionNames[a]
	}
	return fmt.Sprintf("action %d", uint8(a))
}

// ParseFault reads "TIME=PLACE:ACTION", such as "30s=mirror1:link-down". A place of
// another pair than the first begins with the number of the pair, as in
// "pair2.mirror1".
func ParseFault(text string) (Fault, error) {
	wrong := fmt.Errorf("fault %q: want TIME=PLACE:ACTION, such as 30s=mirror1:link-down; places are primary and mirror1 to mirror8, of another pair than the first pair2.primary and so on, actions %s", text, strings.Join(actionNames[:], ", "))
	at, what, ok := strings.Cut(text, "=")
	place, name, ok2 := strings.Cut(what, ":")
	action := slices.Index(actionNames[:], name)
	t, err := time.ParseDuration(at)
	switch {
	case !ok || !ok2 || err != nil || t < 0:
		return Fault{}, wrong
	case action < 0:
		return Fault{}, fmt.Errorf("%w%s", wrong, suggest.DidYouMean(name, actionNames[:]))
	case t > trace.MaxSpan.Duration():
		return Fault{}, fmt.Errorf("fault %q: its time is above %v", text, trace.MaxSpan.Duration())
	}
	f := Fault{At: machine.Time(t), Pair: 1, Action: Action(action), Text: text}
	if of, rest, ok := strings.Cut(place, "."); ok {
		if f.Pair, ok = number(of, "pair"); !ok {
			return Fault{}, wrong
		}
		place = rest
	}
	if place == "primary" {
		if f.Action == Resynchronise {
			return Fault{}, fmt.Errorf("fault %q: a mirror is synchronised, not the primary", text)
		}
		return f, nil
	}
	if f.Mirror, ok = number(place, "mirror"); !ok {
		return Fault{}, wrong
	}
	return f, nil
}

// number reads a name and a number from 1, such as mirror2.
func number(text, name string) (int, bool) {
	digits, ok := strings.CutPrefix(text, name)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 1
}
