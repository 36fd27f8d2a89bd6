package intercept

import (
	"unsafe"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// call holds the data of one call of a slot's detours, from which the frame is
// filled.
type call struct {
	hook    abi.Hook
	p       *machine.Processor
	q       *ios.IOQ // front-end only
	r       *Request
	block   *ios.IOSB
	role    unitRole
	origin  abi.Origin
	program *chain.Program
	since   *machine.Time     // front-end: time since which a detour leaves the request queued
	asked   *hooks.Attachment // detour whose answer is being carried out
	// rc is the front-end detours' decision on the request. backEnd says that the
	// return address is to point at the back-end detours.
	rc      ios.ReturnCode
	backEnd bool
	before  uint32 // number of earlier rounds of calls of this hook for the I/O
}

// count begins a round of calls of the slot's detours. It does not count the
// rounds for mirror I/Os, which get the number of the rounds for the I/O itself.
func (c *call) count() {
	c.before = c.r.calls[c.hook]
	if c.origin != abi.OriginMirror {
		c.r.calls[c.hook]++
	}
}

// fill writes the request part of the frame and zeroes the response's head.
func (x *Process) fill(f *abi.Frame, c *call) {
	r := c.r
	h := &f.Head
	h.Size = uint32(unsafe.Sizeof(abi.Head{}))
	h.FrameSize = uint32(unsafe.Sizeof(abi.Frame{}))
	h.Minor = abi.Minor
	h.Hook = c.hook
	h.Flags = 0
	if c.p.Mode == machine.Disabled {
		h.Flags |= abi.Disabled
	}
	if x.ios.Machine.Steps != nil {
		h.Flags |= abi.Tracing
	}
	h.Generation = uint32(r.generation.ID)
	h.Now = int64(c.p.Now())
	h.IO = c.block.ID
	h.Random = x.random(c.block.ID, c.hook)
	h.Call = c.before

	b := c.block
	t := &f.Target
	t.Size = uint32(unsafe.Sizeof(abi.Target{}))
	t.Device = b.UCB.DeviceNumber
	t.Subchannel = b.UCB.Subchannel.ID()
	t.Role = c.role.role
	t.Class = 0
	t.Origin = c.origin
	t.DriverID = b.DriverID
	t.CompletionCode = b.CompletionCode
	t.Retries = b.Retries
	t.FirstTrack = c.program.Tracks.First
	t.LastTrack = c.program.Tracks.Last
	t.DataLength = c.program.Bytes

	s := &f.Status
	s.Size = uint32(unsafe.Sizeof(abi.Status{}))
	s.Flags = r.flagTable()
	s.CC, s.OK, s.SenseSize = 0, 0, 0
	if c.hook == abi.BackEnd {
		s.CC = uint8(b.CC)
	}
	if c.hook == abi.PostStatus {
		b.IRB.SCSW.Put(s.SCSW[:])
		s.CC = uint8(b.IRB.SCSW.Flags & arch.SCSWDeferredCC >> 8)
		if b.IRB.OK() && (b.CompletionCode == 0 || b.CompletionCode == arch.CompletionNormal || r.PrimaryComplete() && b == r.block) {
			s.OK = 1
			s.Sense = [32]byte{}
		} else {
			s.Sense = [32]byte{}
			s.SenseSize = uint8(copy(s.Sense[:], b.IRB.Sense()))
		}
	} else {
		s.SCSW = [12]byte{}
		s.Sense = [32]byte{}
	}

	if pair := c.role.pair; pair != nil {
		t.Class = pair.geometry.Class
		x.fillPair(&f.Pair, c, pair)
	} else {
		f.Pair = abi.Pair{Size: uint32(unsafe.Sizeof(abi.Pair{}))}
	}
	fillChain(&f.Chain, c.program)
	f.Scratch = r.scratch
	f.Response.Verdict, f.Response.Intents, f.Response.Recipes, f.Response.Parameters, f.Response.Steps = 0, 0, 0, 0, 0
}

func (x *Process) fillPair(f *abi.Pair, c *call, pair *Pair) {
	r := c.r
	f.Size = uint32(unsafe.Sizeof(abi.Pair{}))
	f.ID = pair.ID
	f.Group = pair.Group()
	f.Mode = pair.Mode
	f.Active = r.active()
	f.Self = 0
	if c.role.mirror != nil {
		f.Self = c.role.mirror.index
	}
	f.CFWID = pair.cfwid
	f.Queue = uint32(pair.primary.Length())
	f.ReadLatency = clamp32(pair.estimate.read)
	f.WriteLatency = clamp32(pair.estimate.write)
	f.LastTrack = pair.estimate.lastTrack
	f.AtRisk = pair.risk.count
	for i := len(pair.mirrors); i < min(int(f.Mirrors), len(f.Mirror)); i++ { // the guest may have changed f.Mirrors
		f.Mirror[i] = abi.Mirror{}
	}
	f.Mirrors = uint8(len(pair.mirrors))
	for i, m := range pair.mirrors {
		d := &f.Mirror[i]
		mr := &r.mirrors[i]
		d.Device = m.unit.DeviceNumber
		d.CFWID = m.cfwid
		d.State = m.State
		d.Flags, d.IO = 0, abi.MirrorIONone
		if mr.made() {
			d.Flags, d.IO = mr.flags, frameStates[mr.state]
		}
		if c.hook == abi.FrontEnd && m.State == abi.MirrorInSync && m.account.inSync(c.program.Tracks) {
			d.Flags |= abi.MirrorTracksInSync
		}
		if m.standing != nil && m.standing.open() {
			d.Flags |= abi.MirrorHasSuspendedChain
		}
		d.Queue = uint32(m.unit.Length())
		d.ReadLatency = clamp32(m.estimate.read)
		d.WriteLatency = clamp32(m.estimate.write)
		d.OutOfSync = uint32(m.account.count)
		d.AtRisk = clamp32(int64(m.risk.IOs))
		d.LastTrack = m.estimate.lastTrack
	}
}

// fillChain copies the channel program, as far as the frame has room for it, and
// clears the rest of an earlier, longer one.
func fillChain(f *abi.Chain, g *chain.Program) {
	f.Size = uint32(unsafe.Sizeof(abi.Chain{}))
	f.Flags = g.Flags
	f.Count = uint16(len(g.CCWs))
	n := copy(f.CCW[:], g.CCWs)
	if left := min(int(f.Inline), len(f.CCW)); left > n {
		clear(f.CCW[n:left])
	}
	f.Inline = uint16(n)
	p := copy(f.Parameter[:], g.Parameters[:g.Blocks])
	if left := min(int(f.Parameters), len(f.Parameter)); left > p {
		clear(f.Parameter[p:left])
	}
	f.Parameters = uint16(p)
}

// random makes the number from which a detour draws: a function of the seed, the
// I/O and the hook (the finaliser of splitmix64).
func (x *Process) random(io uint64, h abi.Hook) uint64 {
	v := x.Seed + io*0x9E3779B97F4A7C15 + uint64(h)
	v = (v ^ v>>30) * 0xBF58476D1CE4E5B9
	v = (v ^ v>>27) * 0x94D049BB133111EB
	return v ^ v>>31
}
