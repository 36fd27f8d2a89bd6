package dasd

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// The usual unit status of a command.
const (
	done      = arch.ChannelEnd | arch.DeviceEnd
	unitCheck = done | arch.UnitCheck
	exception = done | arch.UnitException
)

// session holds the state that the sessions of all devices need: the way over the
// link, the time that a channel program takes, and the sense bytes.
type session struct {
	device    *Device
	subsystem *Subsystem
	link      *Link

	start     machine.Time // time at which the chain has an exchange on the link
	waited    machine.Time // time from Begin to start
	elapsed   machine.Time // time from start on, without the link's part
	apart     machine.Time // part of elapsed in which the device was busy on its own
	exchange  int
	traffic   traffic
	visited   int   // track of the last visit, or -1
	missed    bool  // that track was not in the cache
	staged    place // place that has been read of a missed track
	wait      int   // angle of the sector to be waited for on the way to the track, or -1
	written   int   // track written to last, or -1
	busy      bool  // the chain did not begin
	owed      owed
	sense     [arch.SenseSize]byte
	sensed    bool
	attribute byte // attribute byte of the define extent, or 0

	// first to last are the tracks that the last channel program may touch; until is
	// the end of its work.
	first, last int32
	writes      bool
	listed      bool // the session is in the device's list of working sessions
	until       machine.Time
}

// Deliver sends a start or resume function over the link.
func (s *session) Deliver(now machine.Time) (machine.Time, bool) {
	switch {
	case s.device.failure == NotOperational:
		return 0, false
	case s.device.failure == NotResponding || s.subsystem.failed:
		s.link.stats.Lost++
		return machine.Never, true
	}
	return s.link.send(now), true
}

// begin starts a chain on the link and the clock.
func (s *session) begin(now machine.Time, orb *channel.ORB) arch.UnitStatus {
	d := s.device
	s.busy = s.reservedToAnother() && !s.breaks(orb)
	s.owed.is = s.busy
	if s.busy {
		return arch.Busy
	}
	d.stats.Programs++
	s.exchange, s.start = s.link.enter(now)
	s.waited = s.start - now
	s.elapsed, s.apart = s.subsystem.config.Timing.Chain, 0
	s.traffic = traffic{}
	s.visited, s.written, s.wait = -1, -1, -1
	s.missed = false
	s.attribute = 0
	s.first, s.last, s.writes = 0, -1, false
	return 0
}

// breaks reports whether the chain's first command is executed even if another
// host has reserved the device.
func (s *session) breaks(orb *channel.ORB) bool {
	v := s.subsystem.m.Storage.View(machine.Address(orb.ChannelProgram), 1)
	return v != nil && (v[0] == arch.CommandUnconditionalReserve || v[0] == arch.CommandResetAllegiance)
}

// Elapsed returns the time that the chain has lasted so far as the channel sees
// it: at the control unit, on the link, and the way back of the last answer.
func (s *session) Elapsed() machine.Time {
	bytes := s.traffic.bytes[outward] + s.traffic.bytes[inward]
	return s.waited + s.elapsed + machine.Time(bytes*s.link.picoseconds/1000) + s.link.handshake(&s.traffic) + s.link.latency
}

// End works out the time at which the status reaches the channel.
func (s *session) End(now machine.Time, _ channel.Ending) (machine.Time, bool) {
	if s.busy {
		return now + s.link.latency, false
	}
	if s.missed && s.staged.length > 0 {
		s.readOn(s.device.stage)
	}
	s.serialize(now)
	end := s.link.leave(s.exchange, s.start, s.elapsed, s.apart, &s.traffic)
	s.until = s.start + s.elapsed
	if !s.listed {
		s.listed = true
		s.device.working = append(s.device.working, s)
	}
	return end, false
}

// serialize makes the chain wait for chains of other sessions of the device that
// overlap with it in time and extent, if one of the two may write.
func (s *session) serialize(now machine.Time) {
	d := s.device
	if len(d.sessions) == 1 || s.last < s.first {
		return
	}
	until := s.start
	left := d.working[:0]
	for _, o := range d.working {
		if o.until <= now {
			o.listed = false
			continue
		}
		left = append(left, o)
		if o.until > until && o != s && (o.writes || s.writes) && o.first <= s.last && s.first <= o.last {
			until = o.until
		}
	}
	d.working = left
	if wait := until - s.start; wait > 0 {
		d.stats.Serialized++
		d.stats.Waited += wait
		s.work(wait)
	}
}

// touch extends the range of tracks that the chain touches.
func (s *session) touch(first, last int, writes bool) {
	if s.last < s.first {
		s.first, s.last = int32(first), int32(last)
	} else {
		s.first, s.last = min(s.first, int32(first)), max(s.last, int32(last))
	}
	s.writes = s.writes || writes
}

// Sense returns the sense bytes and clears them.
func (s *session) Sense() []byte {
	return s.takeSense()
}

// takeSense returns the sense bytes; they are only valid for one sense command.
func (s *session) takeSense() []byte {
	if !s.sensed {
		s.sense = s.device.unit.emptySense(s.device.geometry)
	}
	s.sensed = false
	return s.sense[:s.device.unit.senseLength]
}

// command counts a command that is about to be executed, and its time.
func (s *session) command(op *channel.Operation) {
	s.device.stats.Commands++
	s.traffic.commands++
	s.elapsed += s.subsystem.config.Timing.Command
}

// moved counts the data that a command has moved.
func (s *session) moved(op *channel.Operation, status arch.UnitStatus) {
	n := op.Data.Moved()
	if n > 0 {
		d := inward
		if op.Command&1 != 0 {
			d = outward
		}
		s.traffic.bytes[d] += int64(n)
		s.traffic.blocks[d]++
	}
	if status&arch.UnitCheck != 0 {
		s.device.stats.UnitChecks++
	}
	if s.device.changing {
		s.device.changing = false
		s.device.observer.Moved(s.device, n)
	}
}

// sequentialTracks is the number of further tracks that a sequential read that
// misses brings into the cache.
const sequentialTracks = 3

// visit comes to a track to read it and decides whether it is in the cache. If
// not, pass takes the time for each part that is then read.
func (s *session) visit(track int) {
	if track == s.visited {
		return
	}
	d := s.device
	c := &s.subsystem.cache
	var hit bool
	caches := d.caches()
	switch {
	case !caches:
	case s.subsystem.config.Timing.ReadHitRatio > 0:
		hit = s.subsystem.draw(d.index, track)
	default:
		hit = c.touch(d, track)
	}
	s.visited, s.missed, s.staged = track, !hit, place{}
	if hit {
		d.stats.ReadHits++
		return
	}
	d.stats.ReadMisses++
	if !caches {
		return
	}
	switch s.attribute & arch.AttributeCache {
	case arch.AttributeBypass, arch.AttributeInhibitLoad:
	case arch.AttributeSequential:
		for t := track; t <= min(track+sequentialTracks, d.tracks-1); t++ {
			c.load(d, t)
		}
	default:
		c.load(d, track)
	}
}

// skipVisit comes to a track whose format the control unit knows, so that a write
// there does not wait until the device finds its record.
func (s *session) skipVisit(track int) { s.visited, s.missed = track, false }

// pass takes the time for reading a place of the track visited. If the track is
// not in the cache, the arm waits for the first place, and then reads on to the
// end of each further one. Places that it has read on the way take no more time.
func (s *session) pass(p place) {
	if !s.missed {
		return
	}
	if s.staged.length == 0 {
		s.moveArm(s.visited, p)
		s.staged = p
		return
	}
	end := min((p.at-s.staged.at)&(turn-1)+p.length, turn)
	s.readOn(end)
}

// readOn makes the arm read on until the angle end of the track has been read.
func (s *session) readOn(end int) {
	if end <= s.staged.length {
		return
	}
	t := s.start + s.elapsed
	s.work(s.device.follow(t, s.visited, end-s.staged.length) - t)
	s.staged.length = end
}

// index takes the time until the index passes the head, for a search that goes
// round the track.
func (s *session) index() {
	if s.missed && s.staged.length < turn {
		s.moveArm(s.visited, place{})
	}
}

// work adds time in which the device works on its own.
func (s *session) work(t machine.Time) {
	s.elapsed += t
	s.apart += t
}

// wrote takes the time for n bytes written to a track and marks the track as
// changed. It reports whether the bytes went to the device at once: the caller
// must then call moveArm.
func (s *session) wrote(track, n int) (slow bool) {
	d := s.device
	d.changed.Mark(track)
	d.stats.Writes++
	d.stats.BytesWrite += uint64(n)
	s.traffic.wrote = true
	fast := s.fastWrite() && s.subsystem.config.Timing.NonVolatileBytes > 0
	inCache := s.cacheFastWrite()
	first := track != s.written
	if track != s.visited {
		s.visited, s.missed = track, false
	}
	s.written = track
	if !fast && !inCache {
		if first {
			d.stats.WriteMisses++
		}
		return true
	}
	if first {
		d.stats.FastWrites++
		if c := &s.subsystem.cache; d.caches() && !c.touch(d, track) {
			c.load(d, track)
		}
	}
	if !inCache {
		t := s.start + s.elapsed
		s.work(s.subsystem.store(t, int64(n)) - t)
	}
	return false
}

// moveArm takes the time for the arm to pass over a place.
func (s *session) moveArm(track int, p place) {
	d := s.device
	cylinder := 0
	if d.ckd != nil {
		cylinder = track / d.geometry.Heads
	} else {
		cylinder = track * media.GroupBlocks / d.geometry.BlocksPerCylinder
	}
	t := s.start + s.elapsed
	s.work(d.move(t, track, cylinder, s.wait, p) - t)
	s.wait = -1
}
