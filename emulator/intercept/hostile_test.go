package intercept_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/hooks"
)

var (
	hostileSeed  = flag.Uint64("hostile.seed", 0, "the one seed of TestHostileDetours")
	hostileSeeds = flag.Uint64("hostile.seeds", 600, "how many seeds TestHostileDetours tries")
	hostileFrom  = flag.Uint64("hostile.from", 1, "the first of them")
)

// hostile is a detour that answers well, badly, or not at all, or asks for the
// same each time.
type hostile struct {
	*hooks.Native
	rand    *rand.Rand
	evil    int // of 100 answers, those that are arbitrary
	hooks   [abi.Hooks]func(*abi.Frame)
	promote bool
	always  *abi.Intent // what it asks for each time, beside a good answer
	verdict abi.Verdict // its verdict then
}

func (h *hostile) Call(hook abi.Hook) error {
	f := h.Frame()
	if h.always != nil {
		h.hooks[hook](f)
		if abi.IntentTable[h.always.Kind].Heard[hook] && f.Response.Intents < abi.MaxIntents {
			*f.Response.Ask(h.always.Kind) = *h.always
			f.Response.Verdict = h.verdict
		}
		return nil
	}
	if h.rand.IntN(100) >= h.evil {
		h.hooks[hook](f)
		return nil
	}
	switch h.rand.IntN(10) {
	case 0:
		h.scribble(f)
		return errors.New("trap")
	case 1:
		h.scribble(f)
	case 2, 3, 4:
		h.hooks[hook](f)
	}
	h.answer(f, hook)
	return nil
}

// Renew fails now and then.
func (h *hostile) Renew() error {
	if h.rand.IntN(10) == 0 {
		return errors.New("no more memory")
	}
	return h.Native.Renew()
}

// scribble changes parts of the frame that are not the detour's to change.
func (h *hostile) scribble(f *abi.Frame) {
	f.Pair.Mirrors = uint8(h.rand.Uint32())
	f.Chain.Inline, f.Chain.Count, f.Chain.Parameters = uint16(h.rand.Uint32()), uint16(h.rand.Uint32()), uint16(h.rand.Uint32())
	f.Chain.CCW[h.rand.IntN(len(f.Chain.CCW))].Address = h.rand.Uint32()
	f.Target.Role = abi.Role(h.rand.Uint32())
	f.Head.IO = h.rand.Uint64()
	f.Status.OK = 1
	f.Settings.Count = h.rand.Uint32()
}

var hostileCommands = []uint8{0x63, 0x47, 0x85, 0x86, 0x85, 0x86, 0x03, 0x08, 0x04, 0x07, 0x31}

// answer adds to the response what comes to its mind.
func (h *hostile) answer(f *abi.Frame, hook abi.Hook) {
	r, x := &f.Response, h.rand
	r.Verdict = abi.Verdict(x.IntN(3))
	recipes := 0
	if x.IntN(3) == 0 {
		recipes = x.IntN(8)
	}
	first := int(r.Recipes)
	for range recipes {
		r.Add(abi.RecipeCCW{
			Kind: abi.RecipeKind(x.IntN(5)), Command: hostileCommands[x.IntN(len(hostileCommands))],
			Flags: uint8([]int{0x40, 0x40, 0x40, 0x60, 0x42, 0x80, 0x00, 0x04, x.IntN(256)}[x.IntN(9)]), Parameter: uint8(x.IntN(2)),
			Source: uint16(x.IntN(max(1, int(f.Chain.Count)))), Count: []uint16{4096, 16, 32, 1, 60000}[x.IntN(5)],
		})
	}
	if x.IntN(3) == 0 {
		h.twisted(f, &first, &recipes)
	}
	for range x.IntN(3) {
		if b, _ := r.Block(); b != nil {
			for i := range b {
				b[i] = uint8(x.IntN(20))
			}
		}
	}
	for range x.IntN(4) {
		n := r.Ask(h.kind(hook))
		n.Mirrors = uint8(x.IntN(8))
		if x.IntN(20) == 0 {
			n.Mirrors = uint8(x.Uint32())
		}
		n.Code = uint8(x.IntN(4))
		if n.Kind == abi.IntentMirror {
			n.Flags = uint8(x.IntN(4))
			if recipes > 0 && x.IntN(4) != 0 {
				n.First, n.Count = uint16(first), uint16(recipes)
			}
		}
		if n.Kind == abi.IntentFlag {
			n.Value = x.Uint64N(uint64(abi.FlagsKnown) + 1)
		}
		if n.Kind == abi.IntentReject && x.IntN(2) == 0 {
			n.Code = arch.CompletionNormal
		}
		if n.Kind == abi.IntentRetry && x.IntN(4) != 0 {
			n.Kind = abi.IntentNone
		}
	}
	if x.IntN(30) == 0 {
		r.Intents, r.Recipes = uint16(x.Uint32()), uint16(x.Uint32())
	}
	if x.IntN(30) == 0 {
		r.Intent[0].Kind = abi.IntentKind(x.Uint32())
	}
}

// twisted makes a recipe of the chain itself, but for one thing.
func (h *hostile) twisted(f *abi.Frame, first, recipes *int) {
	r, x := &f.Response, h.rand
	*first, *recipes = int(r.Recipes), int(f.Chain.Inline)
	for i := range f.Chain.CCW[:min(int(f.Chain.Inline), abi.InlineCCWs)] {
		c := &f.Chain.CCW[i]
		r.Add(abi.RecipeCCW{Kind: abi.RecipeKind(2 * x.IntN(2)), Command: c.Command, Flags: c.Flags, Source: uint16(i), Count: c.Count})
	}
	if *recipes == 0 || int(r.Recipes) != *first+*recipes {
		*recipes = 0
		return
	}
	c := &r.Recipe[*first+x.IntN(*recipes)]
	switch x.IntN(7) {
	case 0:
		c.Source = uint16(x.IntN(int(f.Chain.Count) + 1))
	case 1:
		c.Command = hostileCommands[x.IntN(len(hostileCommands))]
	case 2:
		c.Flags ^= 1 << x.IntN(8)
	case 3:
		c.Kind = abi.RecipeKind(x.IntN(5))
	case 4:
		c.Count = uint16(x.IntN(5000))
	case 5:
		if b, n := r.Block(); b != nil {
			*b = f.Chain.Parameter[x.IntN(2)]
			b[x.IntN(16)] ^= 1 << x.IntN(3)
			c.Kind, c.Parameter = abi.RecipeParameter, n
		}
	}
}

func (h *hostile) kind(hook abi.Hook) abi.IntentKind {
	for {
		k := abi.IntentKind(h.rand.IntN(abi.IntentKinds))
		switch {
		case !abi.IntentTable[k].Heard[hook] && h.rand.IntN(100) != 0:
		case k == abi.IntentPromote && (!h.promote || h.rand.IntN(4) != 0):
		case k == abi.IntentDissociate && h.rand.IntN(4) != 0:
		default:
			return k
		}
	}
}

// trial is one seed's machine, workload and faults.
type trial struct {
	*rig
	rand    *rand.Rand
	client  *client
	disks   map[*ios.UCB]*disk
	calm    bool // no faults any more
	primary *ios.UCB
	stale   bool // the last promotion was that of a mirror known to lack acknowledged writes
}

func (r *trial) policy(t testing.TB) {
	evil := []int{0, 5, 20, 50, 90}[r.rand.IntN(5)]
	var sequences [hooks.Slots][]*hooks.Attachment
	for s := range sequences {
		for range 1 + r.rand.IntN(10)/9 {
			back := backEnd
			if r.rand.IntN(2) == 0 {
				back = backEndResuming
			}
			h := &hostile{
				Native: hooks.NewNative(nil, nil, nil), rand: rand.New(rand.NewPCG(r.rand.Uint64(), 0)), evil: evil,
				hooks: [abi.Hooks]func(*abi.Frame){frontEndRouting, back, postStatusPromoting}, promote: r.rand.IntN(3) == 0,
			}
			if r.rand.IntN(4) == 0 {
				n := abi.Intent{Kind: h.kind(abi.Hook(s)), Mirrors: 1 << r.rand.IntN(3), Code: uint8(r.rand.IntN(3)), Value: r.rand.Uint64N(uint64(abi.FlagsKnown) + 1)}
				h.always, h.verdict = &n, abi.Verdict(r.rand.IntN(2))
			}
			granted := abi.CapabilitiesKnown
			if r.rand.IntN(5) == 0 {
				granted &= abi.Capability(r.rand.Uint32())
			}
			sequences[s] = append(sequences[s], &hooks.Attachment{Name: "hostile", Detour: h, Granted: granted, Containment: hooks.Containment(r.rand.IntN(3))})
		}
	}
	require.NoError(t, r.x.Install(sequences, intercept.Promise{Durability: intercept.Durability(r.rand.IntN(2)), StalePromotion: r.rand.IntN(2) == 0}))
}

// frontEndRouting sends every other read to a mirror.
func frontEndRouting(f *abi.Frame) {
	frontEnd(f)
	if f.Response.Intents != 0 || f.Target.Role != abi.RolePrimary || f.Head.Random&1 == 0 {
		return
	}
	for i := range f.Pair.Mirror[:f.Pair.Mirrors] {
		if f.Pair.Mirror[i].Flags&abi.MirrorTracksInSync != 0 {
			f.Response.Ask(abi.IntentRoute).Code = uint8(i)
			return
		}
	}
}

func postStatusPromoting(f *abi.Frame) {
	if f.Target.Role == abi.RolePrimary && f.Status.OK == 0 && f.Target.Retries == 3 {
		for i := range f.Pair.Mirror[:f.Pair.Mirrors] {
			if f.Pair.Mirror[i].State == abi.MirrorInSync {
				f.Response.Ask(abi.IntentPromote).Code = uint8(i)
				return
			}
		}
	}
	postStatus(f)
}

// newTrial makes the trial of a seed, on so many processors; 0 leaves their
// number to the seed.
func newTrial(t testing.TB, seed uint64, processors int) *trial {
	x := rand.New(rand.NewPCG(seed, 1))
	n := []int{1, 1, 2, 4}[x.IntN(4)]
	if processors != 0 {
		n = processors
	}
	g := newRigOn(t, nil, 1+x.IntN(3), n)
	r := &trial{rig: g, rand: x, client: newClient(g), disks: map[*ios.UCB]*disk{g.pair.Primary(): g.primary}, primary: g.pair.Primary()}
	for i, m := range g.pair.Mirrors() {
		r.disks[m.Unit()] = g.mirrors[i]
	}
	g.x.Seed = seed
	g.x.Promoted = func(_ *intercept.Pair, stale bool) { r.stale = stale }
	rate := []int{0, 0, 1, 3, 10}[x.IntN(5)]
	for _, u := range g.ios.Units() {
		d := r.disks[u]
		d.latency = machine.Time(20+x.IntN(1000)) * machine.Microsecond
		d.fail = func(bool) bool { return !r.calm && x.IntN(300) < rate }
		lose := func() bool { return !r.calm && x.IntN(3000) < rate }
		d.loseStart, d.loseEnd = lose, lose
	}
	return r
}

// step lets time pass up to a moment, and learns of promotions.
func (r *trial) step(until machine.Time) {
	for r.m.Clock.Next() <= until {
		r.m.Clock.Step()
		if p := r.pair.Primary(); p != r.primary && !r.stale {
			r.primary = p // and nothing that was acknowledged is lost
		} else if p != r.primary {
			for _, m := range r.pair.Mirrors() {
				if m.Unit() != r.primary {
					continue
				}
				for track := range diskTracks {
					if m.Marked(uint32(track)) {
						r.client.doubt(track)
					}
				}
			}
			r.primary = p
		}
	}
	r.m.Clock.RunUntil(until)
}

func (r *trial) play(t testing.TB) {
	x := r.rand
	r.policy(t)
	hot := firstBlock + x.IntN(diskBlocks-firstBlock-200)
	for range 40 + x.IntN(80) {
		switch x.IntN(40) {
		case 0:
			r.policy(t)
		case 1, 2:
			m := r.pair.Mirrors()[x.IntN(len(r.pair.Mirrors()))]
			r.now(func(p *machine.Processor) { r.x.StartStanding(p, m) })
		case 3:
			r.x.StopStanding(r.pair.Mirrors()[x.IntN(len(r.pair.Mirrors()))])
		case 4, 5:
			m := r.pair.Mirrors()[x.IntN(len(r.pair.Mirrors()))]
			_, _ = r.mirror.Synchronise(m, mirror.SyncOptions{
				Changed: r.disks[r.pair.Primary()], RecordsATrack: 12, Threshold: x.IntN(3), Full: x.IntN(4) == 0,
			})
		case 6:
			u := r.ios.Units()[x.IntN(len(r.ios.Units()))]
			d := r.disks[u]
			if !r.calm {
				d.lost = !d.lost && x.IntN(3) == 0
			}
			if !d.lost {
				r.ios.Online(r.m.Clock.Now(), u)
			}
		case 7:
			if u := r.ios.Units()[x.IntN(len(r.ios.Units()))]; u != r.client.unit {
				r.client.intrude(t, u, hot+x.IntN(60), 1+x.IntN(clientBlocks))
			}
		}
		n := 1 + x.IntN(clientBlocks)
		first := hot + x.IntN(60)
		if x.IntN(4) == 0 {
			first = firstBlock + x.IntN(diskBlocks-firstBlock-n)
		}
		r.client.submit(t, x.IntN(3) != 0, first, n)
		r.step(r.m.Clock.Now() + machine.Time(x.IntN(1000))*machine.Time(x.IntN(2000)))
	}
	r.calm = true
	for u, d := range r.disks {
		d.lost = false
		r.ios.Online(r.m.Clock.Now(), u)
	}
	r.step(r.m.Clock.Now() + 10*60*machine.Second)
}

// now runs a function as a unit of work.
func (g *rig) now(f func(p *machine.Processor)) {
	u := &unit{f: f}
	u.Entry = u
	g.m.Dispatcher.Schedule(g.m.Clock.Now(), &u.SRB)
}

// check reports how the trial has ended.
func (r *trial) check() error {
	c := r.client
	if len(c.wrong) != 0 {
		return fmt.Errorf("%d times: %s", len(c.wrong), c.wrong[0])
	}
	if c.begun != c.ended {
		for i := range c.open {
			return fmt.Errorf("%d of %d requests have not ended: I/O %d on %04X, code %02X, status % X", c.begun-c.ended, c.begun, i.block.ID, i.block.UCB.DeviceNumber, i.block.CompletionCode, i.block.IRB.SCSW)
		}
	}
	for _, m := range r.pair.Mirrors() {
		r.x.StopStanding(m)
	}
	for range 200_000 {
		if !r.m.Clock.Step() {
			break
		}
	}
	if n := r.m.Clock.Pending(); n != 0 {
		return fmt.Errorf("does not come to rest: %d events to come, the next at %s", n, r.m.Clock.Next())
	}
	if n := r.x.Pending(); n != 0 {
		return fmt.Errorf("%d requests are pending", n)
	}
	if n := r.x.Shadow(); n != 0 {
		return fmt.Errorf("%d requests on the shadow queue", n)
	}
	if n := r.x.Lent(); n != 0 {
		return fmt.Errorf("%d areas and copies have not come back", n)
	}
	if n := r.pair.Writing(); n != 0 {
		return fmt.Errorf("%d writes have not been answered", n)
	}
	if n := r.ios.Counts().Duplicates; n != 0 {
		return fmt.Errorf("%d duplicate completions", n)
	}
	for _, u := range r.ios.Units() {
		if u.Length() != 0 || u.Started() != 0 {
			return fmt.Errorf("unit %04X has %d requests, %d started", u.DeviceNumber, u.Length(), u.Started())
		}
	}
	if len(c.wrong) != 0 {
		return fmt.Errorf("%d times: %s", len(c.wrong), c.wrong[0])
	}
	primary := r.disks[r.pair.Primary()]
	for b := firstBlock; b < diskBlocks; b++ {
		k := c.blocks[b]
		for u := range 8 {
			if v := primary.tags[b*8+u]; k != nil && !k.any && !k.values[v] {
				return fmt.Errorf("block %d (track %d), unit %d: the primary has %d, want one of %v", b, b/12, u, v, k.values)
			}
		}
	}
	for i, m := range r.pair.Mirrors() {
		if n := m.InFlight(); n != 0 {
			return fmt.Errorf("mirror %d has %d writes to tracks under way", i, n)
		}
		if n := m.Waiting(); n != 0 {
			return fmt.Errorf("mirror %d has %d requests on the shadow queue", i, n)
		}
		d := r.disks[m.Unit()]
		for track := range diskTracks {
			if m.Marked(uint32(track)) {
				continue
			}
			for k := track * trackUnits; k < (track+1)*trackUnits; k++ {
				if primary.tags[k] != d.tags[k] {
					return fmt.Errorf("mirror %d (%04X, state %d) differs on track %d, which is not marked: %x, the primary has %x", i, m.Unit().DeviceNumber, m.State, track, d.tags[k], primary.tags[k])
				}
			}
		}
	}
	return nil
}

// TestHostileDetours plays random workloads with random faults under detours
// that answer whatever they like. Whatever they do, each request ends once,
// nothing stays behind, no read brings what it must not, and primary and mirrors
// differ only on tracks that are marked.
func TestHostileDetours(t *testing.T) {
	first, n := *hostileFrom, *hostileSeeds
	if *hostileSeed != 0 {
		first, n = *hostileSeed, 1
	}
	failed := 0
	for seed := first; seed < first+n; seed++ {
		if err := runTrial(t, seed); err != nil {
			t.Errorf("seed %d: %v\n  go test ./emulator/intercept -run TestHostileDetours -hostile.seed %d", seed, err, seed)
			if failed++; failed == 10 {
				break
			}
		}
	}
}

func runTrial(t testing.TB, seed uint64) (err error) {
	defer func() {
		if v := recover(); v != nil && *hostileSeed == 0 {
			err = fmt.Errorf("panic: %v", v)
		} else if v != nil {
			panic(v)
		}
	}()
	r := newTrial(t, seed, 0)
	r.play(t)
	return r.check()
}

// TestSameSeedSameHash: a run is a function of its seed, whatever the detours,
// the faults and the number of processors.
func TestSameSeedSameHash(t *testing.T) {
	for _, processors := range []int{1, 4} {
		hashes := make(map[uint64]uint64)
		for seed := uint64(1); seed <= 30; seed++ {
			var hash [2]uint64
			for i := range hash {
				r := newTrial(t, seed, processors)
				r.play(t)
				require.NoError(t, r.check(), "seed %d", seed)
				hash[i] = r.m.Clock.Hash()
			}
			require.Equal(t, hash[0], hash[1], "seed %d on %d processors", seed, processors)
			other, double := hashes[hash[0]]
			require.False(t, double, "seeds %d and %d", seed, other)
			hashes[hash[0]] = seed
		}
	}
}
