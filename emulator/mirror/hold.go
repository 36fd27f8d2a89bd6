package mirror

import (
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// kindDrained has a driver look whether the writes that were under way have ended.
const kindDrained = machine.KindMirror + 1

// drainInterval is the time after which the mirror process looks again whether writes that were
// under way have ended.
const drainInterval = 50 * machine.Microsecond

// hold keeps the primary from starting requests that write; those that it has
// started go on.
func (c *copier) hold() {
	c.held = c.m.Pair().Primary()
	c.p.x.Supervisor().HoldWrites(c.held)
}

// release ends hold, for the unit that was the primary then.
func (c *copier) release() { c.p.release(c.held) }

// look has a driver look, at that time, whether the writes have ended.
func (c *copier) look(at machine.Time, driver machine.Actor) {
	c.p.m.Clock.At(at, driver, kindDrained, uint64(c.m.Pair().ID))
}

// release lets a unit start requests that write again, from a unit of work.
func (p *Process) release(u *ios.UCB) {
	r := &releaser{p: p, u: u}
	r.srb.Entry = r
	r.srb.Priority = machine.PriorityHigh
	r.srb.Parm = uint64(u.Index)
	p.m.Dispatcher.Schedule(p.m.Clock.Now(), &r.srb)
}

type releaser struct {
	p   *Process
	u   *ios.UCB
	srb machine.SRB
}

// Enter drives what has waited.
func (r *releaser) Enter(cpu *machine.Processor, _ *machine.SRB) {
	r.p.x.Supervisor().Release(cpu, r.u)
}
