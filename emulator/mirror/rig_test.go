package mirror_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/hooks"
)

// The volumes of a rig: 3390s of a few cylinders.
const (
	cylinders, heads, records = 8, 15, 12

	trackCount = cylinders * heads
	firstTrack = heads // the access method leaves cylinder 0 alone
	trackBytes = records * access.BlockSize
)

// volume is a device, what lies on it, and the ways to it.
type volume struct {
	*dasd.Device
	unit *ios.UCB
	// fail, if not nil, says which tracks the medium cannot give, for reading or for
	// changing.
	fail func(track int, change bool) bool
	// delay is what each channel program takes longer on its way to the device.
	delay machine.Time
}

// medium is a medium of which tracks fail.
type medium struct {
	media.CKD
	v *volume
}

var errBroken = errors.New("a broken track")

func (m medium) Track(n int) (*media.Track, error) {
	if m.v.fail != nil && m.v.fail(n, false) {
		return nil, errBroken
	}
	return m.CKD.Track(n)
}

func (m medium) Update(n int) (*media.Track, error) {
	if m.v.fail != nil && m.v.fail(n, true) {
		return nil, errBroken
	}
	return m.CKD.Update(n)
}

// way is a way to a device that may be slow.
type way struct {
	channel.Session
	v *volume
}

func (w way) Deliver(now machine.Time) (machine.Time, bool) {
	at, operational := w.Session.Deliver(now)
	return at + w.v.delay, operational
}

// rig is a machine with a pair of real devices and an application that writes.
type rig struct {
	t         testing.TB
	m         *machine.Machine
	x         *intercept.Process
	mirroring *mirror.Process
	pair      *intercept.Pair
	primary   *volume
	mirrors   []*volume
	block     *access.Block

	asked uint64
	ended map[uint64]machine.Time // when each write ended
}

// newRig makes a rig of a primary and so many mirrors, all alike.
func newRig(t testing.TB, mirrors int) *rig {
	t.Helper()
	m, err := machine.New(2)
	require.NoError(t, err)
	supervisor := ios.New(m, channel.New(m))
	g := &rig{t: t, m: m, x: intercept.New(supervisor, nil), ended: make(map[uint64]machine.Time)}
	g.x.Illegal = func(of, from, to string, io uint64) { t.Errorf("%s of I/O %d goes from %s to %s", of, io, from, to) }
	g.mirroring = mirror.New(m, g.x)
	geometry, err := media.ForType(0x90, cylinders, heads, 56832)
	require.NoError(t, err)
	add := func(number uint16) *volume {
		sub, err := dasd.NewSubsystem(m, fmt.Sprintf("%04X", number), dasd.Config{})
		require.NoError(t, err)
		memory, err := media.NewMemoryCKD(geometry, records, access.BlockSize)
		require.NoError(t, err)
		require.NoError(t, media.InitCKD(memory, media.Label{Serial: "MIR001"}))
		v := &volume{}
		v.Device, err = sub.NewECKD(number, medium{memory, v})
		require.NoError(t, err)
		for i, base := uint16(0), (*ios.UCB)(nil); i < 3; i++ { // a base unit and two aliases
			link, err := dasd.NewLink(m, dasd.LinkConfig{Type: dasd.FICONExpress8})
			require.NoError(t, err)
			u, err := supervisor.AddUnit(number+i, way{v.NewSession(link), v}, base)
			require.NoError(t, err)
			if base == nil {
				v.unit, base = u, u
			}
		}
		return v
	}
	g.primary = add(0x100)
	var devices []intercept.Device
	for i := range mirrors {
		g.mirrors = append(g.mirrors, add(uint16(0x200+i*0x10)))
		devices = append(devices, intercept.Device{Unit: g.mirrors[i].unit})
	}
	g.pair, err = g.x.AddPair(intercept.Device{Unit: g.primary.unit}, chain.Geometry{Class: abi.ClassECKD, Tracks: trackCount, Heads: heads}, devices, true)
	require.NoError(t, err)
	layout, err := access.NewECKDLayout(cylinders, heads, records)
	require.NoError(t, err)
	g.block, err = access.NewBlock(supervisor, []access.Volume{{Unit: g.primary.unit, Layout: layout}}, 0, g)
	require.NoError(t, err)
	return g
}

// Complete notes the end of a write.
func (g *rig) Complete(token uint64, code uint8, now machine.Time) {
	if _, twice := g.ended[token]; twice {
		g.t.Errorf("write %d ended twice", token)
	}
	g.ended[token] = now
}

// write begins a write of n records, from one of a track on, and returns its number.
// The application's blocks begin at firstTrack.
func (g *rig) write(track, record, n int) uint64 {
	g.asked++
	require.NoError(g.t, g.block.Submit(g.asked, true, int64((track-firstTrack)*trackBytes+record*access.BlockSize), int64(n*access.BlockSize)))
	return g.asked
}

// run lets everything happen that is to happen.
func (g *rig) run() {
	for g.m.Clock.Step() {
	}
}

func (g *rig) runFor(d machine.Time) { g.m.Clock.RunUntil(g.m.Clock.Now() + d) }

// options are those of a synchronisation that appends its end to ends.
func (g *rig) options(ends *[]error) mirror.SyncOptions {
	return mirror.SyncOptions{
		Changed: g.primary.ChangedTracks(), RecordsATrack: records,
		Done: func(err error) { *ends = append(*ends, err) },
	}
}

// differing lists the tracks on which a mirror's medium differs from the primary's.
func (g *rig) differing(mirror int) (tracks []int) {
	image := func(v *volume, n int) string {
		t, err := v.CKD().(medium).CKD.Track(n)
		require.NoError(g.t, err)
		return string(t.AppendImage(nil))
	}
	for n := range trackCount {
		if image(g.primary, n) != image(g.mirrors[mirror], n) {
			tracks = append(tracks, n)
		}
	}
	return tracks
}

// marked lists the marked tracks of a mirror.
func (g *rig) marked(mirror int) (tracks []int) {
	m := g.pair.Mirrors()[mirror]
	for t, ok := m.NextMarked(0); ok; t, ok = m.NextMarked(t + 1) {
		tracks = append(tracks, int(t))
	}
	return tracks
}

// install puts native detours on the slots: front decides what is asked for a write
// to the primary; mirror requests are started with the primary's, and applications are
// told when their mirror I/Os have ended.
func (g *rig) install(front func(*abi.Frame)) {
	one := func(name string, front, back, post func(*abi.Frame)) []*hooks.Attachment {
		return []*hooks.Attachment{{Name: name, Detour: hooks.NewNative(front, back, post), Granted: abi.CapabilitiesKnown}}
	}
	require.NoError(g.t, g.x.Install([hooks.Slots][]*hooks.Attachment{
		one("front", func(f *abi.Frame) {
			if f.Target.Role == abi.RolePrimary && f.Target.Origin == abi.OriginApplication {
				front(f)
			}
		}, nil, nil),
		one("back", nil, backEnd, nil),
		one("post", nil, nil, postStatus),
	}, intercept.Promise{Durability: intercept.DurableMirrors}))
}

// toAll asks for mirror requests to all mirrors.
func toAll(f *abi.Frame) {
	f.Response.Ask(abi.IntentMirror).Mirrors = 1<<f.Pair.Mirrors - 1
	f.Response.Ask(abi.IntentBackEnd)
}

// changed asks for copies of the changed tracks to all mirrors.
func changed(f *abi.Frame) {
	f.Response.Ask(abi.IntentChangedTracks).Mirrors = 1<<f.Pair.Mirrors - 1
}

func backEnd(f *abi.Frame) {
	mask := uint8(0)
	for i := range f.Pair.Mirror[:f.Pair.Mirrors] {
		if io := f.Pair.Mirror[i].IO; io == abi.MirrorIOShadow || io == abi.MirrorIOScheduled {
			mask |= 1 << i
		}
	}
	kind := abi.IntentStart
	if f.Head.Flags&abi.Disabled != 0 {
		kind = abi.IntentSchedule
	}
	if mask != 0 {
		f.Response.Ask(kind).Mirrors = mask
	}
}

func postStatus(f *abi.Frame) {
	if f.Target.Role != abi.RolePrimary || f.Status.OK == 0 || f.Status.Flags&abi.FlagTimedOut != 0 {
		return
	}
	for i := range f.Pair.Mirror[:f.Pair.Mirrors] {
		switch f.Pair.Mirror[i].IO {
		case abi.MirrorIOShadow, abi.MirrorIOScheduled, abi.MirrorIOBegun:
			f.Response.Verdict = abi.Return
		}
	}
}
