package dasd

import (
	"math"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// Timing holds the figures of the service-time model at the control unit. A zero
// field stands for its default, a negative one for none.
//
// A channel program takes the time Chain, the time Command for each command, the
// time of the link (see LinkConfig), and time for each track that it comes to in
// turn: no more if the track is in the cache; otherwise the time for waiting for
// the arm, a seek, the rotation to the record, and the passing of the record under
// the head. A write is over when it is in non-volatile storage (fast write),
// unless that is full or the define extent inhibits it; then it waits for the arm,
// the seek, and the rotation to its own record.
type Timing struct {
	// Chain is the time that the control unit needs for a channel program. The
	// default is an estimate that puts a 4 KiB hit at about a tenth of a millisecond;
	// vendors say "less than 1 ms".
	Chain machine.Time
	// Command is the time that it needs for a command; the default is an estimate
	// too.
	Command machine.Time
	// StageBytes is the least number of bytes that an arm reads of the last track of
	// a program, from the first record asked for on, if the track was not in the
	// cache (CKD only); the program waits for it. The default, a quarter of the
	// longest record, is an estimate.
	StageBytes int
	// NonVolatileBytes is the size of the non-volatile storage for fast writes,
	// DestageBytesPerSecond the rate at which it empties to the devices. Without
	// storage (negative) every write takes the device's time; without a limit
	// (negative) it never fills.
	NonVolatileBytes      int64
	DestageBytesPerSecond int64
	// Arms is the number of arms over which the tracks of a volume are spread, one
	// after the other: 1, the default, is a volume on a drive of its own, more is a
	// rank of drives.
	Arms int
	// ReadHitRatio, from 0 to 1, makes hits a matter of chance with this
	// probability, drawn from Config.Seed; negative or 0 leaves them to the cache.
	ReadHitRatio float64
}

// Defaults of Timing.
const (
	DefaultChain   = 60 * machine.Microsecond
	DefaultCommand = 4 * machine.Microsecond
	// DefaultNonVolatileBytes is an estimate: the order of a 3990's storage.
	DefaultNonVolatileBytes = 64_000_000
	// DefaultDestageBytesPerSecond is an estimate: above the fastest link, so that a
	// stream of writes is limited by its link unless a smaller value is set.
	DefaultDestageBytesPerSecond = 4_000_000_000
	// stageShare is the divisor that gives the default of StageBytes from the longest
	// record.
	stageShare = 4
)

func (t *Timing) fill() {
	def := func(v *machine.Time, d machine.Time) {
		if *v == 0 {
			*v = d
		}
		*v = max(*v, 0)
	}
	def(&t.Chain, DefaultChain)
	def(&t.Command, DefaultCommand)
	t.Arms = max(t.Arms, 1)
	if t.NonVolatileBytes == 0 {
		t.NonVolatileBytes = DefaultNonVolatileBytes
	}
	if t.DestageBytesPerSecond == 0 {
		t.DestageBytesPerSecond = DefaultDestageBytesPerSecond
	}
}

// mechanics holds the times of the moving parts of a device type.
type mechanics struct {
	device                 uint16
	rotation               machine.Time
	seekTrack, seekAverage machine.Time // time to the next cylinder, and the average
	bytesPerSecond         int64
}

// moving holds the moving parts of each device type. Sourced: 3390 rotation
// (CERN), 3380 (twice an average latency of 8.3 ms, CERN), 3350 seek, latency and
// rate, 3370 and 3310 seek and rate (IBM's archives). Recalled from the devices'
// summaries, unsourced: the others, and all seeks to the next cylinder.
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
	{0x9336, 11100 * machine.Microsecond, 2 * machine.Millisecond, 11 * machine.Millisecond, 3_000_000}, // also used for types that are not listed
}

func mechanicsOf(g *media.Geometry) *mechanics {
	for i := range moving {
		if moving[i].device == g.Type {
			return &moving[i]
		}
	}
	return &moving[len(moving)-1]
}

// seek returns the time that the arm takes over distance of the device's
// cylinders: it grows with the square root of the distance, and is the average at
// a third of all cylinders.
func (m *mechanics) seek(distance, cylinders int) machine.Time {
	if distance == 0 {
		return 0
	}
	third := float64(cylinders) / 3
	return m.seekTrack + machine.Time(float64(m.seekAverage-m.seekTrack)*math.Sqrt(float64(distance)/max(third, 1)))
}

// arm is the mechanical part of a device; it serves one access after the other.
type arm struct {
	free     machine.Time
	cylinder int
	// phase is the time at which the index (the start of the tracks) first passed the
	// head.
	phase machine.Time
}

// turn is a full revolution as an angle.
const turn = 1 << 16

// newArms makes the arms of a device. Their disks are turned against one another:
// the phase of each is drawn from the subsystem's seed, the device's number and
// the arm's number.
func (d *Device) newArms(n int, seed uint64) []arm {
	arms := make([]arm, n)
	for i := range arms {
		x := scramble(seed ^ uint64(d.number)<<32 ^ uint64(i+1)*golden)
		arms[i].phase = machine.Time(x % uint64(d.mechanics.rotation))
	}
	return arms
}

// place is a piece of a track, given by its beginning and its length as angles (in
// 1/65536 of a revolution).
type place struct{ at, length int }

// span returns the angle that passes under the head while n bytes are read or
// written.
func (m *mechanics) span(n int) int {
	return int(int64(n) * int64(machine.Second) / m.bytesPerSecond * turn / int64(m.rotation))
}

// move makes the track's arm pass over a place on a cylinder, for a program that
// asks at t. If wait is not negative the arm first waits for that angle, as a
// control unit does that was given a sector. move returns the time at which the
// place has passed.
func (d *Device) move(t machine.Time, track, cylinder, wait int, p place) machine.Time {
	m := d.mechanics
	a := &d.arms[track%len(d.arms)]
	t = max(t, a.free)
	distance := cylinder - a.cylinder
	if distance < 0 {
		distance = -distance
	}
	t += m.seek(distance, d.cylinders)
	if wait >= 0 {
		t = a.passes(t, m.rotation, wait)
	}
	t = a.passes(t, m.rotation, p.at) + machine.Time(int64(p.length)*int64(m.rotation)/turn)
	a.free, a.cylinder = t, cylinder
	return t
}

// passes returns the first time from t on at which the angle is under the head.
func (a *arm) passes(t, rotation machine.Time, angle int) machine.Time {
	wait := (a.phase + machine.Time(int64(angle)*int64(rotation)/turn) - t) % rotation
	if wait < 0 {
		wait += rotation
	}
	return t + wait
}

// follow makes the track's arm pass over a further angle of length, which follows
// the place that it has just passed, without waiting. It returns the time at which
// that has passed.
func (d *Device) follow(t machine.Time, track, length int) machine.Time {
	a := &d.arms[track%len(d.arms)]
	t = max(t, a.free) + machine.Time(int64(length)*int64(d.mechanics.rotation)/turn)
	a.free = t
	return t
}

// nonVolatile is the fast-write storage: it fills with writes and empties at a
// constant rate.
type nonVolatile struct {
	filled int64
	at     machine.Time
}

// store takes n bytes at t and returns the time at which there is room for them.
func (s *Subsystem) store(t machine.Time, n int64) machine.Time {
	c := &s.config.Timing
	v := &s.nonVolatile
	if c.DestageBytesPerSecond < 0 {
		return t
	}
	if dt := t - v.at; dt > 0 {
		// After the time in which all of it empties, the exact figure is not needed and
		// would overflow.
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
