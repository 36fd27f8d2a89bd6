package readcheck_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/readcheck"
)

// TestHonestDevicesAreRight plays random requests, on top of each other and most of
// them not on block boundaries, on devices that do several things at once and fail
// now and then: nothing is wrong, and the checker has looked.
func TestHonestDevicesAreRight(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long, on one goroutine")
	}
	for seed := range uint64(24) {
		g := newRig(t, seed, seed%3 == 0)
		random := rand.New(rand.NewPCG(seed, 1))
		if seed%3 == 0 { // something is there before
			for i := range g.d.units {
				g.d.units[i] = machine.Tag(random.Uint64() >> 20)
			}
		}
		g.d.bytes = seed%2 == 0
		if seed%4 == 0 {
			g.d.fail = func(write bool) bool { return random.IntN(15) == 0 }
		}
		for range 400 {
			at := random.IntN(500)
			g.ask(random.IntN(2) == 0, at, 1+random.IntN([]int{4, 30, 700}[random.IntN(3)]))
			if random.IntN(3) == 0 {
				g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Time(random.IntN(1500))*machine.Microsecond)
			}
		}
		g.run()
		require.NoError(t, g.checker.Sweep())
		n := g.checker.Tally()
		require.Empty(t, g.checker.Findings(), "seed %d", seed)
		require.Zero(t, n.Wrong)
		require.Positive(t, n.Units)
		require.Positive(t, n.Swept)
		require.Len(t, g.codes, 400)
	}
}

// TestLiesAreFound: each way in which a device can go wrong is found, by a read or
// at the end, with words that say what is wrong.
func TestLiesAreFound(t *testing.T) {
	for _, c := range []struct {
		name string
		lie  func(g *rig)
		want string
	}{
		{"a lost write, read again", func(g *rig) {
			g.d.store = func(int, int) (int, bool) { return 0, false }
			g.write(8, 8)
			g.run()
			g.read(8, 8)
		}, "request 2 (I/O 2, read) found at block 1, unit 0: zeros; right was unit 0 of write 1 (request 1, I/O 1, acknowledged at "},
		{"a lost write, never read again", func(g *rig) {
			g.d.store = func(int, int) (int, bool) { return 0, false }
			g.write(8, 8)
		}, "at the end block 1, unit 0, holds zeros; right was unit 0 of write 1"},
		{"a write that goes a block too far", func(g *rig) {
			g.d.store = func(at, _ int) (int, bool) { return at + 8, true }
			g.write(8, 8)
		}, "at the end block 1, unit 0, holds zeros; right was unit 0 of write 1"},
		{"a write that goes onto another's place as well", func(g *rig) {
			g.write(16, 8)
			g.run()
			g.d.store = func(at, n int) (int, bool) { copy(g.d.units[at+8:], g.d.units[at:at+n]); return at, true }
			g.write(8, 8)
		}, "at the end block 2, unit 0, holds zeros; right was unit 0 of write 1"},
		{"an older write", func(g *rig) {
			g.write(8, 8)
			g.run()
			g.d.store = func(int, int) (int, bool) { return 0, false }
			g.write(8, 8)
			g.run()
			g.read(8, 8)
		}, "unit 0 of write 1 (request 1, I/O 1, acknowledged at "},
		{"another block", func(g *rig) {
			g.write(8, 8)
			g.write(16, 8)
			g.run()
			g.d.serve = func(at int, units []machine.Tag) { copy(units, g.d.units[at+8:]) }
			g.read(8, 8)
		}, "found at block 1, unit 0: unit 0 of write 2"},
		{"another unit of the block", func(g *rig) {
			g.write(8, 8)
			g.run()
			g.d.serve = func(_ int, units []machine.Tag) { units[3] = units[2] }
			g.read(8, 8)
		}, "found at block 1, unit 3: unit 2 of write 1"},
		{"the last block of the volume", func(g *rig) {
			g.d.store = func(int, int) (int, bool) { return 0, false }
			g.write(8*(blocks-1), 8)
		}, "at the end block 599, unit 0, holds zeros"},
		{"content of nobody", func(g *rig) {
			g.write(8, 8)
			g.run()
			g.d.serve = func(_ int, units []machine.Tag) { units[0] = 1<<50 + 9 }
			g.read(8, 8)
		}, "which has not been asked for"},
		{"one wrong byte", func(g *rig) {
			g.d.bytes = true
			g.write(8, 8)
			g.run()
			g.d.serve = func(_ int, units []machine.Tag) { units[7] = 1 << 63 }
			g.read(8, 8)
		}, "found at block 1, unit 7: content that no write of the run has stored"},
		{"an older write read before a part of a block is written", func(g *rig) {
			g.write(8, 8)
			g.run()
			g.d.serve = func(_ int, units []machine.Tag) { clear(units) }
			g.write(8, 1)
		}, "request 2 (I/O 2, read before its write) found at block 1, unit 0: zeros"},
		{"overlapping writes out of order", func(g *rig) {
			g.write(8, 8)
			g.write(8, 8)
			g.run()
			for i := range 8 { // as if the first had come last
				g.d.units[base+8+i] -= 1 << 18
			}
			g.read(8, 8)
		}, "unit 0 of write 1 (request 1, I/O 1, acknowledged at "},
		{"content before the run that changes by itself", func(g *rig) {
			*g = *newRig(g.t, 1, true)
			g.read(8, 8)
			g.run()
			g.d.units[base+9] = 77
			g.read(8, 8)
		}, "unit 1: content that no write of the run has stored; right was the content found there before"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1, false)
			c.lie(g)
			g.run()
			require.NoError(t, g.checker.Sweep())
			require.NotEmpty(t, g.checker.Findings())
			assert.Contains(t, g.checker.Findings()[0], c.want)
			assert.Positive(t, g.checker.Tally().Wrong)
		})
	}
}

// TestFindingsAreCounted: the first few are told in words, all are counted.
func TestFindingsAreCounted(t *testing.T) {
	g := newRig(t, 1, false)
	g.d.serve = func(_ int, units []machine.Tag) { units[0], units[1] = 5, 6 }
	for i := range 20 {
		g.read(i*8, 8)
	}
	g.run()
	assert.Len(t, g.checker.Findings(), 3)
	n := g.checker.Tally()
	assert.EqualValues(t, 40, n.Wrong)
	assert.EqualValues(t, 20, n.WrongIOs)
	assert.Contains(t, g.checker.Findings()[0], "and 1 more units of it")
}

// TestUnderWay: while a write is under way a read may return it or what was there
// before; once a read has returned it, later reads must; and a failed write may be
// there or not until it is overwritten.
func TestUnderWay(t *testing.T) {
	old := func(g *rig) { // the write before last
		g.d.serve = func(_ int, units []machine.Tag) {
			for i := range units {
				units[i] = machine.Tag(1<<18 + i + 1)
			}
		}
	}
	g := newRig(t, 1, false)
	g.write(8, 8)
	g.run()
	g.d.delay = 1
	g.write(8, 8)
	old(g)
	g.read(8, 8) // beside the write
	g.run()
	require.Empty(t, g.checker.Findings())
	g.read(8, 8) // after it
	g.run()
	require.Len(t, g.checker.Findings(), 1)

	g = newRig(t, 1, false)
	g.write(8, 8)
	g.run()
	g.d.delay = 1_000_000
	g.write(8, 8) // is on the device soon, and ends late
	g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
	g.d.delay = 1
	old(g)
	g.read(8, 8)
	g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
	require.Empty(t, g.checker.Findings(), "what was there before is right, as long as nobody has seen more")
	g.d.serve = nil
	g.read(8, 8)
	g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
	require.Empty(t, g.checker.Findings())
	old(g)
	g.read(8, 8)
	g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
	require.Len(t, g.checker.Findings(), 1)
	assert.Contains(t, g.checker.Findings()[0], "; a read that had ended before has returned unit 0 of write 2 (request 2, I/O 2, under way)")

	for _, stored := range []bool{false, true} {
		g = newRig(t, 1, false)
		g.write(8, 8)
		g.run()
		g.d.fail = func(write bool) bool { return write }
		g.write(8, 8)
		g.run()
		require.NotEqualValues(t, arch.CompletionNormal, g.codes[1])
		if stored {
			for i := range 8 {
				g.d.units[base+8+i] = machine.Tag(2<<18 + i + 1)
			}
		}
		g.d.fail = nil
		g.read(8, 8)
		g.run()
		require.NoError(t, g.checker.Sweep())
		require.Empty(t, g.checker.Findings(), "the failed write is there: %v", stored)
		g.write(8, 8)
		g.run()
		for i := range 8 {
			g.d.units[base+8+i] = machine.Tag(2<<18 + i + 1)
		}
		g.read(8, 8)
		g.run()
		require.Len(t, g.checker.Findings(), 1, "it was overwritten")
		assert.Contains(t, g.checker.Findings()[0], "unit 0 of write 2 (request 2, I/O 2, failed at ")
	}
}

// TestFailedWritesAreForgotten once their blocks are written again, and beyond the
// limit their units are not judged any more.
func TestFailedWritesAreForgotten(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long, on one goroutine")
	}
	g := newRig(t, 1, false)
	failing := false
	g.d.fail = func(write bool) bool { return failing && write }
	for i := range 3000 {
		failing = i%3 == 0
		g.write(8+i%64*8, 8)
		g.run()
	}
	assert.Less(t, g.checker.Failed(), 400)
	require.Empty(t, g.checker.Findings())

	g = newRig(t, 1, false)
	g.write(8, 8)
	g.run()
	failing = true
	g.d.fail = func(write bool) bool { return failing && write }
	for range readcheck.MaxFailed + 10 {
		g.write(8, 8)
		g.run()
	}
	assert.LessOrEqual(t, g.checker.Failed(), readcheck.MaxFailed)
	failing = false
	before := g.checker.Tally().Unjudged
	g.read(8, 8)
	g.run()
	assert.EqualValues(t, 8, g.checker.Tally().Unjudged-before)
	g.write(8, 8)
	g.read(8, 8)
	g.run()
	g.read(8, 8)
	g.run()
	assert.EqualValues(t, 16, g.checker.Tally().Unjudged-before, "from the next good write on they are judged again")
	require.Empty(t, g.checker.Findings())
}

// TestLostByPromotion: what was acknowledged and is not on the volume that is
// promoted is lost, unless it arrives; it is counted once, and reading what the new
// primary has is right from then on.
func TestLostByPromotion(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		g := newRig(t, 1, false)
		g.write(8, 16)  // write 1: arrives late
		g.write(40, 8)  // write 2: is lost
		g.write(64, 16) // write 3: half of it is lost
		g.write(160, 8) // write 4: is overwritten before it arrives
		g.write(200, 8) // write 5: is there
		g.run()
		before := append([]machine.Tag(nil), g.d.units...)
		for _, at := range []int{8, 40, 64, 160} {
			clear(g.d.units[base+at : base+at+8])
		}
		g.moving = true
		require.NoError(t, g.checker.Promoted(0, allowed))
		g.read(0, 300)
		g.run()
		require.Empty(t, g.checker.Findings(), "it may be on its way")
		g.write(160, 8)
		g.run()
		copy(g.d.units[base+8:], before[base+8:base+16])
		g.read(8, 8)
		g.run()
		g.moving = false
		g.read(40, 8)
		g.read(200, 8)
		g.run()
		require.NoError(t, g.checker.Sweep())
		require.Empty(t, g.checker.Findings())
		yes, no := g.checker.Lost()
		if !allowed {
			yes, no = no, yes
		}
		assert.EqualValues(t, 3, yes.Writes)
		assert.EqualValues(t, 3*4096, yes.Bytes)
		assert.Zero(t, no)
		require.Len(t, g.checker.LostFindings(), 3)
		assert.Contains(t, g.checker.LostFindings()[0], "block 20, unit 0: unit 0 of write 4 (request 4, I/O 4, acknowledged at ")
		assert.Contains(t, g.checker.LostFindings()[0], "is gone; the volume that was promoted held zeros")

		g.d.units[base+40] = before[base+40]
		g.read(40, 8)
		g.run()
		require.Len(t, g.checker.Findings(), 1, "what was reported lost does not come back")
	}
}

// TestNothingLeftToReadFrom: with the primary gone, what no mirror has is lost.
func TestNothingLeftToReadFrom(t *testing.T) {
	g := newRig(t, 1, false)
	g.write(8, 8)
	g.write(40, 8)
	g.run()
	require.NoError(t, g.checker.Sweep())
	require.NoError(t, g.checker.Unreadable(0, g.legs(g.d.units)))
	_, lost := g.checker.Lost()
	assert.Zero(t, lost)
	mirror := append([]machine.Tag(nil), g.d.units...)
	clear(mirror[base+40 : base+44])
	require.NoError(t, g.checker.Unreadable(0, g.legs(mirror)))
	_, lost = g.checker.Lost()
	assert.EqualValues(t, 1, lost.Writes)
	assert.EqualValues(t, 4*512, lost.Bytes)
	assert.Contains(t, g.checker.LostFindings()[0], "the primary cannot be read any more, and no mirror that follows it has the write")
}

// TestCheckingAllocatesNothing in the steady state.
func TestCheckingAllocatesNothing(t *testing.T) {
	g := newRig(t, 1, false)
	g.codes = make(map[uint64]uint8, 1<<16)
	once := func() {
		for i := range 8 {
			if g.block.Submit(g.token, i%2 == 0, int64(i%3)*4096, 8192) != nil {
				panic("refused")
			}
			g.token++
		}
		g.run()
		clear(g.codes)
	}
	for range 50 {
		once()
	}
	witness := g.block.Witness
	with := testing.AllocsPerRun(200, once)
	g.block.Witness = nil
	without := testing.AllocsPerRun(200, once)
	g.block.Witness = witness
	assert.Equal(t, without, with)
}
