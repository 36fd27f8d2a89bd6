package rig

import "github.com/iosrun/iosrun/emulator/machine"

// StartStanding starts the standing chains that the description asks for: suspended
// channel programs to which mirror I/Os are joined.
func (r *Rig) StartStanding() {
	for _, m := range r.Mirrors() {
		if r.Description.Mirrors[m.Index()].Standing {
			u := &unitOfWork{f: func(cpu *machine.Processor) { r.Intercept.StartStanding(cpu, m.Mirror) }}
			u.srb.Entry = u
			r.Machine.Dispatcher.Schedule(0, &u.srb)
		}
	}
}

// StopStanding ends the standing chains, which would wait for ever.
func (r *Rig) StopStanding() {
	for _, m := range r.Mirrors() {
		r.Intercept.StopStanding(m.Mirror)
	}
}

// unitOfWork runs a function on a processor.
type unitOfWork struct {
	srb machine.SRB
	f   func(*machine.Processor)
}

// Enter runs the function.
func (u *unitOfWork) Enter(cpu *machine.Processor, _ *machine.SRB) { u.f(cpu) }
