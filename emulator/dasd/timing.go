package dasd

import (
	"math"

	"github.com/iosrun/iosrun/emulator/dasd/media"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Timing are the figures of the service-time model at the control unit. Where
// one is zero the default holds; a negative one stands for none.
//
// A channel program takes Chain, Command for each command, what the link takes
// (see LinkConfig), and for each track that it comes to in turn: nothing more
// when the track is in the cache; otherwise waiting for the arm, a seek, the
// rotation to the record, and the transfer at the device's own rate. A write
// is over when it is in non-volatile storage (fast write), unless that is full
// or the define extent inhibits it; then it is like a read that misses.
type Timing struct {
	// Chain is the control unit's cost of a channel program. The default is a
	// guess that puts a 4 KiB hit at about a tenth of a millisecond; vendors say
	// "less than 1 ms".
	Chain machine.Time
	// Command is its cost of a command; the default is a guess too.
	Command machine.Time
	// NonVolatileBytes is the size of the non-volatile storage for fast writes,
	// DestageBytesPerSecond how fast it empties to the devices. Defaults: 64 MB
	// and 400 MB/s, the order of an enterprise subsystem.
	NonVolatileBytes      int64
	DestageBytesPerSecond int64
	// Arms is how many arms the tracks of a volume are spread over, one after the
	// other: 1, the default, is a volume on a drive of its own, more is a rank of
	// drives.
	Arms int
	// ReadHitRatio, from 0 to 1, makes hits a matter of chance with this
	// probability, drawn from Config.Seed; negative or 0 leaves them to the cache.
	ReadHitRatio float64
}

// Defaults of Timing.
const (
	defaultChain       = 60 * machine.Microsecond
	defaultCommand     = 4 * machine.Microsecond
	defaultNonVolatile = 64 << 20
	defaultDestage     = 400_000_000
)

func (t *Timing) fill() {
	def := func(v *machine.Time, d machine.Time) {
		if *v == 0 {
			*v = d
		}
		*v = max(*v, 0)
	}
	def(&t.Chain, defaultChain)
	def(&t.Command, defaultCommand)
	t.Arms = max(t.Arms, 1)
	if t.NonVolatileBytes == 0 {
		t.NonVolatileBytes = defaultNonVolatile
	}
	if t.DestageBytesPerSecond <= 0 {
		t.DestageBytesPerSecond = defaultDestage
	}
}

// mechanics are the moving parts of a device type.
type mechanics struct {
	device                 uint16
	rotation               machine.Time
	seekTrack, seekAverage machine.Time // to the next cylinder, and on average
	bytesPerSecond         int64
}

// The moving parts. Sourced: 3390 rotation (CERN), 3380 (twice an average
// latency of 8.3 ms, CERN), 3350 seek, latency and rate, 3370 and 3310 seek and
// rate (IBM's archives). Recalled from the devices' summaries, unsourced: the
// others, and all seeks to the next cylinder.
var moving = [...]mechanics{
	{0x3390, 14100 * machine.Microsecond, 1500 * machine.Microsecond, 9500 * machine.Microsecond, 4_200_000},
	{0x3380, 16600 * machine.Microsecond, 2000 * machine.Microsecond, 15 * machine.Millisecond, 3_000_000},
	{0x3375, 20200 * machine.Microsecond, 4 * machine.Millisecond, 19 * machine.Millisecond, 1_859_000},
	{0x3350, 16800 * machine.Microsecond, 10 * machine.Millisecond, 25 * machine.Millisecond, 1_198_000},
	{0x3340, 20240 * machine.Microsecond, 10 * machine.Millisecond, 25 * machine.Millisecond, 885_000},
	{0x3330, 16700 * machine.Microsecond, 10 * machine.Millisecond, 30 * machine.Millisecond, 806_000},
	{0x2314, 25 * machine.Millisecond, 25 * machine.Millisecond, 60 * machine.Millisecond, 312_000},
	{0x2311, 25 * machine.Millisecond, 25 * machine.Millisecond, 75 * machine.Millisecond, 156_000},
	{0x2305, 10 * machine.Millisecond, 0, 0, 1_500_000},
	{0x9345, 11100 * machine.Microsecond, 1500 * machine.Microsecond, 10 * machine.Millisecond, 4_400_000},
	{0x3310, 19200 * machine.Microsecond, 9 * machine.Millisecond, 27 * machine.Millisecond, 1_031_000},
	{0x3370, 20200 * machine.Microsecond, 5 * machine.Millisecond, 20 * machine.Millisecond, 1_859_000},
	{0x9336, 11100 * machine.Microsecond, 2 * machine.Millisecond, 11 * machine.Millisecond, 3_000_000}, // also where nothing is known
}

func mechanicsOf(g *media.Geometry) *mechanics {
	for i := range moving {
		if moving[i].device == g.Type {
			return &moving[i]
		}
	}
	return &moving[len(moving)-1]
}

// seek is how long the arm takes over so many of the device's cylinders: it
// grows with the square root of the distance, and is the average at a third of
// all cylinders.
func (m *mechanics) seek(distance, cylinders int) machine.Time {
	if distance == 0 {
		return 0
	}
	third := float64(cylinders) / 3
	return m.seekTrack + machine.Time(float64(m.seekAverage-m.seekTrack)*math.Sqrt(float64(distance)/max(third, 1)))
}

// arm is the mechanical part of a device: one access after the other.
type arm struct {
	free     machine.Time
	cylinder int
}

// move has the track's arm read or write n bytes that begin at the given angle (in
// 1/65536 of a revolution) of a cylinder, for a program that asks at t. It
// returns when that is done.
func (d *Device) move(t machine.Time, track, cylinder, angle, n int) machine.Time {
	m := d.mechanics
	a := &d.arms[track%len(d.arms)]
	t = max(t, a.free)
	distance := cylinder - a.cylinder
	if distance < 0 {
		distance = -distance
	}
	t += m.seek(distance, d.cylinders)
	at := machine.Time(angle) * m.rotation >> 16
	turn := at - t%m.rotation
	if turn < 0 {
		turn += m.rotation
	}
	t += turn + machine.Time(int64(n)*int64(machine.Second)/m.bytesPerSecond)
	a.free, a.cylinder = t, cylinder
	return t
}

// nonVolatile is the fast-write storage: it fills with writes and empties at a
// constant rate.
type nonVolatile struct {
	filled int64
	at     machine.Time
}

// store takes n bytes at t and returns when there is room for them.
func (s *Subsystem) store(t machine.Time, n int64) machine.Time {
	c := &s.config.Timing
	v := &s.nonVolatile
	if dt := t - v.at; dt > 0 {
		// Beyond the time in which all of it empties, more precision is not needed
		// and would overflow.
		if dt > 100*machine.Second {
			v.filled = 0
		} else {
			v.filled = max(0, v.filled-int64(dt)*(c.DestageBytesPerSecond/1000)/1_000_000)
		}
		v.at = t
	}
	v.filled += n
	if over := v.filled - c.NonVolatileBytes; over > 0 && c.NonVolatileBytes > 0 {
		return t + machine.Time(float64(over)/float64(c.DestageBytesPerSecond)*float64(machine.Second))
	}
	return t
}
