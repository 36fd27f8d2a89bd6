package frames

import (
	"math/rand/v2"
	"unsafe"

	"github.com/iosrun/iosrun/abi"
)

// MaxChain is the largest number of CCWs of a chain that a Generator makes.
const MaxChain = 200

// Generator makes frames. It is for one goroutine.
type Generator struct {
	rand  *rand.Rand
	chain []abi.CCW // whole chain of the frame made last
	cpa   uint32    // address of the chain
	// Addresses of the next area of parameters and of the next data area.
	parameter, data uint32
}

// New makes a Generator.
func New(seed uint64) *Generator {
	return &Generator{rand: rand.New(rand.NewPCG(seed, 0x105)), chain: make([]abi.CCW, 0, MaxChain)}
}

// ReadChain copies CCWs of the chain of the frame made last, from number first on,
// and reports how many it copied, as the host does for chain_read.
func (g *Generator) ReadChain(first int, into []abi.CCW) int {
	if first < 0 || first >= len(g.chain) {
		return 0
	}
	n := copy(into, g.chain[first:])
	for i := range into[:n] {
		into[i].Parameter = 0
	}
	return n
}

// Fill fills the request part of f for a call of hook h, its settings but for
// their count included, and zeroes the counts of the response.
func (g *Generator) Fill(f *abi.Frame, h abi.Hook) {
	r := g.rand
	f.Head = abi.Head{
		Size: uint32(unsafe.Sizeof(f.Head)), FrameSize: uint32(unsafe.Sizeof(*f)), Minor: abi.Minor, Hook: h,
		Flags: abi.HeadFlags(r.UintN(4)), Generation: 1, Now: r.Int64N(1e12), IO: r.Uint64N(1e6), Random: r.Uint64(),
		Call: pick(r, 0, 0, 0, 1, 2, 3, r.Uint32()),
	}
	f.Target = abi.Target{
		Size: uint32(unsafe.Sizeof(f.Target)), Subchannel: 0x10000 | r.Uint32N(64), Device: pick(r, uint16(r.Uint32()), uint16(r.Uint32()), uint16(0x200+r.UintN(2))),
		Role:       pick(r, abi.RolePrimary, abi.RolePrimary, abi.RolePrimary, abi.RolePrimary, abi.RoleMirror, abi.RoleNone, abi.Role(r.Uint32())),
		Class:      pick(r, abi.ClassECKD, abi.ClassECKD, abi.ClassECKD, abi.ClassFBA),
		Origin:     pick(r, abi.OriginApplication, abi.OriginApplication, abi.OriginMirror, abi.OriginRouted, abi.OriginSync),
		FirstTrack: r.Uint32N(50), DataLength: r.Uint32N(1 << 20), Retries: uint8(r.UintN(3)),
	}
	f.Target.LastTrack = f.Target.FirstTrack + r.Uint32N(3)
	f.Status = abi.Status{
		Size: uint32(unsafe.Sizeof(f.Status)), Flags: abi.FlagTable(r.Uint32() & r.Uint32() & uint32(abi.FlagsKnown)),
		CC: uint8(pick(r, 0, 0, 0, 1, 2, 3)), OK: uint8(pick(r, 1, 1, 1, 0)),
	}
	if f.Status.OK == 0 {
		g.failure(f)
	}
	g.pair(&f.Pair)
	g.fillChain(f)
	for i := range f.Settings.Value {
		f.Settings.Value[i] = pick(r, 0, 0, r.Int64N(6), r.Int64N(100), r.Int64())
	}
	for i := range f.Scratch {
		f.Scratch[i] = uint8(r.Uint32())
	}
	o := &f.Response
	o.Verdict, o.Intents, o.Recipes, o.Parameters, o.Steps = 0, 0, 0, 0, 0
}

// failure fills in the failure of an I/O: one before it was started, or a status
// with random bits in it and in the sense bytes.
func (g *Generator) failure(f *abi.Frame) {
	r := g.rand
	f.Target.CompletionCode = pick(r, 0, 0, 0, 0, 0, 0, abi.CompletionPermanent, abi.CompletionPurged, abi.CompletionNoPath, uint8(r.Uint32()))
	s := &f.Status
	for i := range s.SCSW {
		s.SCSW[i] = uint8(r.Uint32() & r.Uint32() & r.Uint32())
	}
	s.SenseSize = uint8(len(s.Sense))
	for i := range s.Sense {
		s.Sense[i] = uint8(r.Uint32() & r.Uint32())
	}
}

func (g *Generator) pair(p *abi.Pair) {
	r := g.rand
	*p = abi.Pair{
		Size: uint32(unsafe.Sizeof(*p)), ID: 1, Group: r.Uint32N(2), Mirrors: uint8(pick(r, 1, 1, 2, r.UintN(9), r.UintN(256))),
		Mode: abi.PairMode(r.UintN(2)), Active: uint8(pick(r, 0, 0, 0, 0, 0, 0, 0, r.UintN(256))), CFWID: uint16(r.UintN(3)),
		Queue: r.Uint32N(5), ReadLatency: r.Uint32N(1e6), WriteLatency: r.Uint32N(1e6), LastTrack: r.Uint32N(50),
	}
	for i := range p.Mirror {
		p.Mirror[i] = abi.Mirror{
			Device: uint16(0x200 + i), CFWID: uint16(r.UintN(3)),
			State: pick(r, abi.MirrorInSync, abi.MirrorInSync, abi.MirrorInSync, abi.MirrorState(r.UintN(6))),
			Flags: abi.MirrorFlags(r.UintN(16)), IO: abi.MirrorIO(r.UintN(8)), Queue: r.Uint32N(5),
			ReadLatency: r.Uint32N(1e6), WriteLatency: r.Uint32N(1e6), OutOfSync: r.Uint32N(3), AtRisk: r.Uint32N(3), LastTrack: r.Uint32N(50),
		}
	}
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }
