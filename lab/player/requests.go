package player

import "github.com/iosrun/iosrun/emulator/machine"

// requests is a ring of the requests under way, by number. It grows with their
// number.
type requests struct {
	ring []inflight
}

type inflight struct {
	number int64
	at     machine.Time
	write  bool
	bytes  int64
	used   bool
}

func (q *requests) put(f inflight) {
	for len(q.ring) == 0 || q.ring[f.number%int64(len(q.ring))].used {
		old := q.ring
		q.ring = make([]inflight, max(1024, 2*len(old)))
		for _, o := range old {
			if o.used {
				q.ring[o.number%int64(len(q.ring))] = o
			}
		}
	}
	f.used = true
	q.ring[f.number%int64(len(q.ring))] = f
}

func (q *requests) take(number int64) (inflight, bool) {
	if len(q.ring) == 0 {
		return inflight{}, false
	}
	f := &q.ring[number%int64(len(q.ring))]
	if !f.used || f.number != number {
		return inflight{}, false
	}
	f.used = false
	return *f, true
}
