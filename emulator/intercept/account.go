package intercept

import (
	"math/bits"

	"github.com/iosrun/iosrun/emulator/chain"
)

// account is the host's record of one mirror, track by track: the number of writes
// that have reached the primary and are on their way to the mirror, and a mark if
// the track has missed a write. A track with neither is the same on both sides.
type account struct {
	inflight []uint16
	marked   []uint64 // a bit for each track
	count    int      // number of bits that are on
	// missed has a bit for each marked track on which the mirror may lack an
	// acknowledged write; these bits are always a part of marked, and misses counts
	// them. On a marked track without such a bit, the mirror may differ only by
	// writes that nobody was told were done, as after a write that the primary has
	// answered with an error.
	missed []uint64
	misses int
	epoch  uint32 // number of promotions; with each one inflight begins anew
}

func newAccount(tracks uint32) account {
	words := (tracks + 63) / 64
	return account{inflight: make([]uint16, tracks), marked: make([]uint64, words), missed: make([]uint64, words)}
}

// begin notes that a write to the tracks is on its way. If inflight cannot count
// so many writes to a track, the track is marked at once.
func (a *account) begin(e chain.Extent) {
	for t := e.First; t <= e.Last; t++ {
		if a.inflight[t]++; a.inflight[t] == 0 {
			a.inflight[t]--
			a.miss(chain.Track(t))
		}
	}
}

// end notes that a write to the tracks has ended; onMirror says whether the mirror
// has it.
func (a *account) end(e chain.Extent, onMirror bool) {
	for t := e.First; t <= e.Last; t++ {
		if a.inflight[t] != 0 {
			a.inflight[t]--
		}
	}
	if !onMirror {
		a.mark(e)
	}
}

// ended does the same as end for a write, or a copy, that began in the given
// epoch.
func (a *account) ended(e chain.Extent, epoch uint32, onMirror bool) {
	if epoch == a.epoch {
		a.end(e, onMirror)
	} else if !onMirror {
		a.mark(e)
	}
}

// mark notes that the mirror has missed a write to the tracks.
func (a *account) mark(e chain.Extent) {
	for t := e.First; t <= e.Last; t++ {
		if w, b := &a.marked[t/64], uint64(1)<<(t%64); *w&b == 0 {
			*w |= b
			a.count++
		}
	}
}

// miss marks tracks on which the mirror may lack a write that was acknowledged.
func (a *account) miss(e chain.Extent) {
	a.mark(e)
	a.acknowledged(e)
}

// acknowledged notes that a write that the mirror lacks was acknowledged. It skips
// tracks that are not marked: they have been copied since.
func (a *account) acknowledged(e chain.Extent) {
	for t := e.First; t <= e.Last; t++ {
		if w, b := &a.missed[t/64], uint64(1)<<(t%64); *w&b == 0 && a.isMarked(t) {
			*w |= b
			a.misses++
		}
	}
}

// unmark notes that the tracks have been copied whole.
func (a *account) unmark(e chain.Extent) {
	for t := e.First; t <= e.Last; t++ {
		if w, b := &a.marked[t/64], uint64(1)<<(t%64); *w&b != 0 {
			*w &^= b
			a.count--
			if w := &a.missed[t/64]; *w&b != 0 {
				*w &^= b
				a.misses--
			}
		}
	}
}

// follow is called when the mirror of o is about to become the primary. It marks
// every track on which that mirror differs from its primary, or may come to differ
// by a write that is on its way. A track does not count as lacking an acknowledged
// write only because of that.
func (a *account) follow(o *account) {
	for t := range o.inflight {
		if o.inflight[t] != 0 || o.isMarked(uint32(t)) {
			a.mark(chain.Track(uint32(t)))
		}
	}
}

// overtaken marks tracks that a late write has reached on the primary. A copy of
// them that is on its way to the mirror may have been read before the write. A
// mirror that follows the primary and to which no copy is on its way does not lack
// an acknowledged write by it.
func (a *account) overtaken(e chain.Extent, follows bool) {
	for t := e.First; t <= e.Last; t++ {
		if follows && a.inflight[t] == 0 {
			a.mark(chain.Track(t))
		} else {
			a.miss(chain.Track(t))
		}
	}
}

func (a *account) markAll() { a.miss(chain.Extent{First: 0, Last: uint32(len(a.inflight) - 1)}) }

func (a *account) isMarked(t uint32) bool { return a.marked[t/64]&(1<<(t%64)) != 0 }

// next returns the first marked track from t on.
func (a *account) next(t uint32) (uint32, bool) {
	for i := int(t / 64); i < len(a.marked); i++ {
		w := a.marked[i]
		if i == int(t/64) {
			w &= ^uint64(0) << (t % 64)
		}
		if w != 0 {
			return uint32(i*64 + bits.TrailingZeros64(w)), true
		}
	}
	return 0, false
}

// inSync reports whether every track of e is the same on the mirror.
func (a *account) inSync(e chain.Extent) bool {
	for t := e.First; t <= e.Last; t++ {
		if a.inflight[t] != 0 || a.isMarked(t) {
			return false
		}
	}
	return true
}

// unmarked reports whether no track of e is marked.
func (a *account) unmarked(e chain.Extent) bool {
	for t := e.First; t <= e.Last; t++ {
		if a.isMarked(t) {
			return false
		}
	}
	return true
}
