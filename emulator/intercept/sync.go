package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// The mirror process uses the methods here to make a pair identical.

// Geometry describes the devices of the pair; all have the same geometry.
func (p *Pair) Geometry() chain.Geometry { return p.geometry }

// Writing returns the number of writes that the primary has accepted and not yet
// answered.
func (p *Pair) Writing() int { return p.writing }

// Waiting returns the number of mirror requests for the mirror on the shadow
// queue. Each of them is going to be started, or to mark the tracks that it would
// have written.
func (m *Mirror) Waiting() int { return m.waiting }

// Pair returns the pair to which the mirror belongs.
func (m *Mirror) Pair() *Pair { return m.pair }

// Index returns the number of the mirror in its pair, from 0.
func (m *Mirror) Index() int { return int(m.index) }

// NextMarked returns the first track from t on that is marked out of sync.
func (m *Mirror) NextMarked(t uint32) (uint32, bool) { return m.account.next(t) }

// MarkAll marks all tracks, because nothing is known of the mirror's content.
func (m *Mirror) MarkAll() { m.account.markAll() }

// Mark marks a track, because the mirror may lack its content.
func (m *Mirror) Mark(track uint32) { m.account.miss(chain.Track(track)) }

// Copy is a copy of tracks to a mirror that is under way.
type Copy struct {
	m      *Mirror
	tracks chain.Extent
	epoch  uint32
}

// BeginCopy says that n tracks from first on are about to be read from the
// primary, to be written to the mirror whole. They are no longer marked: a write
// that reaches the primary from now on marks them again. Until End they count as
// under way.
func (m *Mirror) BeginCopy(first, n uint32) Copy {
	e := chain.Extent{First: first, Last: first + n - 1}
	m.account.unmark(e)
	m.account.begin(e)
	for t := e.First; t <= e.Last; t++ {
		m.started[t] = m.pair.written[t]
	}
	return Copy{m, e, m.account.epoch}
}

// End says that the copy has ended. onMirror says that the mirror has all tracks;
// otherwise they are marked.
func (c *Copy) End(onMirror bool) {
	c.m.account.ended(c.tracks, c.epoch, onMirror)
	if !onMirror { // BeginCopy has removed marks that may stand for acknowledged writes
		c.m.account.miss(c.tracks)
	}
}

// Synchronising says that the synchronisation of the mirror begins now.
func (m *Mirror) Synchronising() {
	m.State = abi.MirrorSynchronising
	m.pair.group.synchronising()
}

// Synchronised ends a synchronisation: the mirror follows the primary again. It
// must have no marks.
func (m *Mirror) Synchronised(now machine.Time) {
	m.State = abi.MirrorInSync
	m.synced = m.pair.writes
	m.synchronisations++
	m.safe(now, func(r *Request) bool { return !r.brought(m) })
	m.pair.group.synchronised()
}

// brought reports whether a synchronisation that has ended has copied the data
// that the request wrote before. If the request's own mirror I/O was under way at
// its end, it has not: such tracks are not marked, and not copied.
func (r *Request) brought(m *Mirror) bool {
	mr := &r.mirrors[m.index]
	return m.State == abi.MirrorInSync && r.number <= m.synced && !mr.outlived()
}

// SetLabel delivers the state that the mirror's label gives, for a request whose
// back-end detour has asked for it (step 250), and makes the detour run again.
func (r *Request) SetLabel(p *machine.Processor, m *Mirror, state abi.MirrorState) {
	mr := &r.mirrors[m.index]
	if !mr.state.waiting() {
		mr.enterLabel(labelUnasked)
		r.mirrorEnded(p)
		r.release()
		return
	}
	mr.enterLabel(labelKnown)
	mr.flags |= abi.MirrorLabelRead
	if state != abi.MirrorSynchronising {
		mr.flags &^= abi.MirrorWasSynchronising
	}
	if mr.state == mirrorShadow && mr.chain != noChain {
		mr.enter(mirrorScheduled)
	}
	r.backEnd.Parm = r.block.ID
	r.x.ios.Machine.Dispatcher.Schedule(p.Now(), &r.backEnd)
}

// Supervisor returns the I/O supervisor behind whose slots the process stands.
func (x *Process) Supervisor() *ios.Supervisor { return x.ios }
