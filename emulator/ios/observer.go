package ios

import "github.com/iosrun/iosrun/emulator/machine"

// Observer is told of the two ends of a request. It is for whoever checks the
// machine from outside.
type Observer interface {
	// Starting says that a request is about to be started, before the first pointer.
	// A request that is left queued, or driven again, is told of again.
	Starting(p *machine.Processor, b *IOSB)
	// Told says that the requester of a request is told now how it ended.
	Told(p *machine.Processor, b *IOSB)
}

// Observe has o told from now on; nil, as usual, costs a comparison a request.
func (s *Supervisor) Observe(o Observer) { s.observer = o }
