package ios

import "github.com/iosrun/iosrun/emulator/machine"

// Observer is told of the start and of the end of each request. It serves checks
// of the machine from outside.
type Observer interface {
	// Starting says that a request is about to be started, before the first pointer.
	// It is called again for a request that was left queued or is driven again.
	Starting(p *machine.Processor, b *IOSB)
	// Told says that the requester of b is being told now of its end.
	Told(p *machine.Processor, b *IOSB)
}

// Observe has o told from now on; nil is the usual value and costs a comparison
// for each request.
func (s *Supervisor) Observe(o Observer) { s.observer = o }
