package rig

import "github.com/iosrun/iosrun/emulator/media"

// Compare compares a mirror with its primary, track by track. It returns the number
// of tracks that differ, and the number of those that the account has not marked.
func (m *Mirror) Compare(g *media.Geometry) (differ, unmarked int, err error) {
	primary, v := m.Of.VolumeOf(m.Of.Primary()), m.Of.VolumeOf(m.Unit())
	for t := range m.Pair().Geometry().Tracks {
		same, err := equalTrack(primary, v, g, int(t))
		if err != nil {
			return differ, unmarked, err
		}
		if !same {
			differ++
			if !m.Marked(t) {
				unmarked++
			}
		}
	}
	return differ, unmarked, nil
}

func equalTrack(a, b *Volume, g *media.Geometry, t int) (bool, error) {
	if a.CKD == nil {
		first := int64(t) * media.GroupBlocks
		return media.EqualBlocks(a.FBA, b.FBA, first, int(min(media.GroupBlocks, g.Blocks-first)))
	}
	x, err := a.CKD.Track(t)
	if err != nil {
		return false, err
	}
	y, err := b.CKD.Track(t)
	if err != nil {
		return false, err
	}
	return media.EqualTrack(x, y), nil
}
