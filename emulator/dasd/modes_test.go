package dasd

import (
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// set runs a Set Subsystem Mode.
func (r *rig) set(t *testing.T, mode0, mode1 byte) {
	const at = 0x200
	r.control[at], r.control[at+1] = mode0, mode1
	channel.PutCCW1(r.control, channel.CCW{Command: 0x87, Count: 2, Address: at})
	r.start()
	r.settle()
	require.Zero(t, r.counter.failed)
}

// lasts is how long a program for one block takes, with the attributes of its
// define extent, begun at a multiple of the rotation so that the angle is always
// the same.
func (r *rig) lasts(t *testing.T, write bool, track int, attributes byte) machine.Time {
	const every = 100
	period := every * r.d.mechanics.rotation
	now := (r.m.Clock.Now()/period + 1) * period
	r.program(write, track, 1, 1)
	r.control[rigDefine+1] |= attributes
	if attributes&arch.AttributeFastWrite != 0 {
		r.control[rigDefine+5] = byte(r.sub.CFWID())
	}
	r.m.Clock.RunUntil(now)
	r.start()
	r.settle()
	require.Zero(t, r.counter.failed)
	return r.counter.last - now
}

// The fields of Set Subsystem Mode, shifted to their places.
func forSubsystem(value byte) byte { return value << 5 }
func forDevice(value byte) byte    { return value << 2 }

func TestCachingModes(t *testing.T) {
	const track = 30
	for _, c := range []struct {
		name    string
		off, on [2]byte
	}{
		{"subsystem", [2]byte{forSubsystem(2)}, [2]byte{forSubsystem(1)}},
		{"subsystem, forced", [2]byte{forSubsystem(3)}, [2]byte{forSubsystem(1)}},
		{"device", [2]byte{forDevice(2)}, [2]byte{forDevice(1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, "3390-3", LinkConfig{})
			miss := r.lasts(t, false, track, 0)
			hit := r.lasts(t, false, track, 0)
			require.Greater(t, miss, hit+machine.Millisecond)
			stays := r.lasts(t, false, track, arch.AttributeBypass)
			require.Equal(t, hit, stays, "bypass does not matter to a hit")
			r.lasts(t, false, track+1, arch.AttributeBypass) // the arm goes there
			bypassed := r.lasts(t, false, track+1, arch.AttributeBypass)
			require.Greater(t, bypassed, hit)

			r.set(t, c.off[0], c.off[1])
			before := r.d.Stats()
			for range 3 {
				assert.Equal(t, bypassed, r.lasts(t, false, track+1, 0), "as with the cache bypassed")
			}
			assert.Equal(t, before.ReadHits, r.d.Stats().ReadHits)
			assert.Equal(t, before.ReadMisses+3, r.d.Stats().ReadMisses)

			r.set(t, c.on[0], c.on[1])
			assert.Equal(t, bypassed, r.lasts(t, false, track+1, 0), "nothing was loaded")
			assert.Equal(t, hit, r.lasts(t, false, track+1, 0))
			assert.Equal(t, before.ReadHits+1, r.d.Stats().ReadHits)
			r.lasts(t, false, track, 0)
			assert.Equal(t, before.ReadMisses+5, r.d.Stats().ReadMisses, "what was in the cache has left it")

			// Nor does a write load its track.
			r.set(t, c.off[0], c.off[1])
			r.lasts(t, true, track, 0)
			r.set(t, c.on[0], c.on[1])
			misses := r.d.Stats().ReadMisses
			r.lasts(t, false, track, 0)
			assert.Equal(t, misses+1, r.d.Stats().ReadMisses)
			r.lasts(t, true, track+2, 0)
			r.lasts(t, false, track+2, 0)
			assert.Equal(t, misses+1, r.d.Stats().ReadMisses, "with caching it does")
		})
	}
}

func TestFastWriteModes(t *testing.T) {
	const track = 45
	for _, c := range []struct {
		name    string
		off, on [2]byte
	}{
		{"device", [2]byte{forDevice(4)}, [2]byte{forDevice(3)}},
		{"device, forced", [2]byte{forDevice(5)}, [2]byte{forDevice(3)}},
		{"non-volatile storage", [2]byte{0, forSubsystem(2)}, [2]byte{0, forSubsystem(1)}},
		{"non-volatile storage, forced", [2]byte{0, forSubsystem(3)}, [2]byte{0, forSubsystem(1)}},
		{"caching of the subsystem", [2]byte{forSubsystem(2)}, [2]byte{forSubsystem(1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, "3390-3", LinkConfig{})
			r.lasts(t, true, track, 0)
			fast := r.lasts(t, true, track, 0)
			r.sub.LoseCache()
			r.lasts(t, true, track, arch.AttributeInhibitFast|arch.AttributeBypass) // the arm goes there
			slow := r.lasts(t, true, track, arch.AttributeInhibitFast|arch.AttributeBypass)
			require.Greater(t, slow, fast+machine.Millisecond)

			r.set(t, c.off[0], c.off[1])
			before := r.d.Stats()
			for range 2 {
				assert.Equal(t, slow, r.lasts(t, true, track, arch.AttributeBypass), "as with fast write inhibited")
			}
			assert.Equal(t, before.FastWrites, r.d.Stats().FastWrites)
			assert.Equal(t, before.WriteMisses+2, r.d.Stats().WriteMisses)

			r.set(t, c.on[0], c.on[1])
			assert.Equal(t, fast, r.lasts(t, true, track, 0))
		})
	}
}

func TestCacheFastWriteModes(t *testing.T) {
	const track = 60
	r := newRig(t, "3390-3", LinkConfig{})
	const cached = arch.AttributeFastWrite | arch.AttributeInhibitFast
	fast := r.lasts(t, true, track, cached)
	r.set(t, forSubsystem(5), 0)
	slow := r.lasts(t, true, track, cached|arch.AttributeBypass)
	assert.Greater(t, slow, fast+machine.Millisecond)
	r.set(t, forSubsystem(4), 0)
	assert.Equal(t, fast, r.lasts(t, true, track, cached))
	r.set(t, forDevice(2), 0)
	assert.Greater(t, r.lasts(t, true, track, cached), fast+machine.Millisecond, "there is no caching for it")
}

// Without the subsystem's caching nothing works; what is set for a device holds
// again with it.
func TestModesOfDevicesAreKept(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{})
	assert.True(t, r.d.caches() && r.d.fastWrites())
	r.set(t, forDevice(2), 0)
	r.set(t, forSubsystem(2), 0)
	assert.False(t, r.d.caches() || r.d.fastWrites())
	r.set(t, forSubsystem(1), 0)
	assert.False(t, r.d.caches())
	assert.True(t, r.d.fastWrites())
	r.set(t, forDevice(1), 0)
	assert.True(t, r.d.caches())
	other := r.d.modes
	r.set(t, 0, forSubsystem(4))
	r.set(t, 0, forSubsystem(5))
	assert.Equal(t, other, r.d.modes)
	assert.Zero(t, r.sub.modes, "duplexing has no effect")
}

func TestModesAreSensed(t *testing.T) {
	b := newBench(t)
	status := func() string {
		p := b.ok(step{code: 0x54, count: 40}).data[0]
		statistics := b.ok(step{code: 0x27, data: "18 0000000000 01 0000000000"}, step{code: 0x3E, count: 96}).data[1]
		require.Equal(t, p[2*statusDevice:2*statusDevice+2], statistics[4:6], "the device's states are in both")
		return p[2*statusCaching:2*statusNonVolatile+2] + " " + p[2*statusDevice:2*statusDevice+2]
	}
	assert.Equal(t, "0000 00", status())
	for _, c := range []struct{ mode, want string }{
		{"0800", "0000 c0"}, {"1000", "0000 f0"}, {"4000", "8000 f0"}, {"0040", "8080 f0"},
		{"2000", "0080 f0"}, {"0400", "0080 30"}, {"0C00", "0080 00"}, {"0020", "0000 00"}, {"0000", "0000 00"},
	} {
		b.ok(step{code: 0x87, data: c.mode})
		assert.Equal(t, c.want, status(), "mode %s", c.mode)
	}
	for _, mode := range []string{"C000", "1800", "00C0", "0200", "0010", "2400", "2020", "0420"} {
		assert.Equal(t, "800004", b.run(step{code: 0x87, data: mode}).sense, "mode %s", mode)
	}
}
