package dasd

import "math/bits"

// TrackMask is a set of tracks of a device. Its methods cost a few nanoseconds;
// Next skips empty parts a word at a time.
type TrackMask struct {
	words []uint64
	size  int
	count int
}

// NewTrackMask makes an empty mask for tracks 0 to tracks-1.
func NewTrackMask(tracks int) *TrackMask {
	return &TrackMask{words: make([]uint64, (tracks+63)/64), size: tracks}
}

// Tracks returns the number of tracks for which the mask was made.
func (m *TrackMask) Tracks() int { return m.size }

// Mark adds track n.
func (m *TrackMask) Mark(n int) {
	w := &m.words[n>>6]
	if b := uint64(1) << (n & 63); *w&b == 0 {
		*w |= b
		m.count++
	}
}

// Unmark takes track n away.
func (m *TrackMask) Unmark(n int) {
	w := &m.words[n>>6]
	if b := uint64(1) << (n & 63); *w&b != 0 {
		*w &^= b
		m.count--
	}
}

// Marked reports whether track n is in the mask.
func (m *TrackMask) Marked(n int) bool { return m.words[n>>6]>>(n&63)&1 != 0 }

// Clear takes all tracks away.
func (m *TrackMask) Clear() {
	clear(m.words)
	m.count = 0
}

// Count returns the number of tracks in the mask.
func (m *TrackMask) Count() int { return m.count }

// Next returns the first track from n on that is in the mask, or -1.
func (m *TrackMask) Next(n int) int {
	if n < 0 {
		n = 0
	}
	for i := n >> 6; i < len(m.words); i++ {
		w := m.words[i]
		if i == n>>6 {
			w &= ^uint64(0) << (n & 63)
		}
		if w != 0 {
			return i<<6 + bits.TrailingZeros64(w)
		}
	}
	return -1
}
