package pair

import "github.com/iosrun/iosrun/abi"

// Mirrors is the pair's mirrors. They are the frame's.
func Mirrors(p *abi.Pair) []abi.Mirror {
	return p.Mirror[:min(p.Mirrors, abi.MaxMirrors)]
}

// Follows reports whether the mirror is to get what is written to the primary: it
// is in sync, or is being made to be.
func Follows(m *abi.Mirror) bool {
	return m.State == abi.MirrorInSync || m.State == abi.MirrorSynchronising
}

// Readable is the mask of the mirrors that have what a request reads.
func Readable(p *abi.Pair) (mask uint8) {
	all := Mirrors(p)
	for i := range all {
		if m := &all[i]; m.State == abi.MirrorInSync && m.Flags&abi.MirrorTracksInSync != 0 {
			mask |= 1 << i
		}
	}
	return mask
}
