package intercept

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Pair is a primary device and its mirrors.
type Pair struct {
	// ID numbers the pairs from 1.
	ID uint32
	// Mode is the pair's present mode of mirroring.
	Mode abi.PairMode

	usual      abi.PairMode // mode without the effect of requests whose chains suspend themselves
	suspending int          // number of such requests

	volume   *ios.UCB // unit by which applications know it
	primary  *ios.UCB
	group    *group // nil for none
	geometry chain.Geometry
	cfwid    uint16
	mirrors  []*Mirror
	estimate estimate
	written  []uint32 // by track: number of the last write that reached the primary
	writes   uint32   // numbers the pair's writes from 1
	risk     riskList
	writing  int // number of writes that the primary has accepted and not answered
}

// Mirror is one mirror of a pair.
type Mirror struct {
	// State is the mirror's present part in the pair.
	State abi.MirrorState

	pair     *Pair
	index    uint8
	unit     *ios.UCB
	cfwid    uint16
	estimate estimate
	account  account
	started  []uint32 // by track: number of the latest write on its way to the mirror
	risk     risk
	waiting  int    // number of mirror requests on the shadow queue
	synced   uint32 // number of the last write before the end of the last synchronisation
	// synchronisations is the number of synchronisations that have ended.
	synchronisations uint32
	oldest           *mirrorRequest // mirror I/O that has been under way for the longest
	newest           *mirrorRequest
	standing         *standing // nil without a standing chain
}

// Primary returns the unit of the primary device.
func (p *Pair) Primary() *ios.UCB { return p.primary }

// Mirrors returns the pair's mirrors. The slice must not be changed.
func (p *Pair) Mirrors() []*Mirror { return p.mirrors }

// began notes that a mirror I/O is under way; finished takes that back.
func (m *Mirror) began(mr *mirrorRequest) {
	mr.begunIn = m.synchronisations
	mr.older, mr.newer = m.newest, nil
	if m.newest == nil {
		m.oldest = mr
	} else {
		m.newest.newer = mr
	}
	m.newest = mr
}

func (m *Mirror) finished(mr *mirrorRequest) {
	if mr.older == nil {
		m.oldest = mr.newer
	} else {
		mr.older.newer = mr.newer
	}
	if mr.newer == nil {
		m.newest = mr.older
	} else {
		mr.newer.older = mr.older
	}
	mr.older, mr.newer = nil, nil
}

// Oldest returns the request whose mirror I/O has been under way for the longest
// on this mirror, and the time at which that began; nil when there is none.
func (m *Mirror) Oldest() (*Request, machine.Time) {
	if m.oldest == nil {
		return nil, 0
	}
	return m.oldest.r, m.oldest.begunAt
}

// Unit returns the unit of the mirror device.
func (m *Mirror) Unit() *ios.UCB { return m.unit }

// OutOfSync returns the number of tracks that are marked out of sync.
func (m *Mirror) OutOfSync() int { return m.account.count }

// Follows reports whether the mirror takes the primary's writes, so that it can
// replace the primary.
func (m *Mirror) Follows() bool { return m.State == abi.MirrorInSync }

// Marked reports whether the track is marked out of sync.
func (m *Mirror) Marked(track uint32) bool { return m.account.isMarked(track) }

// Device describes one side of a pair for AddPair.
type Device struct {
	Unit  *ios.UCB
	CFWID uint16
}

// AddPair makes a pair of primary and the devices of mirrors, all of the same
// geometry. The devices are taken to be identical if inSync is set, else every
// track is marked. AddPair returns an error for too many mirrors, for a geometry
// of no tracks, and for a unit that belongs to a pair already.
func (x *Process) AddPair(primary Device, geometry chain.Geometry, mirrors []Device, inSync bool) (*Pair, error) {
	if len(mirrors) > abi.MaxMirrors {
		return nil, fmt.Errorf("pair of unit %04X: %d mirrors: at most %d", primary.Unit.DeviceNumber, len(mirrors), abi.MaxMirrors)
	}
	if geometry.Tracks == 0 || geometry.Class == abi.ClassECKD && geometry.Heads == 0 || geometry.Class == abi.ClassFBA && geometry.TrackBlocks == 0 {
		return nil, fmt.Errorf("pair of unit %04X: geometry of %d tracks, %d heads", primary.Unit.DeviceNumber, geometry.Tracks, geometry.Heads)
	}
	for _, d := range append([]Device{primary}, mirrors...) {
		if r := x.roleOf(d.Unit); r.role != abi.RoleNone {
			return nil, fmt.Errorf("pair of unit %04X: unit %04X belongs to pair %d already", primary.Unit.DeviceNumber, d.Unit.DeviceNumber, r.pair.ID)
		}
	}
	p := &Pair{
		ID: uint32(len(x.pairs) + 1), volume: primary.Unit, primary: primary.Unit, geometry: geometry, cfwid: primary.CFWID,
		written: make([]uint32, geometry.Tracks),
	}
	x.setRole(primary.Unit, unitRole{role: abi.RolePrimary, pair: p})
	for i, d := range mirrors {
		m := &Mirror{State: abi.MirrorInSync, pair: p, index: uint8(i), unit: d.Unit, cfwid: d.CFWID, account: newAccount(geometry.Tracks), started: make([]uint32, geometry.Tracks)}
		if !inSync {
			m.State = abi.MirrorSuspended
			m.account.markAll()
		}
		p.mirrors = append(p.mirrors, m)
		x.setRole(d.Unit, unitRole{role: abi.RoleMirror, pair: p, mirror: m})
	}
	x.pairs = append(x.pairs, p)
	return p, nil
}

// unitRole is the part of a unit in the mirroring: its pair, and its place there.
type unitRole struct {
	role   abi.Role
	pair   *Pair
	mirror *Mirror
}

func (x *Process) roleOf(u *ios.UCB) unitRole {
	if u.Index < len(x.roles) {
		return x.roles[u.Index]
	}
	return unitRole{}
}

func (x *Process) setRole(u *ios.UCB, r unitRole) {
	for len(x.roles) <= u.Index {
		x.roles = append(x.roles, unitRole{})
	}
	x.roles[u.Index] = r
}

// estimate is the expected service time of a device: an average in which older
// values fade, with a weight of 1/8 for the newest, as in TCP's estimate of the
// round-trip time (RFC 6298).
type estimate struct {
	read, write int64 // nanoseconds
	lastTrack   uint32
}

func (e *estimate) observe(write bool, took machine.Time, track uint32) {
	v := &e.read
	if write {
		v = &e.write
	}
	if *v == 0 {
		*v = int64(took)
	} else {
		*v += (int64(took) - *v) / 8
	}
	e.lastTrack = track
}

func clamp32(v int64) uint32 { return uint32(min(max(v, 0), 1<<32-1)) }
