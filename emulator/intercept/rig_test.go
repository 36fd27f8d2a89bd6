package intercept_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/hooks"
)

// disk is a device of 4 KiB records that knows define extent, locate record,
// update write and read data: enough for the block access method's chains. It
// keeps to the extent, the file mask and the domain as a real one does.
type disk struct {
	tags      []machine.Tag
	latency   machine.Time
	fail      func(write bool) bool // says which commands end in an equipment check
	lost      bool                  // nothing comes back
	loseStart func() bool           // says which chains do not arrive
	loseEnd   func() bool           // says of which the status does not come back
	writes    int
	reads     int
	changed   [diskTracks]bool
	at        int // unit
	left      int // records of the domain
	first     int // tracks of the extent
	last      int
	inhibit   bool
	sense     [32]byte
}

const (
	diskTracks = 20 * 15
	trackUnits = 12 * 8
)

func newDisk(latency machine.Time) *disk {
	return &disk{latency: latency, tags: make([]machine.Tag, diskTracks*trackUnits)}
}

func (d *disk) Deliver(now machine.Time) (machine.Time, bool) {
	if d.lost || d.loseStart != nil && d.loseStart() {
		return machine.Never, true
	}
	return now + d.latency/2, true
}

func (d *disk) Begin(machine.Time, *channel.ORB) arch.UnitStatus {
	d.first, d.last, d.left, d.inhibit = 0, diskTracks-1, 0, false
	return 0
}

const normalEnd = arch.ChannelEnd | arch.DeviceEnd

func (d *disk) Command(op *channel.Operation) arch.UnitStatus {
	var p [16]byte
	write := op.Command == 0x85
	switch op.Command {
	case 0x03:
	case 0x1F:
		op.Data.Any()
		op.Data.Read(p[:1])
		d.inhibit = p[0]&0xC0 == 0x40
	case 0x63:
		op.Data.Any()
		op.Data.Read(p[:])
		d.inhibit = p[0]&0xC0 == 0x40
		d.first, d.last = trackAt(p[8:]), min(trackAt(p[12:]), diskTracks-1)
	case 0x47:
		op.Data.Any()
		op.Data.Read(p[:])
		t := trackAt(p[4:])
		if t < d.first || t > d.last || p[12] < 1 || p[12] > 12 {
			return d.check(0, 0x04)
		}
		d.at, d.left = t*trackUnits+(int(p[12])-1)*8, int(p[3])
	case 0x85, 0x86:
		if d.left == 0 {
			return d.check(0x80, 0)
		}
		if write && d.inhibit || d.at/trackUnits > d.last {
			return d.check(0, 0x04)
		}
		if d.fail != nil && d.fail(write) {
			return d.check(0x10, 0)
		}
		op.Data.Expect(4096)
		if write {
			d.writes++
			d.changed[d.at/trackUnits] = true
			take(op.Data, d.tags[d.at:d.at+8])
		} else {
			d.reads++
			give(op.Data, d.tags[d.at:d.at+8])
		}
		d.at += 8
		d.left--
	default:
		return d.check(0x80, 0)
	}
	return normalEnd
}

// take takes a record; of storage that holds bytes it keeps what they hash to.
func take(data *channel.Transfer, tags []machine.Tag) {
	if data.ReadTags(tags) {
		return
	}
	var p [machine.UnitSize]byte
	for i := range tags {
		clear(p[:])
		data.Read(p[:])
		h := fnv.New64a()
		h.Write(p[:])
		tags[i] = machine.Tag(h.Sum64())
	}
}

func give(data *channel.Transfer, tags []machine.Tag) {
	if data.WriteTags(tags) {
		return
	}
	var p [machine.UnitSize]byte
	for _, t := range tags {
		t.Fill(p[:], 0)
		data.Write(p[:])
	}
}

func trackAt(p []byte) int {
	return int(binary.BigEndian.Uint16(p))*15 + int(binary.BigEndian.Uint16(p[2:]))
}

func (d *disk) check(zero, one byte) arch.UnitStatus {
	d.sense = [32]byte{zero, one}
	return normalEnd | arch.UnitCheck
}

func (d *disk) Elapsed() machine.Time { return 0 }

func (d *disk) End(now machine.Time, _ channel.Ending) (machine.Time, bool) {
	if d.lost || d.loseEnd != nil && d.loseEnd() {
		return machine.Never, false
	}
	return now + d.latency/2, false
}

func (d *disk) Sense() []byte { return d.sense[:] }
func (d *disk) Reset(bool)    {}

// Clear, Count and Next make the disk the changed-track mask of a
// synchronisation.
func (d *disk) Clear() { clear(d.changed[:]) }

func (d *disk) Count() (n int) {
	for _, c := range d.changed {
		if c {
			n++
		}
	}
	return n
}

func (d *disk) Next(t int) int {
	for ; t < diskTracks; t++ {
		if d.changed[t] {
			return t
		}
	}
	return -1
}

// rig is a machine with a primary and mirrors.
type rig struct {
	m       *machine.Machine
	ios     *ios.Supervisor
	x       *intercept.Process
	mirror  *mirror.Process
	pair    *intercept.Pair
	primary *disk
	mirrors []*disk
	block   *access.Block
	app     *application
}

type application struct {
	codes []uint8
	at    []machine.Time
}

func (a *application) Complete(token uint64, code uint8, now machine.Time) {
	for len(a.codes) <= int(token) {
		a.codes = append(a.codes, 0)
		a.at = append(a.at, 0)
	}
	if a.codes[token] != 0 {
		panic("completed twice")
	}
	a.codes[token], a.at[token] = code, now
}

func newRig(t testing.TB, mirrors int) *rig {
	t.Helper()
	app := &application{}
	g := newRigWith(t, app, mirrors)
	g.app = app
	return g
}

func newRigWith(t testing.TB, app access.Application, mirrors int) *rig {
	t.Helper()
	return newRigOn(t, app, mirrors, 1)
}

func newRigOn(t testing.TB, app access.Application, mirrors, processors int) *rig {
	t.Helper()
	m, err := machine.New(processors)
	require.NoError(t, err)
	css := channel.New(m)
	g := &rig{m: m, ios: ios.New(m, css), primary: newDisk(200 * machine.Microsecond)}
	g.x = intercept.New(g.ios, nil)
	g.x.Illegal = func(of, from, to string, io uint64) {
		panic(fmt.Sprintf("%s of I/O %d goes from %s to %s", of, io, from, to))
	}
	t.Cleanup(func() { noteTransitions(g.x) })
	g.mirror = mirror.New(m, g.x)
	u, err := g.ios.AddUnit(0x100, g.primary, nil)
	require.NoError(t, err)
	var devices []intercept.Device
	for i := range mirrors {
		d := newDisk(700 * machine.Microsecond)
		g.mirrors = append(g.mirrors, d)
		mu, err := g.ios.AddUnit(uint16(0x200+i), d, nil)
		require.NoError(t, err)
		devices = append(devices, intercept.Device{Unit: mu})
	}
	g.pair, err = g.x.AddPair(intercept.Device{Unit: u}, chain.Geometry{Class: abi.ClassECKD, Tracks: 300, Heads: 15}, devices, true)
	require.NoError(t, err)
	layout, err := access.NewECKDLayout(20, 15, 12)
	require.NoError(t, err)
	g.block, err = access.NewBlock(g.ios, []access.Volume{{Unit: u, Layout: layout}}, 0, app)
	require.NoError(t, err)
	return g
}

// install puts a policy of native detours on the slots.
func (g *rig) install(t testing.TB, front, back, post func(*abi.Frame)) {
	t.Helper()
	all := abi.CapabilitiesKnown
	one := func(name string, f, b, p func(*abi.Frame)) []*hooks.Attachment {
		return []*hooks.Attachment{{Name: name, Detour: hooks.NewNative(f, b, p), Granted: all}}
	}
	_, err := g.ios.Hooks.Install([hooks.Slots][]*hooks.Attachment{
		one("front", front, nil, nil), one("back", nil, back, nil), one("post", nil, nil, post),
	})
	require.NoError(t, err)
}

func (g *rig) run() {
	for g.m.Clock.Step() {
	}
}

// The detours of the tests here: the common path of FIGs. 5 to 16.
func frontEnd(f *abi.Frame) {
	if f.Target.Role != abi.RolePrimary {
		return
	}
	writes := false
	for i := range f.Chain.CCW[:f.Chain.Inline] {
		writes = writes || f.Chain.CCW[i].Command == 0x85
	}
	if writes {
		f.Response.Ask(abi.IntentMirror).Mirrors = 1<<f.Pair.Mirrors - 1
		f.Response.Ask(abi.IntentBackEnd)
	}
}

func backEnd(f *abi.Frame) {
	mask := uint8(0)
	for i := range f.Pair.Mirror[:f.Pair.Mirrors] {
		if io := f.Pair.Mirror[i].IO; io == abi.MirrorIOShadow || io == abi.MirrorIOScheduled {
			mask |= 1 << i
		}
	}
	switch {
	case mask == 0:
	case f.Status.CC != 0:
		f.Response.Ask(abi.IntentDrop).Mirrors = mask
	case f.Head.Flags&abi.Disabled != 0:
		f.Response.Ask(abi.IntentSchedule).Mirrors = mask
	default:
		f.Response.Ask(abi.IntentStart).Mirrors = mask
	}
}

func postStatus(f *abi.Frame) {
	if f.Target.Role != abi.RolePrimary || f.Status.OK == 0 {
		return
	}
	for i := range f.Pair.Mirror[:f.Pair.Mirrors] {
		switch f.Pair.Mirror[i].IO {
		case abi.MirrorIOShadow, abi.MirrorIOScheduled, abi.MirrorIOBegun:
			if f.Status.Flags&abi.FlagTimedOut == 0 {
				f.Response.SetFlags(abi.FlagMirrorIncomplete)
				f.Response.Verdict = abi.Return
				return
			}
			f.Response.Ask(abi.IntentDissociate).Mirrors = 1 << i
		case abi.MirrorIOFailed:
			f.Response.Ask(abi.IntentDissociate).Mirrors = 1 << i
		}
	}
	f.Response.SetFlags(abi.FlagBothComplete)
}
