package dasd

import (
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// Failure is a way in which a device fails.
type Failure uint8

// The failures of a device.
const (
	// Healthy means that the device works.
	Healthy Failure = iota
	// EquipmentCheck ends the first command of each channel program in a unit check,
	// sense 10.
	EquipmentCheck
	// InterventionRequired does the same with sense 40.
	InterventionRequired
	// NotResponding swallows channel programs: no status comes back.
	NotResponding
	// NotOperational means that the device is gone: the start function finds no path.
	NotOperational
)

// DeviceStats counts the work of a device.
type DeviceStats struct {
	// Programs is the number of channel programs that began, Commands the number of
	// commands.
	Programs, Commands uint64
	// Reads and Writes are the numbers of commands that moved data from or to the
	// medium, BytesRead and BytesWrite the numbers of bytes.
	Reads, Writes         uint64
	BytesRead, BytesWrite uint64
	// ReadHits and ReadMisses count the tracks that channel programs came to
	// read, FastWrites and WriteMisses those that they came to write.
	ReadHits, ReadMisses    uint64
	FastWrites, WriteMisses uint64
	UnitChecks              uint64
	// Serialized is the number of channel programs that waited for others with an
	// overlapping extent, Waited the time for which they waited.
	Serialized uint64
	Waited     machine.Time
}

// Device is a direct-access device over its medium.
type Device struct {
	subsystem *Subsystem
	number    uint16
	index     int // index in the subsystem's list of devices
	unit      *controlUnit
	ckd       media.CKD
	fba       media.FBA
	geometry  *media.Geometry
	tracks    int
	cylinders int

	changed   *TrackMask
	cached    []int32 // number of the track's slot in the cache + 1
	mechanics *mechanics
	arms      []arm
	stage     int // smallest angle that is read on a miss
	position  int // track of the last access
	formats   uint32
	modes     modes
	sessions  []*session
	working   []*session // sessions whose last chain may not be over yet
	failure   Failure
	inhibited bool
	reserved  int // number of the host + 1, or 0
	groups    []pathGroup
	attention message
	stats     DeviceStats
	observer  Observer // nil for none
	changing  bool     // the command under way has changed something; set only with an observer
}

// Number returns the device number of the base unit.
func (d *Device) Number() uint16 { return d.number }

// Subsystem returns the device's subsystem.
func (d *Device) Subsystem() *Subsystem { return d.subsystem }

// Geometry returns the medium's geometry.
func (d *Device) Geometry() *media.Geometry { return d.geometry }

// CKD returns the medium of a device of tracks, else nil.
func (d *Device) CKD() media.CKD { return d.ckd }

// FBA returns the medium of a device of blocks, else nil.
func (d *Device) FBA() media.FBA { return d.fba }

// ChangedTracks returns the mask of tracks, or of groups of media.GroupBlocks
// blocks, that commands have changed; the reader clears it.
func (d *Device) ChangedTracks() *TrackMask { return d.changed }

// Stats returns the counts of the device so far.
func (d *Device) Stats() DeviceStats { return d.stats }

// Fail makes the device fail from now on in the given way.
func (d *Device) Fail(f Failure) { d.failure = f }

// Restore repairs the device.
func (d *Device) Restore() { d.failure = Healthy }

// Failure returns the way in which the device fails now.
func (d *Device) Failure() Failure { return d.failure }

// InhibitWrites sets whether writes end in a unit check with write inhibited. A
// medium opened read-only has the same effect.
func (d *Device) InhibitWrites(inhibit bool) { d.inhibited = inhibit }

// Reserve reserves the device to a host (see LinkConfig.Host), as its device
// reserve command would; other hosts then find the device busy. Release ends the
// reservation.
func (d *Device) Reserve(host uint8) { d.reserved = int(host) + 1 }

// Release ends a reservation of any host.
func (d *Device) Release() {
	d.reserved = 0
	d.freed(d.subsystem.m.Clock.Now())
}

// Reserved reports whether the device is reserved, and to which host.
func (d *Device) Reserved() (host uint8, reserved bool) {
	return uint8(d.reserved - 1), d.reserved != 0
}

// NewSession makes a session, the way to the device over a link for one
// subchannel: the base unit's, or an alias's. Channel programs of different
// sessions overlap in time, unless one of them may write to tracks that the other
// reads or writes.
func (d *Device) NewSession(l *Link) channel.Session {
	if d.fba != nil {
		f := &fba{factor: int64(max(1, d.geometry.BlockFactor))}
		d.attach(&f.session, l)
		return f
	}
	e := &eckd{}
	d.attach(&e.session, l)
	e.heads = d.geometry.Heads
	e.extent.last = d.tracks - 1
	return e
}

func (d *Device) attach(s *session, l *Link) {
	s.device, s.subsystem, s.link = d, d.subsystem, l
	d.sessions = append(d.sessions, s)
}
