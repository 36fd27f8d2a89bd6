package host

import (
	"fmt"
	"math"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
)

// RehearsalError says on which canned frame a detour failed. It wraps ErrRefused and
// the cause: a *TrapError or an *abi.ResponseError.
type RehearsalError struct {
	Detour string
	Hook   abi.Hook
	Frame  string // name of the canned frame
	Cause  error
}

func (e *RehearsalError) Error() string {
	return fmt.Sprintf("%s: %v: rehearsal of %s on %s: %v", e.Detour, ErrRefused, e.Hook, e.Frame, e.Cause)
}

// Unwrap returns ErrRefused and the cause.
func (e *RehearsalError) Unwrap() []error { return []error{ErrRefused, e.Cause} }

// Rehearse runs every hook of the instance on canned frames, made-up requests of the
// usual kinds, and checks the responses in the same way as the I/O path does. It
// finds detours that fail at once, not detours that answer wrongly. The instance has
// a fresh memory afterwards, and its former chain reader.
func Rehearse(i *Instance) error {
	reader := i.chain
	defer i.UseChain(reader)
	for h := range abi.Hooks {
		if !i.Module().Manifest.Implements(h) {
			continue
		}
		for n := range rehearsals {
			s := &rehearsals[n]
			if s.hooks&(1<<h) == 0 {
				continue
			}
			chain := s.chain()
			i.UseChain(cannedChain(chain))
			s.fill(i.Frame(), h, chain)
			if err := i.Call(h); err != nil {
				return &RehearsalError{i.name, h, s.name, err}
			}
			if err := i.Frame().Response.Check(h, i.granted, len(chain)); err != nil {
				return &RehearsalError{i.name, h, s.name, err}
			}
		}
	}
	return i.restart()
}

// cannedChain answers chain_read for a rehearsal.
type cannedChain []abi.CCW

func (c cannedChain) ReadChain(first int, into []abi.CCW) int {
	if first < 0 || first >= len(c) {
		return 0
	}
	return copy(into, c[first:])
}

// rehearsal is a canned frame.
type rehearsal struct {
	name  string
	hooks uint8 // mask of the hooks that it is for
	chain func() []abi.CCW
	scene func(*abi.Frame, abi.Hook)
}

const (
	onFront = 1 << abi.FrontEnd
	onBack  = 1 << abi.BackEnd
	onPost  = 1 << abi.PostStatus
	onAll   = onFront | onBack | onPost
)

var rehearsals = [...]rehearsal{
	{"a device that is not mirrored", onAll, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Target.Role = abi.RoleNone
		f.Pair = abi.Pair{Size: f.Pair.Size}
	}},
	{"a write to a primary with one mirror", onAll, writeChain, nil},
	{"a read of a primary with one mirror", onAll, readChain, func(f *abi.Frame, h abi.Hook) {
		f.Pair.Mirror[0].Flags |= abi.MirrorTracksInSync
	}},
	{"a write to a primary without mirrors", onAll, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Pair.Mirrors, f.Pair.Mirror = 0, [abi.MaxMirrors]abi.Mirror{}
	}},
	{"a write to a primary with eight mirrors in different states", onAll, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Pair.Mirrors = abi.MaxMirrors
		for m := range f.Pair.Mirror {
			f.Pair.Mirror[m] = f.Pair.Mirror[0]
			f.Pair.Mirror[m].State = abi.MirrorState(m % int(abi.MirrorFailed+1))
			f.Pair.Mirror[m].IO = abi.MirrorIO(m % int(abi.MirrorIODropped+1))
		}
	}},
	{"an application's write to a mirror", onFront | onPost, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Target.Role = abi.RoleMirror
	}},
	{"a mirror I/O", onAll, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Target.Role, f.Target.Origin = abi.RoleMirror, abi.OriginMirror
	}},
	{"a re-drive while the mirror I/O is active", onFront, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Pair.Active, f.Target.Retries, f.Head.Call = 1, 1, 1
	}},
	{"a chain longer than the frame", onAll, longChain, nil},
	{"a chain that could not be followed to its end", onAll, longChain, func(f *abi.Frame, _ abi.Hook) {
		f.Chain.Flags |= abi.ChainTruncated
	}},
	{"an empty chain", onFront, func() []abi.CCW { return nil }, nil},
	{"a failed SSCH", onBack, writeChain, func(f *abi.Frame, _ abi.Hook) { f.Status.CC = 3 }},
	{"an enabled call", onBack, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Head.Flags &^= abi.Disabled
		f.Head.Call, f.Pair.Mirror[0].IO = 1, abi.MirrorIOScheduled
	}},
	{"a mirror that was synchronising, with its label read", onBack, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Pair.Mirror[0].State = abi.MirrorSynchronising
		f.Pair.Mirror[0].Flags = abi.MirrorWasSynchronising | abi.MirrorLabelRead
	}},
	{"a mirror with a suspended chain", onBack, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Pair.Mirror[0].Flags |= abi.MirrorHasSuspendedChain
	}},
	{"a failed primary I/O", onPost, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Status.OK, f.Status.SenseSize, f.Status.Sense[0] = 0, arch.SenseSize, uint8(arch.SenseEquipmentCheck>>8)
		f.Status.SCSW[arch.SCSWUnit] = uint8(arch.ChannelEnd | arch.DeviceEnd | arch.UnitCheck)
	}},
	{"a primary I/O whose mirror I/O is complete", onPost, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Pair.Mirror[0].IO = abi.MirrorIOComplete
		f.Status.Flags = abi.FlagMirrorIncomplete | abi.FlagMirrorComplete
		f.Head.Call = 1
	}},
	{"a primary I/O whose mirror I/O has failed", onPost, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Pair.Mirror[0].IO = abi.MirrorIOFailed
		f.Status.Flags = abi.FlagMirrorIncomplete | abi.FlagMirrorError
		f.Head.Call = 1
	}},
	{"a primary I/O for which the monitor gave up", onPost, writeChain, func(f *abi.Frame, _ abi.Hook) {
		f.Pair.Mirror[0].IO = abi.MirrorIOBegun
		f.Status.Flags = abi.FlagMirrorIncomplete | abi.FlagTimedOut
		f.Head.Call = math.MaxUint32
	}},
}

// fill writes the frame of a plain write to a primary with one mirror in sync, and
// then changes the fields that differ in this rehearsal.
func (s *rehearsal) fill(f *abi.Frame, h abi.Hook, chain []abi.CCW) {
	settings := f.Settings
	*f = abi.Frame{Settings: settings}
	stampSizes(f)
	f.Head.Hook, f.Head.Flags = h, abi.Tracing
	f.Head.Generation, f.Head.Now, f.Head.IO, f.Head.Random = 1, 1_000_000, 1, 0x9E3779B97F4A7C15
	t := &f.Target
	t.Subchannel, t.Device, t.Role = 0x00010004, 0x0A80, abi.RolePrimary
	t.FirstTrack, t.LastTrack, t.DataLength = 15, 15, 4096
	p := &f.Pair
	p.ID, p.Mirrors, p.CFWID, p.Queue = 1, 1, 0x0101, 1
	p.ReadLatency, p.WriteLatency = 300_000, 400_000
	p.Mirror[0] = abi.Mirror{Device: 0x0B80, CFWID: 0x0202, State: abi.MirrorInSync, ReadLatency: 900_000, WriteLatency: 1_000_000}
	if h != abi.FrontEnd {
		p.Mirror[0].IO = abi.MirrorIOShadow
	}
	switch h {
	case abi.BackEnd:
		f.Head.Flags |= abi.Disabled
	case abi.PostStatus:
		f.Status.OK, f.Status.Flags = 1, abi.FlagPrimaryComplete
		f.Status.SCSW[arch.SCSWUnit] = uint8(arch.ChannelEnd | arch.DeviceEnd)
		p.Mirror[0].IO = abi.MirrorIOBegun
	}
	c := &f.Chain
	c.Count = uint16(len(chain))
	c.Inline = uint16(copy(c.CCW[:], chain))
	for n := range chain[:c.Inline] {
		if chain[n].Parameter != 0 {
			c.Parameters = max(c.Parameters, uint16(chain[n].Parameter))
		}
	}
	// Define extent: write with update permitted, cylinder 1 head 0 only.
	copy(c.Parameter[0][:], []byte{arch.MaskWriteUpdate, arch.AttributeECKD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0})
	// Locate record: write data, one record, record 1 of that track.
	copy(c.Parameter[1][:], []byte{arch.OperationWriteData, arch.AuxiliaryLength, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, arch.AnySector, 0, 0})
	if s.scene != nil {
		s.scene(f, h)
	}
}

// stampSizes writes the sizes of the frame's sections and the minor version.
func stampSizes(f *abi.Frame) {
	f.Head.Size, f.Head.FrameSize, f.Head.Minor = headSize, frameSize, abi.Minor
	f.Target.Size, f.Status.Size, f.Pair.Size, f.Chain.Size = targetSize, statusSize, pairSize, chainSize
	f.Settings.Size = settingsSize
}

func canned(command uint8) []abi.CCW {
	return []abi.CCW{
		{Command: arch.CommandDefineExtent, Flags: arch.FlagCC, Count: arch.DefineExtentSize, Address: 0x2000, Location: 0x1000, Parameter: 1},
		{Command: arch.CommandLocateRecord, Flags: arch.FlagCC, Count: arch.LocateRecordSize, Address: 0x2010, Location: 0x1008, Parameter: 2},
		{Command: command, Count: 4096, Address: 0x3000, Location: 0x1010},
	}
}

func writeChain() []abi.CCW { return canned(arch.CommandWriteData) }

func readChain() []abi.CCW { return canned(arch.CommandReadData) }

// longChain returns a chain that has more CCWs than a frame carries.
func longChain() []abi.CCW {
	const records = 2*abi.InlineCCWs + 1
	c := canned(arch.CommandWriteData)
	c[2].Flags = arch.FlagCC
	for n := uint32(1); n < records; n++ {
		w := c[2]
		w.Location += 8 * n
		w.Address += 4096 * n
		c = append(c, w)
	}
	c[len(c)-1].Flags = 0
	return c
}
