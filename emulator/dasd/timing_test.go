package dasd

import (
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rotation of a 3390.
const rotation3390 = 14100 * machine.Microsecond

// Records lie where they are on the track: what a miss takes depends on the record
// and on where the head is, and on nothing else.
func TestRecordsHaveTheirPlaces(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{})
	const track = 30
	g := r.d.Geometry()
	took := func(record int, sector byte) machine.Time {
		r.sub.LoseCache()
		r.program(false, track, record, 1)
		r.control[rigLocate+13] = sector
		return r.took()
	}
	took(1, arch.AnySector) // the arm is on the cylinder from now on
	for record := 1; record <= 12; record++ {
		// From one time of the index to the next the same, whatever the record before.
		end := func() machine.Time {
			took(record, arch.AnySector)
			return (r.m.Clock.Now() - r.d.arms[0].phase) % rotation3390
		}
		first := end()
		took(1+record*5%12, arch.AnySector)
		assert.InDelta(t, float64(first), float64(end()), 1000, "record %d", record)
	}
	// The places of the records are the same for a track with an image.
	uniform, err := r.d.ckd.Track(track)
	require.NoError(t, err)
	places := func() (all []int) {
		rec, err := uniform.Zero()
		for more := true; more && err == nil; rec, more, err = uniform.Next(rec) {
			all = append(all, uniform.Angle(g, rec))
		}
		require.NoError(t, err)
		return all
	}
	before := places()
	assert.IsIncreasing(t, before)
	assert.Len(t, before, 13)
	u, err := r.d.ckd.Update(track)
	require.NoError(t, err)
	u.Materialize(g)
	uniform = u
	assert.Equal(t, before, places())

	// A sector ahead of the record changes nothing, one behind it costs the way round;
	// unless the head comes between the two.
	later := [2]int{}
	for i := range 14 {
		with := func(sector byte) machine.Time {
			q := newRig(t, "3390-3", LinkConfig{})
			q.m.Clock.At(machine.Time(i)*machine.Millisecond, &queue{}, 0, 0)
			q.settle()
			q.program(false, 0, 7, 1)
			q.control[rigLocate+13] = sector
			return q.took()
		}
		sector := byte(before[7] * g.Sectors / turn)
		none := with(arch.AnySector)
		ahead, behind := with(sector), with(sector+10)
		for k, took := range []machine.Time{ahead, behind} {
			if took != none {
				assert.Equal(t, rotation3390, took-none)
				later[k]++
			}
		}
	}
	assert.LessOrEqual(t, later[0], 1)
	assert.GreaterOrEqual(t, later[1], 13)
}

// Records that follow one another are read and written in one revolution, and the
// next track's in the next one.
func TestRecordsInARow(t *testing.T) {
	const most = 10*machine.Millisecond + 2*rotation3390 + machine.Millisecond // a seek, the latency, the track
	for _, c := range []struct {
		name  string
		write bool
	}{{"read", false}, {"written without fast write", true}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, "3390-3", LinkConfig{})
			r.program(c.write, 3000, 1, 12)
			r.control[rigDefine+1] |= arch.AttributeInhibitFast
			all := r.took()
			assert.Less(t, all, most)
			assert.Greater(t, all, rotation3390*9/10)
			r.program(c.write, 3000, 4, 1)
			r.control[rigDefine+1] |= arch.AttributeInhibitFast
			r.sub.LoseCache()
			assert.Less(t, r.took(), rotation3390+rotation3390/stageShare+machine.Millisecond)
		})
	}
	// Two tracks: the second begins behind the index.
	r := newRig(t, "3390-3", LinkConfig{})
	r.program(false, 3000, 1, 24)
	r.control[rigDefine+15]++
	assert.Less(t, r.took(), most+rotation3390)
}

// A block lies at its sector of its track.
func TestBlocksHaveTheirPlaces(t *testing.T) {
	q := newQueue(t, "3370-1", 512, 3)
	var block int
	q.request = func(int) (int, int) { return 0, block }
	end := func(b int) machine.Time {
		block = b
		q.arrive(t, 0)
		for q.m.Clock.Step() {
		}
		return (q.m.Clock.Now() - q.d.arms[0].phase) % q.d.mechanics.rotation
	}
	per := q.d.geometry.BlocksPerTrack
	end(0)
	first := end(0)
	for _, b := range []int{1, 31, 61} {
		want := (first + machine.Time(b)*q.d.mechanics.rotation/machine.Time(per)) % q.d.mechanics.rotation
		assert.InDelta(t, float64(want), float64(end(b)), 1000, "block %d", b)
		assert.InDelta(t, float64(want), float64(end(b+3*per)), 1000, "block %d", b+3*per)
	}
}

// The disks of different devices, arms and seeds are turned against one another;
// those of the same are not.
func TestPhases(t *testing.T) {
	phases := func(seed uint64) (all []machine.Time) {
		m, err := machine.New(1)
		require.NoError(t, err)
		sub, err := NewSubsystem(m, "S", Config{Seed: seed, Timing: Timing{Arms: 4}})
		require.NoError(t, err)
		g, err := media.Lookup("3390-1")
		require.NoError(t, err)
		for number := range uint16(4) {
			medium, err := media.NewMemoryCKD(g, 0, 0)
			require.NoError(t, err)
			d, err := sub.NewECKD(number, medium)
			require.NoError(t, err)
			for _, a := range d.arms {
				assert.True(t, a.phase >= 0 && a.phase < rotation3390, "%v", a.phase)
				all = append(all, a.phase)
			}
		}
		return all
	}
	first := phases(1)
	assert.Equal(t, first, phases(1))
	different := map[machine.Time]bool{}
	for _, p := range append(first, phases(2)...) {
		different[p] = true
	}
	assert.Len(t, different, 32)
}

// A search that finds nothing goes round the track.
func TestNoRecordTakesTwoRevolutions(t *testing.T) {
	b := newBench(t)
	b.d.subsystem.LoseCache()
	from := b.m.Clock.Now()
	b.run(with(searchFor("0001000063"))...)
	assert.Greater(t, b.m.Clock.Now()-from, rotation3390)
	assert.Less(t, b.m.Clock.Now()-from, 2*rotation3390+12*machine.Millisecond)
}
