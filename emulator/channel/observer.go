package channel

// Observer is told of the life of start functions at the devices: of their
// execution, and of the status that the program has taken. It serves checks of the
// machine from outside; it changes nothing and asks for no events.
type Observer interface {
	// Started says that a start function was accepted: condition code 0.
	Started(sch *Subchannel, orb *ORB)
	// Executing says that commands of the subchannel's channel program are about to
	// be executed, now: every change of a device until Executed comes from them.
	Executing(sch *Subchannel)
	// Executed says that the execution has stopped: the program has ended, is
	// suspended, or continues in another event. interrupts says that one of the CCWs
	// executed asked for a program-controlled interruption.
	Executed(sch *Subchannel, interrupts bool)
	// Taken says that TEST SUBCHANNEL has stored a status that was pending.
	Taken(sch *Subchannel, irb *IRB)
}

// Observe has o told from now on; nil is the usual value and costs a comparison
// for each function.
func (s *Subsystem) Observe(o Observer) { s.observer = o }
