package mirror

import "math/bits"

// tracks is a set of tracks of one volume.
type tracks struct {
	bits   []uint64 // a bit a track
	volume uint32   // number of tracks of the volume
	count  int      // of tracks in the set
}

// reset empties the set and has it hold tracks of a volume of that many.
func (s *tracks) reset(volume uint32) {
	s.clear()
	s.volume = volume
	if n := int(volume+63) / 64; len(s.bits) < n {
		s.bits = make([]uint64, n)
	}
}

func (s *tracks) clear() {
	if s.count != 0 {
		clear(s.bits)
		s.count = 0
	}
}

func (s *tracks) add(t uint32) {
	if w, b := &s.bits[t/64], uint64(1)<<(t%64); *w&b == 0 {
		*w |= b
		s.count++
	}
}

func (s *tracks) has(t uint32) bool {
	return t < s.volume && s.bits[t/64]&(1<<(t%64)) != 0
}

// next returns the first track of the set from t on; ok is false when there is
// none.
func (s *tracks) next(t uint32) (track uint32, ok bool) {
	if t >= s.volume {
		return 0, false
	}
	i := int(t / 64)
	for w := s.bits[i] &^ (1<<(t%64) - 1); ; w = s.bits[i] {
		if w != 0 {
			return uint32(i*64 + bits.TrailingZeros64(w)), true
		}
		if i++; i == len(s.bits) {
			return 0, false
		}
	}
}

// take removes a run of neighbouring tracks, the first of the set from t on and at
// most so many, and returns it. The set must have a track there.
func (s *tracks) take(t, most uint32) (first, n uint32) {
	first, _ = s.next(t)
	for n < most && s.has(first+n) {
		s.bits[(first+n)/64] &^= 1 << ((first + n) % 64)
		n++
	}
	s.count -= int(n)
	return first, n
}
