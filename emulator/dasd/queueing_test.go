package dasd

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// queue is a device with one arm and many ways to it, on which requests for one
// block arrive at times of their own and wait for the arm.
type queue struct {
	m       *machine.Machine
	css     *channel.Subsystem
	d       *Device
	idle    []*channel.Subchannel
	started map[*channel.Subchannel]machine.Time
	control []byte
	took    []float64 // response times in seconds, in the order in which requests ended
	rng     *rand.Rand
	request func(i int) (unit, block int) // a track and record, or 0 and a block
	size    int                           // of a record or block, in bytes
}

const (
	queueWays    = 400
	queueProgram = 0x80 // bytes that a way's program and parameters take
)

// newQueue makes a queue on a device without a cache; blocks of size bytes.
func newQueue(t *testing.T, model string, size int, seed uint64) *queue {
	m, err := machine.New(1)
	require.NoError(t, err)
	q := &queue{m: m, css: channel.New(m), started: map[*channel.Subchannel]machine.Time{}, rng: rand.New(rand.NewPCG(seed, 1)), size: size}
	segment, err := m.Storage.MapBytes(0, queueWays*queueProgram)
	require.NoError(t, err)
	q.control = segment.Bytes()
	_, err = m.Storage.MapSynthetic(rigData, 1<<16)
	require.NoError(t, err)
	sub, err := NewSubsystem(m, "S", Config{CacheTracks: -1, Seed: seed})
	require.NoError(t, err)
	g, err := media.Lookup(model)
	require.NoError(t, err)
	if g.FBA() {
		medium, err := media.NewMemoryFBA(g)
		require.NoError(t, err)
		q.d, err = sub.NewFBA(0x120, medium)
		require.NoError(t, err)
	} else {
		medium, err := media.NewMemoryCKD(g, g.RecordsPerTrack(0, size), size)
		require.NoError(t, err)
		q.d, err = sub.NewECKD(0x120, medium)
		require.NoError(t, err)
	}
	link, err := NewLink(m, LinkConfig{Type: FICONExpress8, Exchanges: MaxExchanges})
	require.NoError(t, err)
	for i := range queueWays {
		way := q.css.Add(uint16(i), q.d.NewSession(link))
		way.Owner = i
		way.Enable()
		q.idle = append(q.idle, way)
	}
	q.css.SetInterruptHandler(q)
	return q
}

// Interruption takes the end of a request.
func (q *queue) Interruption(now machine.Time, sch *channel.Subchannel) {
	var irb channel.IRB
	q.css.TestSubchannel(sch, &irb)
	if !irb.OK() {
		panic(irb)
	}
	q.took = append(q.took, float64(now-q.started[sch])/float64(machine.Second))
	q.idle = append(q.idle, sch)
}

// arrive starts request i.
func (q *queue) arrive(t *testing.T, i int) {
	require.NotEmpty(t, q.idle, "more than %d requests at once", queueWays)
	sch := q.idle[len(q.idle)-1]
	q.idle = q.idle[:len(q.idle)-1]
	unit, block := q.request(i)
	at := sch.Owner.(int) * queueProgram
	p := q.control[at : at+queueProgram]
	clear(p)
	define, locate := uint32(at+0x20), uint32(at+0x30)
	d, l := p[0x20:0x30], p[0x30:0x40]
	ccw := func(i int, w channel.CCW) { channel.PutCCW1(p[8*i:], w) }
	if q.d.fba != nil {
		d[0] = arch.MaskWriteNone
		binary.BigEndian.PutUint32(d[12:], uint32(q.d.geometry.Blocks-1))
		l[0], l[3] = arch.FBAOperationRead, byte(q.size/media.BlockSize)
		binary.BigEndian.PutUint32(l[4:], uint32(block))
		ccw(0, channel.CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: define})
		ccw(1, channel.CCW{Command: 0x43, Flags: arch.FlagCC, Count: 8, Address: locate})
		ccw(2, channel.CCW{Command: arch.CommandFBARead, Count: uint16(q.size), Address: rigData})
	} else {
		address := q.d.geometry.Address(unit/15, unit%15)
		d[0], d[1] = arch.MaskWriteNone, arch.AttributeECKD
		binary.BigEndian.PutUint32(d[8:], address)
		binary.BigEndian.PutUint32(d[12:], address)
		l[0], l[3] = 0x06, 1
		binary.BigEndian.PutUint32(l[4:], address)
		binary.BigEndian.PutUint32(l[8:], address)
		l[12], l[13] = byte(block), arch.AnySector
		ccw(0, channel.CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: define})
		ccw(1, channel.CCW{Command: 0x47, Flags: arch.FlagCC, Count: 16, Address: locate})
		ccw(2, channel.CCW{Command: 0x86, Count: uint16(q.size), Address: rigData})
	}
	q.started[sch] = q.m.Clock.Now()
	require.Zero(t, q.css.StartSubchannel(q.m.Clock.Now(), sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: uint32(at)}))
}

// Event is the arrival of a request that the clock was asked for.
func (q *queue) Event(machine.Kind, uint64) {}

// poisson has n requests arrive, on average gap apart, and gives the mean and the
// second moment of their response times in seconds.
func (q *queue) poisson(t *testing.T, n int, gap machine.Time) (mean, second float64) {
	q.took = q.took[:0]
	next := q.m.Clock.Now()
	for i := range n {
		next += machine.Time(q.rng.ExpFloat64() * float64(gap))
		q.m.Clock.At(next, q, 0, 0)
		for q.m.Clock.Now() < next {
			q.m.Clock.Step()
		}
		q.arrive(t, i)
	}
	for q.m.Clock.Step() {
	}
	require.Len(t, q.took, n)
	for _, s := range q.took {
		mean += s / float64(n)
		second += s * s / float64(n)
	}
	return mean, second
}

// saturate has n requests wait for the arm at all times and gives how many end a
// second.
func (q *queue) saturate(t *testing.T, n int) float64 {
	q.took = q.took[:0]
	from := q.m.Clock.Now()
	for i := 0; i < n || len(q.took) < n; {
		if i < n && queueWays-len(q.idle) < 20 {
			q.arrive(t, i)
			i++
			continue
		}
		q.m.Clock.Step()
	}
	return float64(n) / (float64(q.m.Clock.Now()-from) / float64(machine.Second))
}

// queues are requests that miss the cache: records of 4 KiB as the block access
// method asks for them, without a sector, all over the device; small records at a
// constant distance; fixed blocks.
var queues = []struct {
	name, model string
	size        int
	request     func(q *queue) func(i int) (int, int)
}{
	{"3390 4096", "3390-3", 4096, anywhere},
	{"3390 constant seek", "3390-3", 512, func(q *queue) func(int) (int, int) {
		return func(i int) (int, int) { return i % 2 * 400 * 15, 1 + q.rng.IntN(q.records()) }
	}},
	{"3370 4096", "3370-1", 4096, func(q *queue) func(int) (int, int) {
		return func(int) (int, int) { return 0, q.rng.IntN(int(q.d.geometry.Blocks) - 8) }
	}},
}

func anywhere(q *queue) func(int) (int, int) {
	return func(int) (int, int) { return q.rng.IntN(q.d.tracks), 1 + q.rng.IntN(q.records()) }
}

func (q *queue) records() int { return q.d.geometry.RecordsPerTrack(0, q.size) }

// TestQueueing holds the waiting for an arm against the formula of Pollaczek and
// Khinchine, with the moments of the service time that an unloaded device has: the
// arm is busy for all of it but for what the control unit and the link take.
func TestQueueing(t *testing.T) {
	for _, c := range queues {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue(t, c.model, c.size, 1)
			q.request = c.request(q)
			link := links[FICONExpress8]
			apart := (float64(DefaultChain+3*(DefaultCommand+link.command))/float64(machine.Second) + float64(c.size+32)/float64(link.bytesPerSecond))

			mean, second := q.poisson(t, 60_000, 100*machine.Second)
			t.Logf("unloaded: %.3f ms, coefficient of variation %.3f", mean*1e3, math.Sqrt(second-mean*mean)/mean)
			arm := mean - apart
			second -= apart * (2*mean - apart)
			rate := q.saturate(t, 60_000)
			t.Logf("saturated: %.2f/s against %.2f/s", rate, 1/arm)
			assert.InEpsilon(t, 1/arm, rate, 0.01, "saturated")
			for _, p := range []struct {
				load      float64
				requests  int
				tolerance float64
			}{{0.3, 40_000, 0.04}, {0.6, 80_000, 0.04}, {0.8, 160_000, 0.05}, {0.9, 320_000, 0.06}} {
				response, _ := q.poisson(t, p.requests, machine.Time(arm/p.load*1e9))
				wait := p.load / arm * second / (2 * (1 - p.load))
				t.Logf("load %.1f: waits %.3f ms against %.3f ms: %+.1f %%", p.load, (response-mean)*1e3, wait*1e3, ((response-mean)/wait-1)*100)
				assert.InEpsilon(t, wait, response-mean, p.tolerance, "load %v", p.load)
			}
		})
	}
}
