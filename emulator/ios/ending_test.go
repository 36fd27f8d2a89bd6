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

// laterUnit is a rig with one unit whose device answers later, and a request that
// has been started there.
func laterUnit(t *testing.T) (*rig, *device, *request) {
	g := newRig(t, 1)
	u, d := g.unit(0x100, nil)
	d.putOff = true
	a := g.request("a", u)
	g.start(a)
	g.m.Clock.RunUntil(machine.Millisecond)
	require.Len(t, d.endings, 1)
	require.Zero(t, a.done, "the device has not answered")
	return g, d, a
}

func TestRequestWhoseEndComesLater(t *testing.T) {
	t.Run("good", func(t *testing.T) {
		g, d, a := laterUnit(t)
		g.m.Clock.RunUntil(3 * machine.Second) // no missing interruption yet
		require.True(t, d.endings[0].Report(0))
		g.run()
		assert.EqualValues(t, arch.CompletionNormal, a.CompletionCode)
		assert.Equal(t, 1, a.done)
		assert.GreaterOrEqual(t, a.at, 3*machine.Second)
		assert.Zero(t, g.s.Counts().MissingInterrupts)
	})
	t.Run("unit check", func(t *testing.T) {
		g, d, a := laterUnit(t)
		d.check = append([]byte{0x10}, make([]byte, 31)...) // equipment check
		for range 100 {
			for _, e := range d.endings {
				e.Report(arch.ChannelEnd | arch.DeviceEnd | arch.UnitCheck)
			}
			g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
		}
		assert.EqualValues(t, arch.CompletionPermanent, a.CompletionCode, "after what error recovery tries")
		assert.Equal(t, 1, a.done)
		assert.Greater(t, len(d.endings), 1)
	})
	t.Run("path lost", func(t *testing.T) {
		g, d, a := laterUnit(t)
		d.gone = true
		require.True(t, d.endings[0].Lose())
		g.run()
		assert.EqualValues(t, arch.CompletionNoPath, a.CompletionCode)
		assert.Equal(t, 1, a.done)
	})
	t.Run("never", func(t *testing.T) {
		g, d, a := laterUnit(t)
		g.run()
		assert.EqualValues(t, arch.CompletionNoPath, a.CompletionCode, "missing-interrupt handling gives up")
		assert.Equal(t, 1, a.done)
		for _, e := range d.endings {
			assert.False(t, e.Report(0), "the answer comes too late")
		}
		g.run()
		assert.Equal(t, 1, a.done)
	})
}

// Devices answer in any order, some never or with an error, paths are lost, and
// each request ends once.
func TestEndsComeInAnyOrder(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 2))
		g := newRig(t, 1+random.IntN(2))
		var units []*ios.UCB
		var devices []*device
		for i := range 3 {
			u, d := g.unit(uint16(i), nil)
			units, devices = append(units, u), append(devices, d)
			for k := range 2 {
				_, alias := g.unit(uint16(0x10+2*i+k), u)
				devices = append(devices, alias)
			}
		}
		for _, d := range devices {
			d.putOff = true
		}
		var all []*request
		for i := range 40 {
			r := g.request(string(rune('A'+i%26)), units[random.IntN(len(units))])
			all = append(all, r)
			g.start(r)
			g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Time(random.IntN(100))*machine.Microsecond)
			d := devices[random.IntN(len(devices))]
			if len(d.endings) == 0 {
				continue
			}
			e := d.endings[random.IntN(len(d.endings))]
			switch random.IntN(8) {
			case 0:
				e.Lose()
			case 1:
				e.Report(arch.ChannelEnd | arch.DeviceEnd | arch.UnitCheck)
			case 2: // never: left to missing-interrupt handling
				d.endings = nil
			default:
				e.Report(0)
			}
		}
		for _, d := range devices { // from now on devices answer at once; what is out is answered late
			d.putOff = false
		}
		g.m.Clock.RunUntil(g.m.Clock.Now() + 40*machine.Second)
		for _, d := range devices {
			for _, e := range d.endings {
				e.Report(0)
			}
		}
		g.run()
		for i, r := range all {
			require.Equal(t, [2]int{1, 1}, [2]int{r.done, r.released}, "seed %d: request %d, code %02X", seed, i, r.CompletionCode)
		}
		require.Zero(t, g.s.Counts().Duplicates)
		for _, u := range units {
			require.Zero(t, u.Length(), "seed %d", seed)
			require.Zero(t, u.Started(), "seed %d", seed)
		}
	}
}
