package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/scenario"
)

// The programs of random scenarios, on cylinder 1: %02[1]X is a head, %02[2]X a
// record.
var programs = []string{
	// Reads and writes, with a program-controlled interruption: the track is copied.
	`{command: 63, data: "80 C0 1000 0000 0000 0001 0000 0001 000E"}, {command: 47, data: "06 80 00 01 0001 00%02[1]X 0001 00%02[1]X 01 FF 1000"}, {command: 86, count: 4096, flags: [pci]}, {command: 47, data: "01 80 00 01 0001 00%02[1]X 0001 00%02[1]X %02[2]X FF 1000"}, {command: 85, data: "%02[2]X*4096"}`,
	// Writes what it has read.
	`{command: 63, data: "80 C0 1000 0000 0000 0001 0000 0001 000E"}, {command: 47, data: "06 80 00 01 0001 00%02[1]X 0001 00%02[1]X 01 FF 1000"}, {command: 86, count: 4096}, {command: 47, data: "01 80 00 01 0001 00%02[1]X 0001 00%02[1]X %02[2]X FF 1000"}, {command: 85, count: 4096, at: data 3}`,
	// Hides a part of itself behind a search: no valid mirror chain.
	`{command: 63, data: "80 C0 1000 0000 0000 0001 0000 0001 000E"}, {command: "07", data: "0000 0001 00%02[1]X"}, {command: 31, data: "0001 00%02[1]X %02[2]X"}, {command: "08", at: ccw 6}, {command: "05", data: "A5*4096", flags: [end]}, {command: 31, data: "0001 00%02[1]X %02[2]X"}, {command: "08", at: ccw 6}, {command: "08", at: ccw 5}`,
	// Writes, with a program-controlled interruption: not mirrored.
	`{command: 63, data: "80 C0 1000 0000 0000 0001 0000 0001 000E"}, {command: 47, data: "01 80 00 01 0001 00%02[1]X 0001 00%02[1]X %02[2]X FF 1000"}, {command: 85, flags: [pci], data: "%02[2]X*4096"}`,
}

var faults = []string{"link-down", "link-up", "gone", "fail", "not-responding", "restore"}

// randomScenario is writes, reads, programs, faults and synchronisations at random
// times on a cylinder, so that they get in each other's way.
func randomScenario(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 0))
	var b strings.Builder
	policy := []string{"sync", "constant-copy", "read-select", "multi-mirror", "adaptive", "consistency-group"}[r.IntN(6)]
	places := []string{"{kilometres: 1}", "{kilometres: 60}", "{kilometres: 200, standing: true}"}[:1+r.IntN(3)]
	pairs := 1 + r.IntN(2)*r.IntN(3)
	fmt.Fprintf(&b, "name: random-%d\npolicy: %s\nmachine: {pairs: %d, mirrors: [%s], workload: {stripe: 16}}\n", seed, policy, pairs, strings.Join(places, ", "))
	switch policy {
	case "constant-copy":
	case "consistency-group":
		fmt.Fprintf(&b, "settings: {post-status: {on-primary-failure: %s}}\n", []string{"report", "promote"}[r.IntN(2)])
	default:
		fmt.Fprintf(&b, "settings: {post-status: {on-primary-failure: %s, on-mirror-failure: %s}}\n",
			[]string{"report", "promote"}[r.IntN(2)], []string{"mirror", "pair", "group"}[r.IntN(3)])
	}
	b.WriteString("play:\n")
	for range 40 {
		at := r.IntN(30_000)
		switch r.IntN(10) {
		case 0, 1, 2, 3:
			fmt.Fprintf(&b, "  - {at: %dus, write: {offset: %d, length: 8192, times: 5, every: %dus, step: 4096}}\n", at, 4096*r.IntN(150), r.IntN(300))
		case 4, 5:
			fmt.Fprintf(&b, "  - {at: %dus, read: {offset: %d, length: 8192}}\n", at, 4096*r.IntN(150))
		case 6, 7, 8:
			ccws := fmt.Sprintf(programs[r.IntN(len(programs))], r.IntN(12), 2+r.IntN(10))
			fmt.Fprintf(&b, "  - {at: %dus, program: {on: primary, ccws: [%s]}}\n", at, ccws)
		default:
			place, pair, m := "primary", 1+r.IntN(pairs), r.IntN(len(places)+1)
			if m != 0 {
				place = fmt.Sprintf("mirror%d", m)
				if r.IntN(4) == 0 {
					fmt.Fprintf(&b, "  - {at: %dus, fault: \"pair%d.%s:synchronise\"}\n", at+40_000, pair, place)
				}
			}
			fmt.Fprintf(&b, "  - {at: %dus, fault: \"pair%d.%s:%s\"}\n", at, pair, place, faults[r.IntN(len(faults))])
		}
	}
	// In the end everything works again, so that what was acknowledged can be read.
	for pair := range pairs {
		for place := range len(places) + 1 {
			name := "primary"
			if place != 0 {
				name = fmt.Sprintf("mirror%d", place)
			}
			for _, action := range []string{"restore", "link-up"} {
				fmt.Fprintf(&b, "  - {at: 600s, fault: \"pair%d.%s:%s\"}\n", pair+1, name, action)
			}
		}
	}
	return b.String()
}

// TestRandomScenariosLoseNothing: whatever happens, each I/O ends once, no
// completion comes earlier than the policy allows, a mirror differs only where it
// is marked, and nothing is left over.
func TestRandomScenariosLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("plays many scenarios, one after the other: see TestSideBySide")
	}
	l := modules(t)
	first, last := uint64(0), uint64(39)
	if text := os.Getenv("IOSRUN_SEEDS"); text != "" {
		_, err := fmt.Sscanf(text, "%d-%d", &first, &last)
		require.NoError(t, err, "IOSRUN_SEEDS=%s: want FIRST-LAST", text)
	}
	for seed := first; seed <= last; seed++ {
		text := randomScenario(seed)
		s, err := scenario.Parse([]byte(text), "random")
		require.NoError(t, err, text)
		r, err := s.Run(t.Context(), l, scenario.Options{})
		again := fmt.Sprintf("IOSRUN_SEEDS=%d-%d go test ./lab/scenario -run %s", seed, seed, t.Name())
		if !assert.NoError(t, err, again) {
			continue
		}
		for _, c := range r.Run.Report.Checks {
			assert.False(t, c.Failed(), "%s: %s; %s", c.Name, c.Detail, again)
		}
	}
}
