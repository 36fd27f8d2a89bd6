package plugins_test

import (
	"testing"

	"github.com/iosrun/iosrun/abi"
	backend "github.com/iosrun/iosrun/plugins/backend/standard"
	"github.com/iosrun/iosrun/plugins/frontend/standard"
	poststatus "github.com/iosrun/iosrun/plugins/poststatus/standard"
)

func zero(f *abi.Frame) {
	r := &f.Response
	r.Verdict, r.Intents, r.Recipes, r.Parameters, r.Steps = 0, 0, 0, 0, 0
}

func BenchmarkNative(b *testing.B) {
	f := new(abi.Frame)
	f.Target.Role = abi.RolePrimary
	f.Pair.Mirrors = 1
	f.Pair.Mirror[0].State = abi.MirrorInSync
	f.Chain.Count, f.Chain.Inline, f.Chain.Parameters = 3, 3, 2
	f.Chain.CCW[0] = abi.CCW{Command: 0x63, Flags: 0x40, Count: 16, Address: 0x2000, Location: 0x1000, Parameter: 1}
	f.Chain.CCW[1] = abi.CCW{Command: 0x47, Flags: 0x40, Count: 16, Address: 0x2010, Location: 0x1008, Parameter: 2}
	f.Chain.CCW[2] = abi.CCW{Command: 0x85, Count: 4096, Address: 0x3000, Location: 0x1010}
	f.Status.OK = 1
	for _, c := range []struct {
		name string
		call func(*abi.Frame)
	}{{"front_end", standard.FrontEnd}, {"back_end", backend.BackEnd}, {"post_status", poststatus.PostStatus}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			f.Pair.Mirror[0].IO = abi.MirrorIOShadow
			for b.Loop() {
				zero(f)
				c.call(f)
			}
		})
	}
}
