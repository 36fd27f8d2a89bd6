package dasd

import (
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// took is how long the rig's program lasts from now on.
func (r *rig) took() machine.Time {
	from := r.m.Clock.Now()
	r.start()
	r.settle()
	return r.counter.last - from
}

func TestDistance(t *testing.T) {
	took := func(kind LinkType, kilometres float64, write bool) machine.Time {
		r := newRig(t, "3390-3", LinkConfig{Type: kind, Kilometres: kilometres})
		r.program(true, 100, 1, 1)
		r.took() // the track is in the cache from now on
		r.program(write, 100, 1, 1)
		return r.took()
	}
	const us = machine.Microsecond
	// FICON: one round trip for a read, two for a write, 10 us/km each.
	assert.Equal(t, 500*us, took(FICON, 50, false)-took(FICON, 0, false))
	assert.Equal(t, 1000*us, took(FICON, 50, true)-took(FICON, 0, true))
	// ESCON: two round trips for each of three commands. Up to 9 km the rate
	// holds; at 20 km it is half of 17 MB/s.
	assert.Equal(t, 6*90*us, took(ESCON, 9, true)-took(ESCON, 0, true))
	data := 4096 * machine.Second / 17_000_000
	assert.InDelta(t, float64(6*200*us+data), float64(took(ESCON, 20, true)-took(ESCON, 0, true)), float64(2*us))
	// The rate of 4 KiB operations without distance, of which there is one at a time.
	r := newRig(t, "3390-3", LinkConfig{Type: ESCON})
	escon := int(r.rate(true, 1) * 1e9)
	assert.True(t, escon >= 2000 && escon <= 2500, "ESCON does %d a second", escon)
	assert.Less(t, took(FICONExpress8, 0, false), took(FICON, 0, false))
}

// shapes are channel programs, with the round trips that they take: of all of the
// program on FICON, where commands and data are sent without waiting for the
// answer to each; of each command on ESCON, define extent and locate record
// included.
//
// Two for a FICON write: the responses that a control unit gives by default (a
// vendor's description of remote copy; one with its pre-transfer option). One for a
// read, and two for each ESCON command, are estimates: see the table of the timing
// model in docs/performance.md.
var shapes = []struct {
	name         string
	write        bool
	count        int // of data commands
	ficon, escon int
}{
	{"read of a record", false, 1, 1, 6},
	{"read of four records", false, 4, 1, 12},
	{"write of a record", true, 1, 2, 6},
	{"write of four records", true, 4, 2, 12},
}

// TestRoundTrips holds the time that a program takes on an idle link against
// arithmetic, for each type, distance and chain.
func TestRoundTrips(t *testing.T) {
	for kind := range linkTypes {
		for _, shape := range shapes {
			for _, kilometres := range []float64{0, 9, 50, 100, 300, 1000} {
				r := newRig(t, "3390-3", LinkConfig{Type: kind, Kilometres: kilometres})
				r.program(true, 100, 1, 12)
				r.took()
				r.program(shape.write, 100, 1, shape.count)
				before := r.link.Stats().RoundTrips
				took := r.took()
				trips := shape.ficon
				if kind == ESCON {
					trips = shape.escon
				}
				assert.Equal(t, uint64(trips), r.link.Stats().RoundTrips-before, "%v, %s", kind, shape.name)
				assert.InDelta(t, float64(unloaded(r.link, shape.count, trips)), float64(took), 10, "%v, %s, %v km", kind, shape.name, kilometres)
			}
		}
	}
}

// unloaded is the time that a program of hits takes with so many data commands of 4
// KiB and so many round trips.
func unloaded(l *Link, count, trips int) machine.Time {
	commands := machine.Time(2 + count)
	bytes := int64(4096*count + arch.DefineExtentSize + arch.LocateRecordSize)
	return machine.Time(trips)*2*l.latency + DefaultChain + commands*(DefaultCommand+l.config.Command) + machine.Time(bytes*l.picoseconds/1000)
}

// TestThroughput holds the rate of a link that always has programs waiting against
// arithmetic: exchanges by the time that each is open, from the channel's sending
// of the program to its accepting of the status; or the rate of the data.
func TestThroughput(t *testing.T) {
	for kind := range linkTypes {
		for _, shape := range shapes {
			for _, kilometres := range []float64{0, 50, 100, 300, 1000} {
				r := newRig(t, "3390-3", LinkConfig{Type: kind, Kilometres: kilometres})
				r.sub.config.Timing.NonVolatileBytes = 1 << 40
				trips := shape.ficon
				if kind == ESCON {
					trips = shape.escon
				}
				open := unloaded(r.link, shape.count, trips)
				data := machine.Time(int64(4096*shape.count) * r.link.picoseconds / 1000)
				want := min(float64(r.link.config.Exchanges)/float64(open), 1/float64(data))
				assert.InEpsilon(t, want, r.rate(shape.write, shape.count), 0.02, "%v, %s, %v km", kind, shape.name, kilometres)
			}
		}
	}
}

// rate keeps a program of hits waiting for the link at all times and gives how many
// end in a nanosecond.
func (r *rig) rate(write bool, count int) float64 {
	const size = 0x200
	ways := r.aliases(min(2*r.link.config.Exchanges, len(r.control)/size) - 1)
	start := func(i int, write bool) {
		r.programAt(i*size, write, i, 1, count)
		orb := rigORB
		orb.ChannelProgram = uint32(i * size)
		r.css.StartSubchannel(r.m.Clock.Now(), ways[i], &orb)
	}
	loop := &again{r: r, start: func(i int) { start(i, write) }}
	r.css.SetInterruptHandler(loop)
	for i, sch := range ways {
		sch.Owner = i
		start(i, true) // brings the tracks into the cache
	}
	var from machine.Time
	var first int
	for r.m.Clock.Step() {
		if first == 0 && loop.ended >= 4*len(ways) {
			first, from = loop.ended, r.m.Clock.Now()
		}
		if loop.ended >= first+20*len(ways) && first > 0 {
			break
		}
	}
	return float64(loop.ended-first) / float64(r.m.Clock.Now()-from)
}

// again starts a program anew when it ends.
type again struct {
	r     *rig
	start func(i int)
	ended int
}

func (a *again) Interruption(_ machine.Time, sch *channel.Subchannel) {
	var irb channel.IRB
	a.r.css.TestSubchannel(sch, &irb)
	a.ended++
	a.start(sch.Owner.(int))
}

// TestElapsedIsTheChannels: what the chain has lasted so far includes the way of
// its answers, so that an interruption within it comes no earlier than the host
// can know of it, and no later than the ending status.
func TestElapsedIsTheChannels(t *testing.T) {
	elapsed := func(kind LinkType, kilometres float64) (first, so, end machine.Time) {
		r := newRig(t, "3390-3", LinkConfig{Type: kind, Kilometres: kilometres})
		s := r.d.NewSession(r.link).(*eckd)
		require.Zero(t, s.Begin(0, &channel.ORB{}))
		first = s.Elapsed()
		s.traffic.commands, s.traffic.wrote, s.traffic.bytes[outward] = 3, true, 4096
		so = s.Elapsed()
		end, _ = s.End(0, channel.Ending{})
		return first, so, end
	}
	const us = machine.Microsecond
	for _, kind := range []LinkType{FICON, ESCON} {
		near, nearSo, _ := elapsed(kind, 0)
		far, farSo, end := elapsed(kind, 9)
		assert.Equal(t, 45*us, min(far-near, 45*us), "%v: one way", kind)
		trips := map[LinkType]machine.Time{FICON: 2, ESCON: 6}[kind]
		assert.Equal(t, (trips-1)*90*us+45*us, farSo-nearSo, "%v", kind)
		assert.LessOrEqual(t, farSo, end, "%v", kind)
	}
}

func TestLinkConfig(t *testing.T) {
	m, err := machine.New(1)
	require.NoError(t, err)
	for _, c := range []LinkConfig{
		{Kilometres: -1}, {Kilometres: 1e9}, {BytesPerSecond: 1}, {Exchanges: -1}, {Exchanges: 1000}, {ReadRoundTrips: -1}, {Type: 99},
	} {
		_, err := NewLink(m, c)
		assert.ErrorContains(t, err, "link: ")
	}
	for _, name := range []string{"ficon", "escon", "ficon-16"} {
		k, err := ParseLinkType(name)
		require.NoError(t, err)
		assert.Equal(t, name, k.String())
	}
	_, err = ParseLinkType("scsi")
	assert.ErrorContains(t, err, `link type "scsi"`)
}

// sessions is a rig with several subchannels for its device, over one link.
func (r *rig) aliases(n int) []*channel.Subchannel {
	all := []*channel.Subchannel{r.sch}
	for i := range n {
		s := r.css.Add(uint16(0x180+i), r.d.NewSession(r.link))
		s.Enable()
		all = append(all, s)
	}
	return all
}

// ends runs the rig's program on all subchannels at once, and gives when they
// ended.
func (r *rig) ends(all []*channel.Subchannel) (ends []machine.Time) {
	for _, s := range all {
		r.css.StartSubchannel(r.m.Clock.Now(), s, &rigORB)
	}
	n := r.counter.ended
	for r.m.Clock.Step() {
		if r.counter.ended > n {
			n = r.counter.ended
			ends = append(ends, r.counter.last)
		}
	}
	return ends
}

func TestESCONIsOneAtATime(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{Type: ESCON})
	r.program(true, 100, 1, 1)
	one := r.took()
	r.program(false, 100, 1, 1)
	ends := r.ends(r.aliases(3))
	require.Len(t, ends, 4)
	for i := 1; i < 4; i++ {
		assert.Greater(t, ends[i]-ends[i-1], one/2)
	}
	assert.Positive(t, r.link.Stats().Waited)
}

func TestFICONSharesBandwidth(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{Type: FICON})
	r.program(true, 100, 1, 12)
	r.took()
	r.program(false, 100, 1, 12)
	one := r.took()
	base := r.m.Clock.Now()
	ends := r.ends(r.aliases(3))
	require.Len(t, ends, 4)
	data := 12 * 4096 * machine.Second / 100_000_000
	assert.Equal(t, one, ends[0]-base)
	for i := 1; i < 4; i++ {
		assert.Equal(t, data, ends[i]-ends[i-1], "the data of each behind the other's")
	}
}

func TestExchangesAreLimited(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{Type: FICONExpress8, Exchanges: 2, Kilometres: 100})
	r.program(true, 100, 1, 1)
	r.took()
	r.program(false, 100, 1, 1)
	one := r.took()
	base := r.m.Clock.Now()
	ends := r.ends(r.aliases(3))
	assert.Less(t, ends[1]-base, one+one/4)
	assert.Greater(t, ends[2]-base, one+one/4)
}

func TestOverlappingExtentsAreSerialised(t *testing.T) {
	for _, c := range []struct {
		name       string
		write      bool
		serialised uint64
	}{{"reads", false, 0}, {"writes", true, 2}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, "3390-3", LinkConfig{Type: FICONExpress8})
			r.program(true, 100, 1, 1)
			r.took()
			r.program(c.write, 100, 1, 1)
			ends := r.ends(r.aliases(2))
			require.Len(t, ends, 3)
			assert.Equal(t, c.serialised, r.d.Stats().Serialized)
			if c.write {
				assert.Greater(t, ends[2]-ends[1], DefaultChain)
			} else {
				assert.Less(t, ends[2]-ends[1], DefaultChain)
			}
		})
	}
}

func TestLinkFailure(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{Kilometres: 100})
	r.program(true, 100, 1, 1)
	r.link.Fail()
	assert.True(t, r.link.Down())
	r.start()
	r.settle()
	assert.Zero(t, r.counter.ended, "the function is lost")
	assert.Zero(t, r.d.Stats().Programs)
	require.Zero(t, r.css.ClearSubchannel(r.m.Clock.Now(), r.sch))
	r.settle()
	r.counter.ended, r.counter.failed = 0, 0

	r.link.Restore()
	assert.False(t, r.link.Down())
	r.took()
	assert.Equal(t, 1, r.counter.ended)

	// The link goes down when the status would be on its way: the device has
	// done its work, and nobody is told.
	r.link.FailAt(r.m.Clock.Now() + 600*machine.Microsecond)
	r.start()
	r.settle()
	assert.Equal(t, 1, r.counter.ended)
	assert.Equal(t, uint64(2), r.d.Stats().Programs)
	assert.Equal(t, uint64(2), r.link.Stats().Lost)
}

func TestLinkStats(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{})
	r.program(true, 100, 1, 2)
	r.took()
	r.program(false, 100, 1, 1)
	r.took()
	s := r.link.Stats()
	assert.Equal(t, uint64(2), s.Programs)
	assert.Equal(t, uint64(7), s.Commands)
	assert.Equal(t, uint64(2*32+8192), s.BytesOut)
	assert.Equal(t, uint64(4096), s.BytesIn)
	assert.Equal(t, uint64(3), s.RoundTrips)
	assert.Equal(t, uint64(7+4+2), s.MessagesOut)
	assert.Equal(t, uint64(1+2), s.MessagesIn)
	assert.Equal(t, machine.Time(s.BytesOut*10), s.BusyOut)
}
