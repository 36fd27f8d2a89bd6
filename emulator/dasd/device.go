package dasd

import (
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// Failure is what is wrong with a device.
type Failure uint8

// The failures of a device.
const (
	// Healthy: nothing.
	Healthy Failure = iota
	// EquipmentCheck ends the first command of each channel program in a unit
	// check, sense 10.
	EquipmentCheck
	// InterventionRequired does so with sense 40.
	InterventionRequired
	// NotResponding swallows channel programs: no status comes back.
	NotResponding
	// NotOperational is a device that is gone: the start function finds no path.
	NotOperational
)

// DeviceStats counts what a device has done.
type DeviceStats struct {
	// Programs is how many channel programs began, Commands how many commands.
	Programs, Commands uint64
	// Reads and Writes are commands that moved data from or to the medium, and
	// the bytes.
	Reads, Writes         uint64
	BytesRead, BytesWrite uint64
	// ReadHits and ReadMisses count the tracks that channel programs came to
	// read, FastWrites and WriteMisses those that they came to write.
	ReadHits, ReadMisses    uint64
	FastWrites, WriteMisses uint64
	UnitChecks              uint64
	// Serialized is how many channel programs waited for others with an
	// overlapping extent, and Waited for how long.
	Serialized uint64
	Waited     machine.Time
}

// Device is a direct-access device over its medium.
type Device struct {
	subsystem *Subsystem
	number    uint16
	index     int // among the subsystem's devices
	unit      *controlUnit
	ckd       media.CKD
	fba       media.FBA
	geometry  *media.Geometry
	tracks    int
	cylinders int

	changed   *TrackMask
	cached    []int32 // the track's slot in the cache + 1
	mechanics *mechanics
	arms      []arm
	stage     int // the least that is read on a miss, as an angle
	position  int // track of the last access
	formats   uint32
	modes     modes
	sessions  []*session
	working   []*session // whose last chain may not be over yet
	failure   Failure
	inhibited bool
	reserved  int // host + 1, or 0
	groups    []pathGroup
	attention message
	stats     DeviceStats
	observer  Observer // nil for none
	changing  bool     // the command under way has changed something: only where there is an observer
}

// Number is the device number of the base.
func (d *Device) Number() uint16 { return d.number }

// Subsystem is the device's subsystem.
func (d *Device) Subsystem() *Subsystem { return d.subsystem }

// Geometry is the medium's geometry.
func (d *Device) Geometry() *media.Geometry { return d.geometry }

// CKD is the medium of a device of tracks, else nil.
func (d *Device) CKD() media.CKD { return d.ckd }

// FBA is the medium of a device of blocks, else nil.
func (d *Device) FBA() media.FBA { return d.fba }

// ChangedTracks is the mask of tracks, or of groups of media.GroupBlocks
// blocks, that commands have changed; whoever reads it clears it.
func (d *Device) ChangedTracks() *TrackMask { return d.changed }

// Stats is what the device has done so far.
func (d *Device) Stats() DeviceStats { return d.stats }

// Fail makes the device fail from now on in the given way.
func (d *Device) Fail(f Failure) { d.failure = f }

// Restore repairs the device.
func (d *Device) Restore() { d.failure = Healthy }

// Failure is what is wrong with the device.
func (d *Device) Failure() Failure { return d.failure }

// InhibitWrites makes writes end in a unit check with write inhibited, or no
// more. A medium opened read-only has the same effect.
func (d *Device) InhibitWrites(inhibit bool) { d.inhibited = inhibit }

// Reserve reserves the device to a host (see LinkConfig.Host), as its device
// reserve command would; others find it busy. Release ends that.
func (d *Device) Reserve(host uint8) { d.reserved = int(host) + 1 }

// Release ends a reservation, whoever has it.
func (d *Device) Release() {
	d.reserved = 0
	d.freed(d.subsystem.m.Clock.Now())
}

// Reserved reports whether the device is reserved, and to which host.
func (d *Device) Reserved() (host uint8, reserved bool) {
	return uint8(d.reserved - 1), d.reserved != 0
}

// NewSession makes a way to the device over a link, for one subchannel: the
// base's, or an alias's. Channel programs of different sessions overlap in
// time, unless one of them may write to what the other reads or writes.
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
