package ios_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

func TestRequestsOfAUnitRunOneAfterTheOther(t *testing.T) {
	g := newRig(t, 2)
	u, d := g.unit(0x100, nil)
	a, b, c := g.request("a", u), g.request("b", u), g.request("c", u)
	g.start(a, b, c)
	g.m.Clock.RunUntil(40 * machine.Microsecond)
	assert.Equal(t, 3, u.Length())
	assert.Equal(t, 1, u.Started())
	assert.True(t, u.Waiting())
	g.run()
	assert.Equal(t, []string{"a", "b", "c"}, d.sent)
	assert.Equal(t, []string{"a 7F", "a released", "b 7F", "b released", "c 7F", "c released"}, g.log)
	assert.Zero(t, u.Length())
	assert.Zero(t, u.Started())
	assert.Equal(t, 3, u.Peak())
	assert.Greater(t, b.StartedAt, a.EndedAt)
	assert.True(t, a.OK() && a.Ended())
	counts := g.s.Counts()
	assert.Equal(t, [3]uint64{3, 3, 3}, [3]uint64{counts.STARTIO, counts.SSCH, counts.Interruptions})
}

func TestAliasesRunRequestsAtOnce(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	g.unit(0x101, u)
	g.unit(0x102, u)
	var all []*request
	for _, name := range strings.Split("abcdefg", "") {
		all = append(all, g.request(name, u))
	}
	g.start(all...)
	g.m.Clock.RunUntil(45 * machine.Microsecond)
	assert.Equal(t, 3, u.Started())
	assert.Equal(t, 7, u.Length())
	g.run()
	assert.Len(t, g.log, 14)
	assert.Zero(t, u.Length())
	assert.NotEmpty(t, d.sent)
	for _, r := range all {
		assert.EqualValues(t, arch.CompletionNormal, r.CompletionCode)
		assert.Same(t, u, r.UCB)
	}
}

func TestAddUnitErrors(t *testing.T) {
	g := newRig(t, 1)
	u, _ := g.unit(0x100, nil)
	alias, _ := g.unit(0x101, u)
	_, err := g.s.AddUnit(0x102, &device{}, alias)
	assert.ErrorContains(t, err, "unit 0102: alias of 0101: that is an alias itself")
	for i := 1; i < ios.MaxAliases; i++ {
		g.unit(uint16(0x200+i), u)
	}
	_, err = g.s.AddUnit(0x103, &device{}, u)
	assert.ErrorContains(t, err, "has 255 aliases")
	for len(g.s.Units()) < ios.MaxUnits {
		g.unit(0x1000, nil)
	}
	_, err = g.s.AddUnit(0x103, &device{}, nil)
	assert.ErrorContains(t, err, "4096 units already")
}

// TestBusyIsTriedAgain: after condition code 1 or 2 the request stays queued, and
// those behind it are tried.
func TestBusyIsTriedAgain(t *testing.T) {
	for _, cc := range []channel.CC{1, 2} {
		g := newRig(t, 1)
		u, d := g.unit(0x100, nil)
		a, b := g.request("a", u), g.request("b", u)
		busy := 3
		g.hook(func(_ *machine.Processor, q *ios.IOQ) (ios.ReturnCode, bool) {
			if q.IOSB != &a.IOSB || busy == 0 {
				return 0, false
			}
			busy--
			q.IOSB.CC = cc
			return ios.Started, true
		})
		g.start(a, b)
		g.run()
		assert.Equal(t, []string{"b", "a"}, d.sent, "condition code %d", cc)
		assert.EqualValues(t, arch.CompletionNormal, a.CompletionCode)
		assert.Less(t, a.at, machine.Millisecond)
		assert.Zero(t, u.Length())
	}
}

// TestOneTimerAUnit: however many requests are left and however often the unit is
// driven, it is driven by the timer once in BusyRetry.
func TestOneTimerAUnit(t *testing.T) {
	g := newRig(t, 1)
	u, _ := g.unit(0x100, nil)
	calls := 0
	g.hook(func(_ *machine.Processor, q *ios.IOQ) (ios.ReturnCode, bool) {
		calls++
		return ios.Queued, g.m.Clock.Now() < 10*machine.Millisecond
	})
	var all []*request
	for i := range 5 {
		all = append(all, g.request(fmt.Sprint(i), u))
	}
	g.start(all...)
	for range 50 {
		g.on(func(p *machine.Processor) { g.s.Redrive(p, u) })
		g.m.Clock.RunUntil(g.m.Clock.Now() + 150*machine.Microsecond)
	}
	g.run()
	assert.Less(t, calls, 5*(50+100+10))
	for _, r := range all {
		assert.EqualValues(t, arch.CompletionNormal, r.CompletionCode)
	}
}

func TestReturnCodes(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	v, e := g.unit(0x200, nil)
	a, b, c, m := g.request("a", u), g.request("b", u), g.request("c", u), g.request("m", u)
	left := true
	g.hook(func(p *machine.Processor, q *ios.IOQ) (ios.ReturnCode, bool) {
		switch q.IOSB {
		case &a.IOSB:
			if left {
				left = false
				return ios.Queued, true
			}
		case &b.IOSB:
			q.IOSB.CompletionCode = arch.CompletionRejected
			return ios.Refused, true
		case &c.IOSB:
			return ios.Refused, true
		case &m.IOSB:
			if q.IOSB.UCB == u {
				g.s.Move(p, q, v)
				return ios.Moved, true
			}
		}
		return 0, false
	})
	g.start(a, b, c, m)
	g.run()
	assert.Equal(t, []string{"a"}, d.sent)
	assert.Equal(t, []string{"m"}, e.sent)
	assert.EqualValues(t, arch.CompletionNormal, a.CompletionCode)
	assert.EqualValues(t, arch.CompletionRejected, b.CompletionCode)
	assert.EqualValues(t, arch.CompletionPermanent, c.CompletionCode)
	assert.EqualValues(t, arch.CompletionNormal, m.CompletionCode)
	assert.Same(t, v, m.UCB)
	for _, u := range g.s.Units() {
		assert.Zero(t, u.Length())
		assert.Zero(t, u.Started())
	}
}

// TestMoveBackAndForth: a request that comes back to the queue of the unit that
// is being driven is started all the same.
func TestMoveBackAndForth(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	v, _ := g.unit(0x200, nil)
	a := g.request("a", u)
	moves := 0
	g.hook(func(p *machine.Processor, q *ios.IOQ) (ios.ReturnCode, bool) {
		if moves++; moves > 2 {
			return 0, false
		}
		to := u
		if q.IOSB.UCB == u {
			to = v
		}
		g.s.Move(p, q, to)
		return ios.Moved, true
	})
	g.start(a)
	g.run()
	assert.Equal(t, []string{"a"}, d.sent)
	assert.EqualValues(t, arch.CompletionNormal, a.CompletionCode)
	assert.Zero(t, u.Length()+v.Length())
}

func TestNoPath(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	d.gone = true
	a := g.request("a", u)
	g.start(a)
	g.run()
	assert.Equal(t, []string{"a 51", "a released"}, g.log)
	assert.EqualValues(t, 3, a.CC)
	assert.Zero(t, u.Length())
}

func TestQuiesceAndHoldWrites(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	a, r, w := g.request("a", u), g.request("r", u), g.request("w", u)
	w.Writes = true
	g.s.Quiesce(u)
	g.start(a)
	g.run()
	assert.Equal(t, 1, u.Length())
	assert.Empty(t, d.sent)
	g.s.HoldWrites(u)
	g.s.HoldWrites(u)
	g.on(func(p *machine.Processor) { g.s.Release(p, u) }) // Quiesce, and one hold
	g.start(w, r)
	g.run()
	assert.Equal(t, []string{"a", "r"}, d.sent, "a write does not keep a read back")
	g.on(func(p *machine.Processor) { g.s.Release(p, u) })
	g.run()
	assert.Equal(t, []string{"a", "r", "w"}, d.sent)
	g.on(func(p *machine.Processor) { g.s.Release(p, u) })
	g.run()
	assert.Zero(t, u.Length())
}

func TestPurge(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	var all []*request
	for i, name := range strings.Split("abcde", "") {
		r := g.request(name, u)
		r.DriverID = []uint8{ios.DriverMirror, ios.DriverBlock}[i%2]
		all = append(all, r)
	}
	g.start(all...)
	g.m.Clock.RunUntil(30 * machine.Microsecond)
	g.on(func(p *machine.Processor) { g.s.Purge(p, u, ios.DriverMirror) })
	g.run()
	for i, r := range all {
		want := []int{arch.CompletionPurged, arch.CompletionNormal}[i%2]
		assert.EqualValues(t, want, r.CompletionCode, r.name)
		assert.Equal(t, 1, r.done, r.name)
	}
	assert.Subset(t, d.sent, []string{"b", "d"})
	assert.Zero(t, u.Length())
	assert.Zero(t, u.Started())
}

// TestPurgeWhileDriving: a request that is purged from within the first pointer
// is not lost, whatever the queue looks like at that moment.
func TestPurgeWhileDriving(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		g := newRig(t, 1)
		u, _ := g.unit(0x100, nil)
		purges := 0
		g.hook(func(p *machine.Processor, q *ios.IOQ) (ios.ReturnCode, bool) {
			if random.IntN(6) == 0 && purges < 3 {
				purges++
				g.s.Purge(p, u, ios.DriverMirror)
			}
			return ios.Queued, random.IntN(3) == 0
		})
		var all []*request
		for i := range 12 {
			r := g.request(fmt.Sprint(i%10), u)
			r.DriverID = []uint8{ios.DriverMirror, ios.DriverBlock}[random.IntN(2)]
			all = append(all, r)
		}
		g.start(all...)
		g.run()
		for i, r := range all {
			require.Equal(t, 1, r.done, "seed %d: request %d", seed, i)
			require.Equal(t, 1, r.released)
		}
		require.Zero(t, u.Length(), "seed %d", seed)
		require.Zero(t, u.Started(), "seed %d", seed)
	}
}

// TestSuspendedOnPurposeMakesWay: a channel program that stays suspended gives
// the subchannel up to a request that waits for it.
func TestSuspendedOnPurposeMakesWay(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	k := g.request("k", u)
	v := g.m.Storage.View(k.ChannelProgram, arch.CCWSize)
	channel.PutCCW1(v, channel.CCW{Command: 0x03, Flags: arch.FlagS | arch.FlagSLI, Count: 1})
	k.Control = channel.ORBDefaultControl | channel.ORBSuspend
	k.KeepSuspended = true
	g.start(k)
	g.m.Clock.RunUntil(machine.Second)
	assert.Equal(t, 1, u.Started())
	assert.Zero(t, k.done)
	a := g.request("a", u)
	g.start(a)
	g.run()
	assert.Equal(t, []string{"a"}, d.sent)
	assert.EqualValues(t, arch.CompletionNormal, a.CompletionCode)
	assert.EqualValues(t, arch.CompletionPurged, k.CompletionCode)
	assert.Zero(t, u.Length())
}

func TestFixKeepsStorageUntilTheLastUnfix(t *testing.T) {
	g := newRig(t, 1)
	u, _ := g.unit(0x100, nil)
	a := g.request("a", u)
	a.Init(g.s)
	a.Fix()
	g.on(func(p *machine.Processor) { g.s.STARTIO(p, &a.IOSB) })
	g.run()
	assert.Equal(t, []string{"a 7F"}, g.log)
	a.Unfix()
	assert.Equal(t, []string{"a 7F", "a released"}, g.log)
}

// TestARequesterStartsAgainFromItsExit: Done may issue STARTIO for another
// request, Released for the same one.
func TestARequesterStartsAgainFromItsExit(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	a, b := g.request("a", u), g.request("b", u)
	a.then = func(p *machine.Processor) {
		b.Init(g.s)
		g.s.STARTIO(p, &b.IOSB)
	}
	g.start(a)
	g.run()
	assert.Equal(t, []string{"a", "b"}, d.sent)
	assert.Equal(t, "a 7F,a released,b 7F,b released", strings.Join(g.log, ","))
}
