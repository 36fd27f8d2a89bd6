package world

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/lab/catalog"
)

// shipped loads the shipped modules, or err says why there are none.
var shipped struct {
	loader *catalog.Loader
	err    error
}

func TestMain(m *testing.M) {
	ctx := context.Background()
	rt, err := host.NewRuntime(ctx, host.RuntimeConfig{})
	if shipped.err = err; err == nil {
		shipped.loader = &catalog.Loader{Runtime: rt}
	}
	os.Exit(m.Run())
}

func TestTry(t *testing.T) {
	first, last := uint64(0), uint64(23)
	if text := os.Getenv("IOSRUN_SEEDS"); text != "" {
		fmt.Sscanf(text, "%d-%d", &first, &last)
	}
	has := make(Counts)
	for seed := first; seed <= last; seed++ {
		w := New(seed, DefaultLimits())
		begun := time.Now()
		r, err := Run(t.Context(), shipped.loader, w)
		if err != nil {
			t.Errorf("%d: %v", seed, err)
			continue
		}
		has.AddAll(r.Has)
		if len(r.Wrong) != 0 {
			t.Errorf("%d %s %s %.2fs: %s", seed, w.Scenario.Summary, w.Scenario.Policy, time.Since(begun).Seconds(), r.Wrong)
			for _, x := range r.Wrong {
				var k int
				if n, _ := fmt.Sscanf(x, "I/O %d ended", &k); n == 1 {
					t.Log(k, w.Classes[k-1])
				}
			}
		}
		if only := os.Getenv("SHRINK"); only != "" && len(r.Wrong) != 0 {
			var n int
			w, n, _ = Shrink(t.Context(), shipped.loader, w, func(r *Result) bool {
				for _, x := range r.Wrong {
					if strings.HasPrefix(x, only) {
						return true
					}
				}
				return false
			})
			r, err = Run(t.Context(), shipped.loader, w)
			t.Log(n, err, r.Wrong, w.Classes)
		}
		if os.Getenv("SHOW") != "" {
			text, _ := w.Text()
			t.Logf("%s", text)
			_ = os.WriteFile(fmt.Sprintf("/tmp/world/s%d.yaml", seed), text, 0o600)
		}
	}
	for _, g := range has.Groups() {
		t.Log(g)
		for _, n := range has.Names(g) {
			t.Log("    ", n, has[g][n])
		}
	}
}
