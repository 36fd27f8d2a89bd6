package mirror_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/access"
)

// BenchmarkSync makes a mirror identical whose tracks all lack writes.
func BenchmarkSync(b *testing.B) {
	for _, whole := range []bool{false, true} {
		name := "runs"
		if whole {
			name = "whole"
		}
		b.Run(name, func(b *testing.B) {
			g := newRig(b, 1)
			var ends []error
			o := g.options(&ends)
			o.Full, o.Whole = true, whole
			b.ReportAllocs()
			b.SetBytes(trackCount * trackBytes)
			for b.Loop() {
				ends = ends[:0]
				_, err := g.mirroring.Synchronise(g.pair.Mirrors()[0], o)
				require.NoError(b, err)
				g.run()
				require.Equal(b, []error{nil}, ends)
			}
		})
	}
}

// BenchmarkMirrorChangedTracks copies what each of many writes has changed.
func BenchmarkMirrorChangedTracks(b *testing.B) {
	g := newRig(b, 1)
	g.install(changed)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n := g.write(firstTrack+i%50, 0, 2*records)
		g.run()
		delete(g.ended, n)
	}
	require.Empty(b, g.differing(0))
	b.SetBytes(2 * records * access.BlockSize)
}
