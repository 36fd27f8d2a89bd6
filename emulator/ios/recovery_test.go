package ios_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

func TestErrorRecovery(t *testing.T) {
	for _, c := range []struct {
		name    string
		sense   []byte
		fails   int
		except  bool
		code    int
		retries uint8
		chains  int
	}{
		{"equipment check once", []byte{0x10, 0}, 1, false, arch.CompletionNormal, 1, 2},
		{"data check three times", []byte{0x08, 0}, 3, false, arch.CompletionNormal, 3, 4},
		{"overrun for good", []byte{0x04, 0}, 99, false, arch.CompletionPermanent, 3, 4},
		{"command reject", []byte{0x80, 0}, 1, false, arch.CompletionPermanent, 0, 1},
		{"file protected", []byte{0, 0x04}, 1, false, arch.CompletionExtent, 0, 1},
		{"unit exception", nil, 0, true, arch.CompletionPermanent, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			u, d := g.unit(0x100, nil)
			d.check, d.fails, d.exact = append(c.sense, make([]byte, 30)...), c.fails, c.except
			a := g.request("a", u)
			g.start(a)
			g.run()
			assert.EqualValues(t, c.code, a.CompletionCode)
			assert.Equal(t, c.retries, a.Retries)
			assert.Len(t, d.sent, c.chains)
			assert.Equal(t, 1, a.done)
			assert.EqualValues(t, c.retries, g.s.Counts().Redriven)
			assert.Zero(t, u.Length())
		})
	}
}

func TestMissingInterrupt(t *testing.T) {
	for _, c := range []struct {
		name        string
		start, stop int // chains and statuses that are lost
		code        int
		from, to    machine.Time
	}{
		{"lost start", 1, 0, arch.CompletionNormal, ios.MissingInterrupt, ios.MissingInterrupt + 3*machine.Second},
		{"lost status", 0, 1, arch.CompletionNormal, ios.MissingInterrupt, ios.MissingInterrupt + 3*machine.Second},
		{"lost for good", 99, 0, arch.CompletionNoPath, ios.MissingInterrupt + ios.RecoveryTime, ios.MissingInterrupt + ios.RecoveryTime + 3*machine.Second},
		{"statuses lost for good", 0, 99, arch.CompletionNoPath, ios.MissingInterrupt + ios.RecoveryTime, ios.MissingInterrupt + ios.RecoveryTime + 3*machine.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			u, d := g.unit(0x100, nil)
			d.loseNext, d.loseEnd = c.start, c.stop
			a, b := g.request("a", u), g.request("b", u)
			g.start(a)
			g.m.Clock.RunUntil(machine.Millisecond)
			g.start(b)
			g.run()
			assert.EqualValues(t, c.code, a.CompletionCode)
			assert.GreaterOrEqual(t, a.at, c.from)
			assert.LessOrEqual(t, a.at, c.to)
			assert.Equal(t, [2]int{1, 1}, [2]int{a.done, b.done})
			assert.Zero(t, u.Length())
			assert.Zero(t, u.Started())
			assert.Positive(t, g.s.Counts().MissingInterrupts)
		})
	}
}

// TestSilentDeviceIsBoxed: of a device that answers nothing any more, the first
// requests wait for missing-interrupt handling and one recovery; those queued
// behind them, and those to come, end at once without being sent, until the
// device is heard of or is put online.
func TestSilentDeviceIsBoxed(t *testing.T) {
	for name, back := range map[string]func(g *rig, u *ios.UCB){
		"online":             func(g *rig, u *ios.UCB) { g.s.Online(g.m.Clock.Now(), u) },
		"unsolicited status": func(g *rig, u *ios.UCB) { u.Aliases[0].Subchannel.Present(g.m.Clock.Now(), arch.DeviceEnd) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, 2)
			var told []bool
			u, d := g.unit(0x100, nil)
			_, alias := g.unit(0x101, u)
			g.s.Told = func(_ machine.Time, of *ios.UCB, boxed bool) {
				assert.Same(t, u, of)
				told = append(told, boxed)
			}
			d.loseNext, alias.loseNext = 1<<20, 1<<20
			var all []*request
			for i := range 40 {
				all = append(all, g.request(string(rune('A'+i)), u))
			}
			g.start(all...)
			g.run()
			last := machine.Time(0)
			for _, r := range all {
				require.EqualValues(t, arch.CompletionNoPath, r.CompletionCode, r.name)
				require.Equal(t, [2]int{1, 1}, [2]int{r.done, r.released})
				last = max(last, r.at)
			}
			assert.Less(t, last, ios.MissingInterrupt+ios.RecoveryTime+4*machine.Second, "of 40 requests on two units")
			assert.True(t, u.Boxed())
			assert.EqualValues(t, 1, g.s.Counts().Boxed)
			sent := g.s.Counts().SSCH
			late := g.request("l", u)
			before := g.m.Clock.Now()
			g.start(late)
			g.run()
			assert.EqualValues(t, arch.CompletionNoPath, late.CompletionCode)
			assert.Less(t, late.at-before, machine.Millisecond)
			assert.Equal(t, sent, g.s.Counts().SSCH, "a boxed device is not asked")

			d.loseNext, alias.loseNext = 0, 0
			back(g, u)
			g.run()
			assert.False(t, u.Boxed())
			again := g.request("a", u)
			g.start(again)
			g.run()
			assert.EqualValues(t, arch.CompletionNormal, again.CompletionCode)
			assert.Equal(t, []bool{true, false}, told)
			assert.Zero(t, u.Length())
			assert.Zero(t, u.Started())
		})
	}
}

// TestDeviceThatAnswersIsNotBoxed: one way to a device loses everything, another
// one answers, so the device is not given up.
func TestDeviceThatAnswersIsNotBoxed(t *testing.T) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	g.unit(0x101, u)
	d.loseNext = 2
	var all []*request
	for i := range 60 {
		r := g.request(string(rune('A'+i)), u)
		all = append(all, r)
		g.start(r)
		g.m.Clock.RunUntil(machine.Time(i) * machine.Second)
	}
	g.run()
	for _, r := range all {
		require.EqualValues(t, arch.CompletionNormal, r.CompletionCode, r.name)
	}
	assert.Positive(t, g.s.Counts().MissingInterrupts)
	assert.Zero(t, g.s.Counts().Boxed)
}

func TestMissingInterruptSwitchedOff(t *testing.T) {
	g := newRig(t, 1)
	g.s.MissingInterrupt = -1
	u, d := g.unit(0x100, nil)
	d.loseNext = 1
	a := g.request("a", u)
	g.start(a)
	g.run()
	assert.Zero(t, a.done)
	assert.Equal(t, 1, u.Started())
	g.s.Cancel(&a.IOSB)
	g.run()
	assert.Equal(t, 1, a.done)
	assert.Zero(t, u.Length())
}

// TestEachRequestEndsOnce throws everything at a few units at once: lost starts
// and statuses, unit checks, busy, requests left, refused and moved, units
// quiesced and purged.
func TestEachRequestEndsOnce(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		g := newRig(t, 1+random.IntN(3))
		var units []*ios.UCB
		var devices []*device
		for i := range 3 {
			u, d := g.unit(uint16(i), nil)
			for range random.IntN(3) {
				_, alias := g.unit(uint16(0x10+i), u)
				devices = append(devices, alias)
			}
			units, devices = append(units, u), append(devices, d)
		}
		calm := false
		g.hook(func(p *machine.Processor, q *ios.IOQ) (ios.ReturnCode, bool) {
			switch n := random.IntN(20); {
			case calm || n > 4:
				return 0, false
			case n == 0:
				return ios.Queued, true
			case n == 1:
				return ios.Refused, true
			case n == 2:
				g.s.Move(p, q, units[random.IntN(len(units))])
				return ios.Moved, true
			case n == 3:
				q.IOSB.CC = 2
				return ios.Started, true
			}
			g.s.Purge(p, units[random.IntN(len(units))], ios.DriverMirror)
			return 0, false
		})
		var all []*request
		for i := range 60 {
			r := g.request(string(rune('A'+i%26)), units[random.IntN(len(units))])
			r.Writes = random.IntN(2) == 0
			r.DriverID = []uint8{ios.DriverMirror, ios.DriverBlock}[random.IntN(2)]
			all = append(all, r)
			d := devices[random.IntN(len(devices))]
			switch random.IntN(12) {
			case 0:
				d.loseNext = 1
			case 1:
				d.loseEnd = 1
			case 2:
				d.check, d.fails = append([]byte{0x10}, make([]byte, 31)...), random.IntN(5)
			case 3:
				u := units[random.IntN(len(units))]
				g.s.HoldWrites(u)
				g.m.Clock.At(g.m.Clock.Now()+machine.Millisecond, release{g, u}, machine.KindLab, 0)
			case 4:
				u := units[random.IntN(len(units))]
				g.s.Quiesce(u)
				g.m.Clock.At(g.m.Clock.Now()+machine.Millisecond, release{g, u}, machine.KindLab, 0)
			}
			g.start(r)
			g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Time(random.IntN(200))*machine.Microsecond)
		}
		calm = true
		g.m.Clock.RunUntil(g.m.Clock.Now() + 10*60*machine.Second)
		for _, u := range units {
			for range 60 {
				g.on(func(p *machine.Processor) { g.s.Release(p, u) })
			}
		}
		g.run()
		for i, r := range all {
			require.Equal(t, [2]int{1, 1}, [2]int{r.done, r.released}, "seed %d: request %d on %04X, code %02X", seed, i, r.UCB.DeviceNumber, r.CompletionCode)
			require.True(t, r.Ended())
		}
		for _, u := range units {
			require.Zero(t, u.Length(), "seed %d", seed)
			require.Zero(t, u.Started(), "seed %d", seed)
		}
		require.Zero(t, g.s.Counts().Duplicates)
	}
}

type release struct {
	g *rig
	u *ios.UCB
}

func (r release) Event(machine.Kind, uint64) {
	r.g.on(func(p *machine.Processor) { r.g.s.Release(p, r.u) })
}
