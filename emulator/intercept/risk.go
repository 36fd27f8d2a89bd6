package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Risk counts the writes that would be lost with the primary: an application has
// been told that they are done, and the mirror does not have them. A write is at
// risk from the moment at which its application is told, until its own mirror I/O,
// or the copy of tracks that was made for it, has ended well. If the mirror has
// missed the write, it is at risk until a synchronisation of the mirror has ended.
// Bytes counts the bytes that the write commands of the channel programs move, by
// their counts.
type Risk struct {
	// IOs and Bytes are the numbers at risk now, MaxIOs and MaxBytes their maxima
	// over the run.
	IOs, MaxIOs     uint64
	Bytes, MaxBytes uint64
	// MaxAge is the longest time for which a write was at risk.
	MaxAge machine.Time
	// Unmirrored is the number of acknowledged writes that the mirror has missed and
	// will not get until a synchronisation.
	Unmirrored uint64
}

// risk holds a mirror's figures. IOs and Bytes count all writes that it lacks;
// Unmirrored and missedSince cover only those whose requests the host no longer
// has.
type risk struct {
	Risk
	missedSince machine.Time // acknowledgement of the oldest of these writes
}

func (r *risk) acknowledge(bytes uint64) {
	r.IOs++
	r.Bytes += bytes
	r.MaxIOs = max(r.MaxIOs, r.IOs)
	r.MaxBytes = max(r.MaxBytes, r.Bytes)
}

// settle ends the risk of a write acknowledged at ack.
func (r *risk) settle(bytes uint64, ack, now machine.Time) {
	r.IOs--
	r.Bytes -= bytes
	r.MaxAge = max(r.MaxAge, now-ack)
}

// miss says that a write acknowledged at ack will not reach the mirror.
func (r *risk) miss(ack machine.Time) {
	if r.Unmirrored == 0 || ack < r.missedSince {
		r.missedSince = ack
	}
	r.Unmirrored++
}

// Risk returns the figures of the writes that are, and were, at risk of being lost
// with the primary.
func (m *Mirror) Risk(now machine.Time) Risk {
	s := m.risk.Risk
	if s.Unmirrored != 0 {
		s.MaxAge = max(s.MaxAge, now-m.risk.missedSince)
	}
	for r := m.pair.risk.head; r != nil; r = r.riskNext {
		switch r.mirrors[m.index].risk {
		case riskMissed:
			s.Unmirrored++
			fallthrough
		case riskLacks:
			s.MaxAge = max(s.MaxAge, now-r.ackedAt)
		}
	}
	return s
}

// riskList lists the requests of a pair that have ended for the application and
// whose writes some mirror lacks, as long as the host has the request.
type riskList struct {
	head *Request
	// missed counts the writes whose requests the host no longer has; the index is
	// the mask of the mirrors that have missed them.
	missed [1 << abi.MaxMirrors]uint32
	// count is the number of writes that some mirror lacks.
	count uint32
}

// atRisk reports whether the mirror lacks the write, of which the application has
// been told.
func (mr *mirrorRequest) atRisk() bool { return mr.risk != riskNone }

// lacks notes that mirror m lacks the write of r, whose application is being told.
func (r *Request) lacks(m *Mirror) {
	l := &r.pair.risk
	if !r.any((*mirrorRequest).atRisk) {
		l.count++
		r.riskNext, r.riskPrev = l.head, nil
		if l.head != nil {
			l.head.riskPrev = r
		}
		l.head = r
	}
	r.mirrors[m.index].enterRisk(riskLacks)
	m.risk.acknowledge(uint64(r.program.Written))
}

// arrived notes that mirror m has the write of r.
func (r *Request) arrived(m *Mirror, now machine.Time) {
	if !r.mirrors[m.index].atRisk() {
		return
	}
	m.risk.settle(uint64(r.program.Written), r.ackedAt, now)
	r.safe(m)
}

// missed notes that mirror m will not get the write of r before it is
// synchronised.
func (r *Request) missed(m *Mirror) {
	mr := &r.mirrors[m.index]
	if mr.risk != riskLacks {
		return
	}
	mr.enterRisk(riskMissed)
	m.account.acknowledged(r.program.Tracks)
	m.pair.group.missed(m, r.ackedAt, r.flags&abi.FlagConstantCopy != 0 || r.pair.Mode == abi.ModeConstantCopy)
}

// safe ends the risk of the write of r on mirror m.
func (r *Request) safe(m *Mirror) {
	r.mirrors[m.index].enterRisk(riskNone)
	if !r.any((*mirrorRequest).atRisk) {
		r.pair.risk.count--
		r.unlistRisk()
	}
}

func (r *Request) unlistRisk() {
	if r.riskPrev == nil {
		r.pair.risk.head = r.riskNext
	} else {
		r.riskPrev.riskNext = r.riskNext
	}
	if r.riskNext != nil {
		r.riskNext.riskPrev = r.riskPrev
	}
	r.riskNext, r.riskPrev = nil, nil
}

// forgetRisk adds the write to the counts of missed writes of the mirrors that
// lack it, because the host is about to forget the request.
func (r *Request) forgetRisk() {
	lacking := r.mask((*mirrorRequest).atRisk)
	if lacking == 0 {
		return
	}
	for i, m := range r.pair.mirrors {
		if lacking&(1<<i) != 0 {
			r.missed(m) // nothing of it is under way any more
			m.risk.miss(r.ackedAt)
			r.mirrors[i].enterRisk(riskNone)
		}
	}
	r.pair.risk.missed[lacking]++
	r.unlistRisk()
}

// safe says that the mirror has every write that an application has been told of,
// except the writes for which except returns true. except may be nil.
func (m *Mirror) safe(now machine.Time, except func(*Request) bool) {
	l, bit := &m.pair.risk, uint8(1)<<m.index
	m.risk.Risk = m.Risk(now)
	m.risk.IOs, m.risk.Bytes, m.risk.Unmirrored = 0, 0, 0
	for r := l.head; r != nil; {
		next := r.riskNext
		switch {
		case !r.mirrors[m.index].atRisk():
		case except != nil && except(r):
			m.risk.IOs++
			m.risk.Bytes += uint64(r.program.Written)
		default:
			r.safe(m)
		}
		r = next
	}
	for mask := range l.missed {
		n := l.missed[mask]
		if n == 0 || uint8(mask)&bit == 0 {
			continue
		}
		l.missed[mask] = 0
		if rest := uint8(mask) &^ bit; rest != 0 {
			l.missed[rest] += n
		} else {
			l.count -= n
		}
	}
}
