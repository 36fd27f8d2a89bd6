package channelcase

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The oracle's cases.
const (
	// oracleBatch is how many cases are in one core image.
	oracleBatch = 400
	// oracleAttempts is how often a case that differs is run: the other emulator
	// executes and clears functions in threads of its own, and its status can
	// come too late for a busy processor.
	oracleAttempts = 4
	// oracleStride is every which case runs, unless the environment variable
	// oracleFull asks for all.
	oracleStride = 12
	oracleFull   = "IOSRUN_ORACLE_FULL"
)

// oracleGroups are the generated cases.
var oracleGroups = []struct {
	name     string
	z        bool
	waits    bool // every case waits for another thread of the oracle
	generate func(*generator)
}{
	{"flags", false, false, (*generator).flags},
	{"lengths", false, false, (*generator).lengths},
	{"controls", false, false, (*generator).controls},
	{"codes", false, false, (*generator).codes},
	{"chains", false, false, (*generator).chains},
	{"transfers in channel", false, false, (*generator).tics},
	{"indirect addresses", false, false, func(g *generator) { g.indirect(false) }},
	{"indirect addresses of z/Architecture", true, false, func(g *generator) { g.indirect(true) }},
	{"keys", false, false, (*generator).keys},
	{"addresses", false, false, (*generator).addresses},
	{"instructions", false, false, (*generator).instructions},
	{"extents", false, false, (*generator).extents},
	{"reads and writes", false, false, (*generator).writes},
	{"blocks", false, false, (*generator).blocks},
	{"suspensions", false, true, (*generator).suspensions},
}

// TestOracle runs generated cases on Hercules 3.13 and here. Condition codes,
// SCSWs, sense and storage are the same, but for the deviations.
func TestOracle(t *testing.T) {
	o := newOracle(t)
	stride := oracleStride
	if os.Getenv(oracleFull) != "" {
		stride = 1
	}
	used := make(map[string]int)
	for _, z := range []bool{false, true} {
		var list []*Case
		for i, group := range oracleGroups {
			if group.z != z || group.waits && stride > 1 {
				continue
			}
			g := &generator{suite: "ckd"}
			group.generate(g)
			n := len(list)
			for j := i % stride; j < len(g.cases); j += stride {
				list = append(list, g.cases[j])
			}
			t.Logf("%s: %d of %d cases", group.name, len(list)-n, len(g.cases))
		}
		o.agree(t, list, z, used)
	}
	for _, d := range deviations {
		t.Logf("explained by %q: %d", d.name, used[d.name])
	}
}

// agree runs cases in batches, those that differ again.
func (o oracle) agree(t *testing.T, list []*Case, z bool, used map[string]int) {
	t.Helper()
	found := make(map[string][]Difference)
	for attempt := 0; attempt < oracleAttempts && len(list) > 0; attempt++ {
		clear(found)
		for at := 0; at < len(list); at += oracleBatch {
			o.compare(t, list[at:min(at+oracleBatch, len(list))], z, found, used)
		}
		list = slices.DeleteFunc(slices.Clone(list), func(c *Case) bool { return found[c.ID] == nil })
	}
	for _, c := range list {
		for _, d := range found[c.ID] {
			assert.Fail(t, "differs", "%s: %v", c.ID, d)
		}
	}
}

// compare runs cases on the oracle and here, and adds what differs to found.
func (o oracle) compare(t *testing.T, list []*Case, z bool, found map[string][]Difference, used map[string]int) {
	t.Helper()
	f := File{Volumes: map[string]string{"ckd": oracleCKD, "fba": oracleFBA}}
	for _, c := range list {
		f.Cases = append(f.Cases, *c)
	}
	text, err := json.Marshal(f)
	require.NoError(t, err)
	g, err := Parse(text)
	require.NoError(t, err)
	var cases []*Case
	for i := range g.Cases {
		require.True(t, oracleRunnable(&g.Cases[i]), g.Cases[i].ID)
		cases = append(cases, &g.Cases[i])
	}
	var theirs []Outcome
	for attempt := 0; ; attempt++ {
		// On a machine with much other work a wait in the oracle can be too short.
		theirs, err = o.run(context.Background(), cases, z, func(c *Case) bool { return c.Suite == "fba" })
		if err == nil || attempt == oracleAttempts {
			break
		}
	}
	require.NoError(t, err)
	i := 0
	require.NoError(t, g.Run(context.Background(), Options{}, func(r Result) error {
		p := pair{r.Case, z, &theirs[i], &r.Outcome}
		if d := p.compare(used); d != nil {
			found[r.Case.ID] = d
		}
		i++
		return nil
	}))
}
