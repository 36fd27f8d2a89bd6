package channel

// Observer is told what becomes of start functions at the devices: which chain is
// being executed, and which status the program has taken. It is for whoever checks
// the machine from outside; it changes nothing and asks for no events.
type Observer interface {
	// Started says that a start function was accepted: condition code 0.
	Started(sch *Subchannel, orb *ORB)
	// Executing says that commands of the subchannel's channel program are about to
	// be executed, now: what devices change until Executed is their doing.
	Executing(sch *Subchannel)
	// Executed says that this is over: the program has ended, is suspended, or goes
	// on in another event. interrupts says that a CCW of it asked for a
	// program-controlled interruption.
	Executed(sch *Subchannel, interrupts bool)
	// Taken says that TEST SUBCHANNEL has stored a status that was pending.
	Taken(sch *Subchannel, irb *IRB)
}

// Observe has o told from now on; nil, as usual, costs a comparison a function.
func (s *Subsystem) Observe(o Observer) { s.observer = o }
