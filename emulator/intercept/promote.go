package intercept

import (
	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// Promotion is a promotion that was carried out or refused.
type Promotion struct {
	At machine.Time
	// Pair and Mirror are numbered from 1.
	Pair   uint32
	Mirror int
	// Tracks is the number of tracks on which the mirror had missed acknowledged
	// writes. Writes and Bytes count the acknowledged writes that the mirror lacked
	// by the account, writes on their way to it included.
	Tracks int
	Writes uint64
	Bytes  uint64
	// Refused is the number of times that the promotion was asked for and refused for
	// this reason; 0 for a promotion that was carried out.
	Refused uint64
}

// Promotions lists the promotions in the order in which they were asked for.
// Consecutive refusals for the same mirror are one entry. The slice must not be
// changed.
func (x *Process) Promotions() []Promotion { return x.asked }

// promote makes mirror number i the primary, because the primary has failed; the
// other mirrors follow it. The old primary takes the mirror's place in the pair,
// as a mirror that has failed: the tracks that it will lack are marked, so that it
// can be synchronised when it works again. (M3.)
//
// A mirror that lacks acknowledged writes by the account is not promoted unless
// the policy allows it. If the writes are only on their way to it, a request that
// has failed is held until they have ended, and its detours are asked again.
func (x *Process) promote(c *call, n *abi.Intent) hooks.Refusal {
	pair, i := c.role.pair, n.Code
	switch {
	case c.role.role != abi.RolePrimary:
		return hooks.WrongTarget
	case c.block.UCB != pair.primary:
		return hooks.Overtaken // a mirror has become the primary meanwhile
	case int(i) >= len(pair.mirrors):
		return hooks.NoSuchMirror
	}
	m := pair.mirrors[i]
	if m.State != abi.MirrorInSync {
		return hooks.MirrorState
	}
	stale := m.stale()
	if stale && !c.r.promise.StalePromotion {
		if x.awaitPromotion(c, m) {
			return hooks.CarriedOut
		}
		x.refusePromotion(c.p.Now(), m)
		return hooks.MirrorStale
	}
	x.note(Promotion{At: c.p.Now(), Pair: pair.ID, Mirror: int(i) + 1, Tracks: m.account.misses, Writes: m.risk.IOs, Bytes: m.risk.Bytes})
	for j, o := range pair.mirrors {
		if j != int(i) {
			o.account.follow(&m.account)
		}
	}
	m.account.follow(&m.account)
	clear(m.account.inflight)
	m.safe(c.p.Now(), nil) // the old primary has every write that an application was told of
	pair.primary, m.unit = m.unit, pair.primary
	pair.cfwid, m.cfwid = m.cfwid, pair.cfwid
	pair.estimate, m.estimate = m.estimate, pair.estimate
	m.account.epoch++
	x.StopStanding(m)
	m.State = abi.MirrorFailed
	x.setRole(pair.primary, unitRole{role: abi.RolePrimary, pair: pair})
	x.setRole(m.unit, unitRole{role: abi.RoleMirror, pair: pair, mirror: m})
	x.counts.Promoted++
	x.step(c.p, step.PromoteMirror, abi.HookTable[c.hook].Actor, c.block.ID)
	x.Log.Warn("mirror promoted", "pair", pair.ID, "mirror", i+1, "stale", stale, "device", hclog.Fmt("%04X", pair.primary.DeviceNumber), "time", c.p.Now())
	if x.Promoted != nil {
		x.Promoted(pair, stale)
	}
	return hooks.CarriedOut
}

// stale reports whether the mirror lacks acknowledged writes by the account: it
// has missed some, or they are still on their way.
func (m *Mirror) stale() bool { return m.account.misses != 0 || m.risk.IOs != 0 }

// awaitPromotion holds a request that has failed until the acknowledged writes
// that are on their way to m have ended. It reports false if the wait would not
// help.
func (x *Process) awaitPromotion(c *call, m *Mirror) bool {
	r := c.r
	if c.origin == abi.OriginMirror || r.Ended() || r.PrimaryComplete() || r.overdue() || m.settled() || x.Mirror == nil {
		return false
	}
	r.awaits = m
	return true
}

// settled reports whether waiting for writes on their way to m can no longer
// change whether m can be promoted.
func (m *Mirror) settled() bool {
	return m.State != abi.MirrorInSync || m.account.misses != 0 || m.risk.IOs == 0
}

// wake reschedules the requests that wait for m.
func (x *Process) wake(m *Mirror) {
	if x.population[requestAwaiting] == 0 || !m.settled() {
		return
	}
	for r := x.held.head; r != nil; r = r.heldNext {
		if r.state == requestAwaiting && r.awaits == m && !r.block.SRB.Queued() {
			r.reschedule(x.ios.Machine.Clock.Now())
		}
	}
}

// refusePromotion notes that m was not promoted because it lacks acknowledged writes.
func (x *Process) refusePromotion(now machine.Time, m *Mirror) {
	x.counts.StaleRefused++
	n := len(x.asked)
	if n != 0 {
		if l := &x.asked[n-1]; l.Refused != 0 && l.Pair == m.pair.ID && l.Mirror == int(m.index)+1 {
			l.Refused++
			return
		}
	}
	if !x.note(Promotion{At: now, Pair: m.pair.ID, Mirror: int(m.index) + 1, Tracks: m.account.misses, Writes: m.risk.IOs, Bytes: m.risk.Bytes, Refused: 1}) {
		return
	}
	x.Log.Warn("promotion refused: the mirror lacks acknowledged writes", "pair", m.pair.ID, "mirror", m.index+1, "writes", m.risk.IOs, "tracks", m.account.misses, "time", now)
}

// MaxPromotions is the largest number of entries in Promotions; later promotions
// are only counted.
const MaxPromotions = 256

func (x *Process) note(p Promotion) bool {
	if len(x.asked) == MaxPromotions {
		return false
	}
	x.asked = append(x.asked, p)
	return true
}
