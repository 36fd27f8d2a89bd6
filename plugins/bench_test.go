package plugins_test

import (
	"fmt"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	postengine "github.com/iosrun/iosrun/plugins/poststatus/engine"
)

// plainWrite fills f with a write of one record to a primary with one mirror in
// sync, at a point where hook h has something to do.
func plainWrite(f *abi.Frame, h abi.Hook) {
	f.Head.Hook = h
	f.Target.Role = abi.RolePrimary
	f.Pair.Mirrors = 1
	f.Pair.Mirror[0].State = abi.MirrorInSync
	f.Chain.Count, f.Chain.Inline, f.Chain.Parameters = 3, 3, 2
	f.Chain.CCW[0] = abi.CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: 0x2000, Location: 0x1000, Parameter: 1}
	f.Chain.CCW[1] = abi.CCW{Command: 0x47, Flags: arch.FlagCC, Count: 16, Address: 0x2010, Location: 0x1008, Parameter: 2}
	f.Chain.CCW[2] = abi.CCW{Command: 0x85, Count: 4096, Address: 0x3000, Location: 0x1010}
	switch h {
	case abi.BackEnd:
		f.Head.Flags = abi.Disabled
		f.Pair.Mirror[0].IO = abi.MirrorIOShadow
	case abi.PostStatus:
		f.Status.OK = 1
		f.Pair.Mirror[0].IO = abi.MirrorIOBegun
	}
}

// again zeroes the response as the host does before each call.
func again(f *abi.Frame) {
	r := &f.Response
	r.Verdict, r.Intents, r.Recipes, r.Parameters, r.Steps = 0, 0, 0, 0, 0
}

// requests are kinds of requests to a front-end detour.
var requests = [...]struct {
	name string
	edit func(*abi.Frame)
}{
	{"write", func(*abi.Frame) {}},
	{"read", func(f *abi.Frame) { f.Chain.CCW[2].Command = 0x86 }},
	{"mirror-io", func(f *abi.Frame) { f.Target.Role, f.Target.Origin = abi.RoleMirror, abi.OriginMirror }},
	{"not-mirrored", func(f *abi.Frame) { f.Target.Role, f.Pair.Mirrors = abi.RoleNone, 0 }},
	{"cache-fast-write", func(f *abi.Frame) { f.Chain.Parameter[0][1], f.Pair.CFWID = 0x02, 0x0101 }},
}

// BenchmarkRequests measures the module of the standard front-end detour with
// requests of each kind.
func BenchmarkRequests(b *testing.B) {
	m := detours[0].module(b)
	for _, r := range requests {
		b.Run(r.name, func(b *testing.B) {
			*m.Frame() = abi.Frame{}
			plainWrite(m.Frame(), abi.FrontEnd)
			r.edit(m.Frame())
			b.ReportAllocs()
			for b.Loop() {
				again(m.Frame())
				if err := m.Call(abi.FrontEnd); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCompleteAfter measures the module of the standard post-status detour
// with a write of which one of three mirrors has ended.
func BenchmarkCompleteAfter(b *testing.B) {
	m := detours[5].module(b)
	for k := range int64(3) {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			f := m.Frame()
			*f = abi.Frame{}
			plainWrite(f, abi.PostStatus)
			f.Pair.Mirrors = 3
			f.Pair.Mirror[1], f.Pair.Mirror[2] = f.Pair.Mirror[0], f.Pair.Mirror[0]
			f.Pair.Mirror[1].IO = abi.MirrorIOComplete
			f.Settings.Value[postengine.CompleteAfter] = k
			b.ReportAllocs()
			for b.Loop() {
				again(f)
				if err := m.Call(abi.PostStatus); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNative(b *testing.B) {
	for i := range detours {
		d := &detours[i]
		b.Run(d.name, func(b *testing.B) {
			f := new(abi.Frame)
			plainWrite(f, d.hook)
			rest := new(chain.Rest)
			b.ReportAllocs()
			for b.Loop() {
				again(f)
				d.call(f, rest)
			}
		})
	}
}

// BenchmarkModule measures the call of the module alone: the frame is filled
// before, but for what the host zeroes each time.
func BenchmarkModule(b *testing.B) {
	for i := range detours {
		d := &detours[i]
		b.Run(d.name, func(b *testing.B) {
			m := d.module(b)
			plainWrite(m.Frame(), d.hook)
			b.ReportAllocs()
			for b.Loop() {
				again(m.Frame())
				if err := m.Call(d.hook); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
