package pair

import "github.com/iosrun/iosrun/abi"

// Mirrors returns the pair's mirrors. They lie in the frame.
func Mirrors(p *abi.Pair) []abi.Mirror {
	return p.Mirror[:min(p.Mirrors, abi.MaxMirrors)]
}

// Follows reports whether the mirror must get writes to the primary: it is in sync,
// or synchronising.
func Follows(m *abi.Mirror) bool {
	return m.State == abi.MirrorInSync || m.State == abi.MirrorSynchronising
}

// Readable returns the mask of the mirrors that have the current data of the tracks
// that a request reads.
func Readable(p *abi.Pair) (mask uint8) {
	all := Mirrors(p)
	for i := range all {
		if m := &all[i]; m.State == abi.MirrorInSync && m.Flags&abi.MirrorTracksInSync != 0 {
			mask |= 1 << i
		}
	}
	return mask
}
