package ios

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// watch makes sure that started requests are scanned from time to time.
func (s *Supervisor) watch(p *machine.Processor) {
	if s.scanning || s.timeout() < 0 {
		return
	}
	s.scanning = true
	s.Machine.Clock.At(p.Now()+missingInterruptScan, s, kindMissingInterrupt, 0)
}

func (s *Supervisor) timeout() machine.Time {
	if s.MissingInterrupt == 0 {
		return MissingInterrupt
	}
	return s.MissingInterrupt
}

// scanMissingInterrupts ends requests whose interruption is overdue: the first
// scan that finds one halts its subchannel, the next one clears it. The status of
// the halt or clear is handled as usual, and error recovery drives the request
// again or fails it with arch.CompletionNoPath. A device that then answers nothing
// is boxed (given up).
func (s *Supervisor) scanMissingInterrupts() {
	s.scanning = false
	if s.underway == 0 {
		return
	}
	now := s.Machine.Clock.Now()
	running := false
	for _, u := range s.units {
		if u.active == nil || u.active.IOSB.KeepSuspended {
			continue
		}
		running = true
		base, since := u.base(), u.active.IOSB.StartedAt
		switch {
		case now >= since+s.timeout():
			s.counts.MissingInterrupts++
			if base.suspectAt == 0 && base.heardAt <= since {
				base.suspectAt = now
			}
			u.missing++
			s.giveUp(now, u)
		case base.suspectAt != 0 && since >= base.suspectAt && now >= since+RecoveryTime:
			s.box(now, base)
		}
	}
	if !running { // a request that is suspended on purpose is scanned again when it is resumed
		return
	}
	s.scanning = true
	s.Machine.Clock.At(now+missingInterruptScan, s, kindMissingInterrupt, 0)
}

// giveUp ends the started request of a unit: with a halt the first time, then with
// a clear.
func (s *Supervisor) giveUp(now machine.Time, u *UCB) {
	u.active.IOSB.lost = true
	if u.missing == 1 {
		s.Channel.HaltSubchannel(now, u.Subchannel)
	} else {
		s.Channel.ClearSubchannel(now, u.Subchannel)
	}
}

// box gives up a device that has lost an interruption and gave no sign of life
// when it was asked again. All of its requests, started, queued or still to come,
// end with arch.CompletionNoPath, as if the device were gone, until it is heard of
// or put online again. Without boxing, each request would wait for
// MissingInterrupt, MaxRetries times over.
func (s *Supervisor) box(now machine.Time, base *UCB) {
	if base.boxed {
		return
	}
	base.boxed = true
	s.counts.Boxed++
	if s.Told != nil {
		s.Told(now, base, true)
	}
	s.clearLost(now, base)
	for _, u := range base.Aliases {
		s.clearLost(now, u)
	}
	base.slih.redrive()
}

func (s *Supervisor) clearLost(now machine.Time, u *UCB) {
	if u.active != nil && u.active.started && !u.active.IOSB.KeepSuspended {
		u.active.IOSB.lost = true
		u.missing = 2
		s.Channel.ClearSubchannel(now, u.Subchannel)
	}
}

// heard notes that a device has given a status of its own. The status of a halt or
// clear function, or of a start function that has found no path, does not count:
// it comes from the channel subsystem.
func (s *Supervisor) heard(p *machine.Processor, u *UCB, w *channel.SCSW) {
	if w.Control&(arch.FunctionHalt|arch.FunctionClear) != 0 || w.Flags&arch.SCSWDeferredCC == arch.SCSWDeferredCC {
		return
	}
	base := u.base()
	base.heardAt, base.suspectAt = p.Now(), 0
	if base.boxed {
		s.Online(p.Now(), base)
	}
}

// Boxed reports whether the unit's device has been given up because it does not
// answer.
func (u *UCB) Boxed() bool { return u.base().boxed }

// Online takes a boxed device into use again, as the operator's VARY ONLINE
// does.
func (s *Supervisor) Online(at machine.Time, u *UCB) {
	base := u.base()
	base.suspectAt = 0
	if !base.boxed {
		return
	}
	base.boxed = false
	if s.Told != nil {
		s.Told(at, base, false)
	}
}
