package dasd

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// Config describes a storage subsystem.
type Config struct {
	// ControlUnit names the kind of control unit: see ControlUnits. Empty stands for
	// the usual one of each device: 2107 for a 3390.
	ControlUnit string
	// CFWID is the cache-fast-write identity: a define extent that asks for
	// cache fast write must name it.
	CFWID uint16
	// SubsystemID is the SSID (subsystem identifier); 0 stands for the device number
	// without its last five bits.
	SubsystemID uint16
	// CacheTracks is the number of tracks that the cache holds; 0 stands for
	// DefaultCacheTracks, a negative value for no cache.
	CacheTracks int
	// Timing holds the figures of the service-time model.
	Timing Timing
	// Seed is the seed for hits by chance, and for the angles at which the devices'
	// disks begin.
	Seed uint64
}

// Limits of a subsystem.
const (
	// DefaultCacheTracks is the usual size of the cache: 3.5 GiB of 3390 tracks.
	DefaultCacheTracks = 65536
	// MaxCacheTracks is the largest number of tracks of a cache.
	MaxCacheTracks = 1 << 26
	// MaxArms is the largest number of arms over which a volume is spread.
	MaxArms = 1024
	// MaxDevices is the largest number of devices of a control unit.
	MaxDevices = 65536
)

// Subsystem is a control unit with its cache and non-volatile storage, and the
// devices behind it.
type Subsystem struct {
	m           *machine.Machine
	name        string
	config      Config
	cfwid       uint16
	cache       cache
	nonVolatile nonVolatile
	draws       uint64
	devices     []*Device
	failed      bool
	modes       modes
}

// NewSubsystem makes a storage subsystem of machine m without devices.
func NewSubsystem(m *machine.Machine, name string, config Config) (*Subsystem, error) {
	if config.CacheTracks == 0 {
		config.CacheTracks = DefaultCacheTracks
	}
	config.Timing.fill()
	switch {
	case config.CacheTracks > MaxCacheTracks:
		return nil, fmt.Errorf("subsystem %s: cache of %d tracks: want at most %d", name, config.CacheTracks, MaxCacheTracks)
	case config.Timing.Arms > MaxArms:
		return nil, fmt.Errorf("subsystem %s: %d arms: want at most %d", name, config.Timing.Arms, MaxArms)
	case config.Timing.ReadHitRatio > 1:
		return nil, fmt.Errorf("subsystem %s: read hit ratio of %v: want at most 1", name, config.Timing.ReadHitRatio)
	case config.ControlUnit != "" && findUnit(config.ControlUnit) == nil:
		return nil, fmt.Errorf("subsystem %s: control unit %q: want one of %v", name, config.ControlUnit, ControlUnits())
	}
	return &Subsystem{m: m, name: name, config: config, cfwid: config.CFWID, cache: newCache(max(0, config.CacheTracks))}, nil
}

// Name returns the subsystem's name.
func (s *Subsystem) Name() string { return s.name }

// CFWID returns the present cache-fast-write identity.
func (s *Subsystem) CFWID() uint16 { return s.cfwid }

// Devices returns the subsystem's devices in the order in which they were made.
func (s *Subsystem) Devices() []*Device { return s.devices }

// LoseCache empties the cache, as a loss of its power does. Data that cache fast
// write keeps only there would be gone, so the CFWID changes and channel programs
// that name the old one are refused. Data on the media stays.
func (s *Subsystem) LoseCache() {
	s.cfwid++
	s.cache.clear()
}

// Fail takes the subsystem down: none of its devices answers any more.
func (s *Subsystem) Fail() { s.failed = true }

// Restore brings a failed subsystem up again.
func (s *Subsystem) Restore() { s.failed = false }

// Failed reports whether the subsystem is down.
func (s *Subsystem) Failed() bool { return s.failed }

// NewECKD makes a device of tracks over a medium, which it owns from now on.
func (s *Subsystem) NewECKD(number uint16, medium media.CKD) (*Device, error) {
	d := &Device{ckd: medium, geometry: medium.Geometry()}
	if d.geometry.FBA() {
		return nil, fmt.Errorf("device %04X: medium is a %s, which has blocks, not tracks", number, d.geometry.Name)
	}
	return d, s.add(number, d)
}

// NewFBA makes a device of blocks over a medium, which it owns from now on.
func (s *Subsystem) NewFBA(number uint16, medium media.FBA) (*Device, error) {
	d := &Device{fba: medium, geometry: medium.Geometry()}
	if !d.geometry.FBA() {
		return nil, fmt.Errorf("device %04X: medium is a %s, which has tracks, not blocks", number, d.geometry.Name)
	}
	return d, s.add(number, d)
}

func (s *Subsystem) add(number uint16, d *Device) error {
	for _, o := range s.devices {
		if o.number == number {
			return fmt.Errorf("device %04X: subsystem %s has one of that number", number, s.name)
		}
	}
	if len(s.devices) == MaxDevices {
		return fmt.Errorf("device %04X: subsystem %s has %d devices, no more are possible", number, s.name, MaxDevices)
	}
	g := d.geometry
	d.subsystem, d.number = s, number
	d.tracks = g.Tracks()
	d.cylinders = g.Cylinders
	if g.FBA() {
		d.cylinders = int(g.Blocks) / g.BlocksPerCylinder
	}
	d.changed = NewTrackMask(d.tracks)
	d.cached = make([]int32, d.tracks)
	d.mechanics = mechanicsOf(g)
	d.arms = d.newArms(s.config.Timing.Arms, s.config.Seed)
	if !g.FBA() {
		stage := s.config.Timing.StageBytes
		if stage == 0 {
			stage = g.DataLength / stageShare
		}
		d.stage = min(d.mechanics.span(max(0, stage)), turn)
	}
	d.unit = findUnit(s.config.ControlUnit)
	if d.unit == nil || !d.unit.takes(g) {
		d.unit = usualUnit(g)
	}
	s.devices = append(s.devices, d)
	d.index = len(s.devices) - 1
	return nil
}

// subsystemID returns the SSID that the device's subsystem reports.
func (d *Device) subsystemID() uint16 {
	if id := d.subsystem.config.SubsystemID; id != 0 {
		return id
	}
	return d.number &^ 0x1F
}

// draw decides by chance whether a read of the track hits.
func (s *Subsystem) draw(device, track int) bool {
	s.draws++
	x := scramble(s.config.Seed ^ uint64(device)<<48 ^ uint64(track)<<24 ^ s.draws*golden)
	return float64(x>>11)/(1<<53) < s.config.Timing.ReadHitRatio
}

// golden spreads neighbouring numbers over all 64 bits, for scramble.
const golden = 0x9E3779B97F4A7C15

// scramble is the finalizer of the generator splitmix64.
func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
