package plugins_test

import (
	"slices"
	"testing"
	"unsafe"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
)

// testCase is a frame and the answer that the method wants for it.
type testCase struct {
	name    string
	detour  *detour
	chain   []abi.CCW
	edit    func(*abi.Frame) // of the frame of a request to a primary with one mirror in sync
	reader  bool             // long chains can be read
	verdict abi.Verdict
	intents []abi.Intent
	recipe  []abi.RecipeCCW
	steps   []uint16
	after   func(*testing.T, *abi.Frame)
}

var cases = slices.Concat(frontEndCases(), adaptiveCases(), auditedRequests(), backEndCases(), postStatusCases(), promotions(), auditedEnds())

func (c *testCase) rest() *chain.Rest {
	if !c.reader {
		return nil
	}
	return &chain.Rest{Read: func(first int, into []abi.CCW) int {
		if first >= len(c.chain) {
			return 0
		}
		return copy(into, c.chain[first:])
	}}
}

func (c *testCase) frame() *abi.Frame {
	f := new(abi.Frame)
	f.Head = abi.Head{Size: uint32(unsafe.Sizeof(f.Head)), FrameSize: uint32(unsafe.Sizeof(*f)), Hook: c.detour.hook, Flags: abi.Tracing, IO: 7}
	f.Target = abi.Target{Size: uint32(unsafe.Sizeof(f.Target)), Role: abi.RolePrimary, Device: 0x1000, FirstTrack: 30, LastTrack: 30}
	f.Status = abi.Status{Size: uint32(unsafe.Sizeof(f.Status)), OK: 1}
	f.Pair = abi.Pair{Size: uint32(unsafe.Sizeof(f.Pair)), ID: 1, Mirrors: 1, CFWID: 0x0101, ReadLatency: 1000}
	f.Pair.Mirror[0] = mirror(abi.MirrorInSync, abi.MirrorIONone)
	f.Chain.Size = uint32(unsafe.Sizeof(f.Chain))
	f.Chain.Count = uint16(len(c.chain))
	f.Chain.Inline = uint16(copy(f.Chain.CCW[:], c.chain))
	for _, w := range f.Chain.CCW[:f.Chain.Inline] {
		if w.Parameter != 0 {
			f.Chain.Parameters = uint16(w.Parameter) + (w.Count-1)/abi.ParameterSize
		}
	}
	if c.edit != nil {
		c.edit(f)
	}
	return f
}

func mirror(s abi.MirrorState, io abi.MirrorIO) abi.Mirror {
	return abi.Mirror{State: s, IO: io, CFWID: 0x0101, ReadLatency: 2000}
}

func mirrors(all ...abi.Mirror) func(*abi.Frame) {
	return func(f *abi.Frame) { f.Pair.Mirrors = uint8(copy(f.Pair.Mirror[:], all)) }
}

func with(edits ...func(*abi.Frame)) func(*abi.Frame) {
	return func(f *abi.Frame) {
		for _, e := range edits {
			e(f)
		}
	}
}

func setting(i int, v int64) func(*abi.Frame) {
	return func(f *abi.Frame) { f.Settings.Value[i] = v }
}

// The commands of the chains here.
var (
	defineExtent = abi.CCW{Command: 0x63, Count: 16}
	locateRecord = abi.CCW{Command: 0x47, Count: 16}
	writeData    = abi.CCW{Command: 0x85, Count: 4096}
	readData     = abi.CCW{Command: 0x86, Count: 4096}
	sense        = abi.CCW{Command: 0x04, Count: 32}
)

const ccwsAt, areasAt = 0x1000, 0x10000

// program lays CCWs one behind the other and gives those without an address an
// area of their own: number i is at ccwsAt + 8*i, its area at areasAt + i*64K.
func program(ccws ...abi.CCW) []abi.CCW {
	out := append([]abi.CCW(nil), ccws...)
	block := uint8(1)
	for i := range out {
		w := &out[i]
		w.Location = ccwsAt + 8*uint32(i)
		if w.Address == 0 {
			w.Address = areasAt + uint32(i)<<16
		}
		if i < len(out)-1 && w.Command != arch.CommandTransfer && w.Flags&arch.FlagCD == 0 {
			w.Flags |= arch.FlagCC
		}
		switch w.Command {
		case 0x63, 0x47, 0x43:
			if block <= abi.InlineParameters {
				w.Parameter = block
				block++
			}
		case 0xE7:
			w.Parameter = block
			block += 2
		}
	}
	return out
}

func flagged(w abi.CCW, flags uint8) abi.CCW { w.Flags |= flags; return w }

func at(address uint32, w abi.CCW) abi.CCW { w.Address = address; return w }

// copies is the recipe that copies a program with these flags changed for some.
func copies(p []abi.CCW, change map[int]func(*abi.RecipeCCW)) []abi.RecipeCCW {
	r := make([]abi.RecipeCCW, len(p))
	for i, w := range p {
		r[i] = abi.RecipeCCW{Kind: abi.RecipeCopy, Command: w.Command, Flags: w.Flags, Source: uint16(i), Count: w.Count}
		if f := change[i]; f != nil {
			f(&r[i])
		}
	}
	return r
}

func skip(r *abi.RecipeCCW)       { r.Flags |= arch.FlagSkip }
func unsuspend(r *abi.RecipeCCW)  { r.Flags &^= arch.FlagS }
func private(r *abi.RecipeCCW)    { r.Kind = abi.RecipePrivate }
func parameters(r *abi.RecipeCCW) { r.Kind, r.Source = abi.RecipeParameter, 0 }

func transfer(to uint16) func(*abi.RecipeCCW) {
	return func(r *abi.RecipeCCW) {
		*r = abi.RecipeCCW{Kind: abi.RecipeTransfer, Command: arch.CommandTransfer, Source: to}
	}
}

// The intents of the cases.
var (
	backEnd       = abi.Intent{Kind: abi.IntentBackEnd}
	mirrorSame    = abi.Intent{Kind: abi.IntentMirror, Mirrors: 1}
	constantCopy  = abi.Intent{Kind: abi.IntentMode, Code: uint8(abi.ModeConstantCopy)}
	changedTracks = abi.Intent{Kind: abi.IntentChangedTracks, Mirrors: 1}
	withError     = abi.Intent{Kind: abi.IntentMirror, Mirrors: 1, Flags: abi.MirrorWithError}
	ccwError      = abi.Intent{Kind: abi.IntentFlag, Value: uint64(abi.FlagCCWError)}
)

func mirrorWith(mask uint8, first, count uint16) abi.Intent {
	return abi.Intent{Kind: abi.IntentMirror, Mirrors: mask, First: first, Count: count}
}

func intent(kind abi.IntentKind, mask uint8) abi.Intent { return abi.Intent{Kind: kind, Mirrors: mask} }

func flag(f abi.FlagTable) abi.Intent { return abi.Intent{Kind: abi.IntentFlag, Value: uint64(f)} }

func asks(n ...abi.Intent) []abi.Intent { return n }

func took(parts ...[]uint16) (s []uint16) {
	for _, p := range parts {
		s = append(s, p...)
	}
	return s
}

func s(steps ...uint16) []uint16 { return steps }

// The ways that many cases share.
var (
	create  = s(114, 120, 124, 132)
	held    = s(226, 230, 232, 236, 108, 100)
	nothing = s(226, 230, 108, 100)
	invalid = s(226, 228, 229, 108, 100)
)
