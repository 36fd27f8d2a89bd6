package intercept_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
)

var update = flag.Bool("update", false, "write the picture of the states into ARCHITECTURE.md")

// counted has the transitions that the tests of this package have made.
var counted = struct {
	sync.Mutex
	counts map[[3]string]uint64
}{counts: make(map[[3]string]uint64)}

func noteTransitions(x *intercept.Process) {
	counted.Lock()
	defer counted.Unlock()
	for _, t := range x.Transitions() {
		counted.counts[[3]string{t.Of, t.From, t.To}] += t.Taken
	}
}

// TestMain checks after the tests, if all were run, that together they have made
// every transition that there can be: the table has none that is dead.
func TestMain(m *testing.M) {
	code := m.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" && !testing.Short()
	if code == 0 && all && len(counted.counts) != 0 {
		for t, n := range counted.counts {
			if n == 0 {
				fmt.Printf("no test makes the %s go from %s to %s\n", t[0], t[1], t[2])
				code = 1
			}
		}
	}
	os.Exit(code)
}

// TestStates: every state can be reached from the first of its kind and left again,
// and none is named twice.
func TestStates(t *testing.T) {
	g := newRig(t, 1)
	next := make(map[[2]string][]string)
	for _, tr := range g.x.Transitions() {
		assert.NotEqual(t, tr.From, tr.To, tr.Of)
		assert.NotEmpty(t, tr.When)
		from := [2]string{tr.Of, tr.From}
		assert.NotContains(t, next[from], tr.To)
		next[from] = append(next[from], tr.To)
	}
	first := make(map[string]string)
	seen := make(map[[2]string]bool)
	for _, s := range intercept.States() {
		if _, ok := first[s.Of]; !ok {
			first[s.Of] = s.Name
		}
		key := [2]string{s.Of, s.Name}
		assert.False(t, seen[key], "%s %s twice", s.Of, s.Name)
		seen[key] = true
		assert.NotEmpty(t, s.Text)
		for _, way := range [][2]string{{first[s.Of], s.Name}, {s.Name, first[s.Of]}} {
			assert.True(t, leads(next, s.Of, way[0], way[1]), "%s: nothing leads from %s to %s", s.Of, way[0], way[1])
		}
	}
}

func leads(next map[[2]string][]string, of, from, to string) bool {
	reached := map[string]bool{from: true}
	for todo := []string{from}; len(todo) != 0; todo = todo[1:] {
		if todo[0] == to {
			return true
		}
		for _, n := range next[[2]string{of, todo[0]}] {
			if !reached[n] {
				reached[n] = true
				todo = append(todo, n)
			}
		}
	}
	return false
}

// The picture in ARCHITECTURE.md is drawn from the table.
func TestArchitectureShowsTheStates(t *testing.T) {
	const file, begin, end = "../../ARCHITECTURE.md", "```mermaid\nstateDiagram-v2\n", "```\n"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), begin)
	require.True(t, found, "ARCHITECTURE.md has no picture of the states")
	have, after, found := strings.Cut(rest, end)
	require.True(t, found)
	want := picture(newRig(t, 1).x.Transitions())
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+want+end+after), 0o644))
		return
	}
	assert.Equal(t, want, have, "go test ./emulator/intercept -run ArchitectureShows -update")
}

// picture draws each kind of states as a diagram of its own.
func picture(all []intercept.Transition) string {
	var b strings.Builder
	id := func(of, name string) string { return strings.NewReplacer(" ", "_", "/", "").Replace(of + "_" + name) }
	of := ""
	for i, t := range all {
		if t.Of != of {
			of = t.Of
			fmt.Fprintf(&b, "    state %q as %s {\n", of, id(of, "states"))
			for _, s := range intercept.States() {
				if s.Of == of {
					fmt.Fprintf(&b, "        state %q as %s\n", s.Name, id(of, s.Name))
				}
			}
			fmt.Fprintf(&b, "        [*] --> %s\n", id(of, t.From))
		}
		fmt.Fprintf(&b, "        %s --> %s\n", id(of, t.From), id(of, t.To))
		if i == len(all)-1 || all[i+1].Of != of {
			b.WriteString("    }\n")
		}
	}
	return b.String()
}

// copier is the mirror process with copies of tracks of its own: the disks of these
// tests know no command that reads or writes a track.
type copier struct {
	*mirror.Process
	g       *rig
	fails   bool
	pending []func(*machine.Processor)
	srb     machine.SRB
}

func (c *copier) CopyTracks(p *machine.Processor, r *intercept.Request, m *intercept.Mirror, first, last uint32) bool {
	under := m.BeginCopy(first, last-first+1)
	from, to := int(first)*trackUnits, int(last+1)*trackUnits
	c.pending = append(c.pending, func(p *machine.Processor) {
		if !c.fails {
			copy(c.g.mirrors[m.Index()].tags[from:to], c.g.primary.tags[from:to])
		}
		under.End(!c.fails)
		r.Copied(p, m, !c.fails)
	})
	c.g.m.Clock.At(p.Now()+10*machine.Millisecond, c, machine.KindLab, 0)
	return true
}

func (c *copier) Event(kind machine.Kind, arg uint64) {
	if kind != machine.KindLab {
		c.Process.Event(kind, arg)
		return
	}
	c.srb.Entry = c
	c.g.m.Dispatcher.Schedule(c.g.m.Clock.Now(), &c.srb)
}

func (c *copier) Enter(p *machine.Processor, _ *machine.SRB) {
	all := c.pending
	c.pending = nil
	for _, tell := range all {
		tell(p)
	}
}

// TestCopiesBesideMirrorRequests: a front-end detour asks for a mirror request
// without a valid chain and for a copy of the tracks to the same mirror. Whatever has
// become of the mirror request when the copy ends, the mirror has the tracks or they
// are marked.
func TestCopiesBesideMirrorRequests(t *testing.T) {
	front := func(f *abi.Frame) {
		if f.Target.Role != abi.RolePrimary || f.Target.Origin != abi.OriginApplication {
			return
		}
		n := f.Response.Ask(abi.IntentMirror)
		n.Mirrors, n.Flags = 1, abi.MirrorWithError
		f.Response.Ask(abi.IntentChangedTracks).Mirrors = 1
		f.Response.Ask(abi.IntentBackEnd)
	}
	onDisabled := func(k abi.IntentKind) func(*abi.Frame) {
		return func(f *abi.Frame) {
			if f.Head.Flags&abi.Disabled != 0 {
				f.Response.Ask(k).Mirrors = 1
			}
		}
	}
	hold := func(f *abi.Frame) {
		if f.Target.Role == abi.RolePrimary && f.Pair.Mirror[0].IO != abi.MirrorIOComplete && f.Pair.Mirror[0].IO != abi.MirrorIOFailed {
			f.Response.Verdict = abi.Return
		}
	}
	retry := func(f *abi.Frame) {
		if hold(f); f.Target.Role == abi.RolePrimary && f.Head.Call == 0 {
			f.Response.Ask(abi.IntentRetryMirror).Mirrors = 1
		}
	}
	for _, c := range []struct {
		name  string
		back  func(*abi.Frame)
		post  func(*abi.Frame)
		fails bool         // the copy
		label machine.Time // latency of the read of the label
	}{
		{"nobody starts it", nil2, hold, false, 1},
		{"nobody starts it, and the copy fails", nil2, hold, true, 1},
		{"dropped", onDisabled(abi.IntentDrop), hold, false, 1},
		{"dropped, and the copy fails", onDisabled(abi.IntentDrop), hold, true, 1},
		{"label being read", onDisabled(abi.IntentLabel), hold, false, 50 * machine.Millisecond},
		{"label being read, and the copy fails", onDisabled(abi.IntentLabel), hold, true, 50 * machine.Millisecond},
		{"label being read, tried again", onDisabled(abi.IntentLabel), retry, false, 50 * machine.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			g.x.Mirror = &copier{Process: g.mirror, g: g, fails: c.fails}
			g.mirrors[0].latency = c.label
			g.install(t, front, c.back, c.post)
			app := newClient(g)
			i := app.write(t, 480, 1)
			assert.EqualValues(t, arch.CompletionNormal, i.block.CompletionCode)
			assert.Zero(t, g.x.Pending())
			assert.Zero(t, g.x.Shadow())
			assert.Zero(t, g.pair.Mirrors()[0].InFlight())
			if g.mirrors[0].tags[480*8] != i.tag {
				assert.True(t, g.pair.Mirrors()[0].Marked(40), "the mirror lacks the write")
			}
		})
	}
}

// TestPromotionOfAnother: a request that waits for the promotion of one mirror is
// asked about once more, and its detour wants another mirror, which has writes on
// their way, too.
func TestPromotionOfAnother(t *testing.T) {
	g := newRig(t, 2)
	g.mirrors[0].latency, g.mirrors[1].latency = 5*machine.Millisecond, 20*machine.Millisecond
	asked := uint8(0)
	g.install(t, frontEnd, backEnd, func(f *abi.Frame) {
		if f.Target.Role == abi.RolePrimary && f.Status.OK == 0 {
			f.Response.Ask(abi.IntentPromote).Code = min(asked, 1)
			asked++
		}
	})
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.m.Clock.RunUntil(2 * machine.Millisecond)
	g.primary.fail = func(bool) bool { return true }
	require.NoError(t, g.block.Submit(1, false, 40960, 4096))
	g.run()
	assert.EqualValues(t, 3, asked, "for mirror 1, for mirror 2, and for mirror 2 when it has the write")
	assert.Equal(t, uint16(0x201), g.pair.Primary().DeviceNumber)
	assert.EqualValues(t, arch.CompletionNormal, g.app.codes[1])
	assert.Zero(t, g.x.Pending())
}

// TestIllegalTransitionIsTold: a transition that the table does not have is counted,
// logged and told of, and the I/O goes on.
func TestIllegalTransitionIsTold(t *testing.T) {
	g := newRig(t, 1)
	var told []string
	g.x.Illegal = func(of, from, to string, io uint64) {
		told = append(told, fmt.Sprintf("%s %d: %s to %s", of, io, from, to))
	}
	intercept.MoveIllegally(g.x)
	assert.Equal(t, []string{"request 7: free to told"}, told)
	assert.EqualValues(t, 1, g.x.Counts().Illegal)
}
