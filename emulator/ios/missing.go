package ios

import "github.com/iosrun/iosrun/emulator/machine"

// watch sees that started requests are looked at from time to time.
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
// scan that finds one halts its subchannel, the next clears it. The status of
// that goes the usual way, and error recovery drives the request again or fails
// it with CodeNoPath.
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
		if now < u.active.IOSB.StartedAt+s.timeout() {
			continue
		}
		u.missing++
		u.active.IOSB.lost = true
		s.counts.MissingInterrupts++
		if u.missing == 1 {
			s.Channel.HaltSubchannel(now, u.Subchannel)
		} else {
			s.Channel.ClearSubchannel(now, u.Subchannel)
		}
	}
	if !running { // what is suspended on purpose is looked at again when it is resumed
		return
	}
	s.scanning = true
	s.Machine.Clock.At(now+missingInterruptScan, s, kindMissingInterrupt, 0)
}
