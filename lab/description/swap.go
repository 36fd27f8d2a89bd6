package description

import (
	"fmt"
	"strings"
	"time"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/trace"
)

// Swap is a change of policy while I/O runs.
type Swap struct {
	// At is the time of the swap on the workload's clock.
	At machine.Time
	// Policy is the name or the file of the policy.
	Policy string
	// Text is the text of the setting, for messages.
	Text string
}

// ParseSwap reads "TIME=POLICY", such as "30s=constant-copy".
func ParseSwap(text string) (Swap, error) {
	at, policy, ok := strings.Cut(text, "=")
	t, err := time.ParseDuration(at)
	switch {
	case !ok || err != nil || t < 0 || policy == "":
		return Swap{}, fmt.Errorf("swap %q: want TIME=POLICY, such as 30s=constant-copy", text)
	case t > trace.MaxSpan.Duration():
		return Swap{}, fmt.Errorf("swap %q: its time is above %v", text, trace.MaxSpan.Duration())
	}
	return Swap{machine.Time(t), policy, text}, nil
}
