package channel

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Transfer is the data side of one command: the bytes between main storage and the
// device, in the order in which they pass the interface. It hides the CCW's count,
// data chaining, skipping, indirect addressing and protection.
//
// The command code decides the direction. Read moves bytes for the write and
// control classes (bits xx01 and xx11), Write for the read, read-backward and
// sense classes; the other one moves nothing.
//
// A device declares the length of its side, because only then can the channel tell
// a wrong length: Expect for a record of known length, Any if it takes or gives as
// many bytes as the program's count says, Immediate (the default) for a command
// that ends without asking for a byte. A device that moves bytes without a
// declaration is taken to have said Any.
//
// A Transfer belongs to its subchannel and is valid during Session.Command.
type Transfer struct {
	access access
	chain  *chain

	at      machine.Address // address of the next byte
	piece   int             // number of bytes from at on before the next piece is looked up
	left    int             // number of bytes left of the current CCW's count
	after   int             // number of bytes in the CCWs of the data chain read ahead
	list    machine.Address // address of the next IDAW or MIDAW
	moved   int             // number of bytes over the whole command
	length  int             // length that the device declared, or lengthAny or lengthNone
	address addressing
	flags   Flags              // of the current CCW
	check   arch.ChannelStatus // check that stopped the transfer
	output  bool               // from main storage to the device
	back    bool               // read backward: addresses go down
	skip    bool               // the current piece stores nothing
	first   bool               // the next IDAW is the list's first
	last    bool               // the current MIDAW is the list's last
}

// The values of Transfer.length that are not a length.
const (
	lengthNone = -1 // nothing declared yet: an immediate command
	lengthAny  = -2
)

// Expect declares that the device would send or accept n bytes for this
// command, whatever the count is. With n less than the count the block is
// short: the rest is the residual count. With n greater the block is long: the
// residual count is zero. Either is an incorrect length unless the CCW's flags
// suppress it. A device that learns the length on the way (a count field that
// it reads first) may call it again; the last call holds. A negative n is 0.
func (t *Transfer) Expect(n int) { t.length = max(n, 0) }

// Any declares that the device takes or gives as many bytes as the count says. A
// part of the count that it does not use is a short block; a long block does not
// exist.
func (t *Transfer) Any() { t.length = lengthAny }

// Immediate declares that the command moves no data: its initial status
// carries channel end. With a count other than zero that is an incorrect
// length for a CCW of format 1 unless SLI or the ORB's L bit suppresses it,
// and none for a CCW of format 0.
func (t *Transfer) Immediate() { t.length = lengthNone }

// Remaining returns the number of bytes of the count that are left, over the whole
// data chain. Of a data chain it reads at most MaxDataChainAhead CCWs ahead, so
// that the result may grow.
func (t *Transfer) Remaining() int {
	if t.check != 0 {
		return 0
	}
	return t.left + t.after
}

// Moved returns the number of bytes that the command has moved so far.
func (t *Transfer) Moved() int { return t.moved }

// Last reports whether the program has no further command, as far as the
// transfer has come: the CCW in use, the last one of a data chain once its bytes
// have moved, has neither chaining flag.
func (t *Transfer) Last() bool { return t.flags&(arch.FlagCC|arch.FlagCD) == 0 }

// Failed reports whether a program or protection check has stopped the transfer.
// The channel presents the check; to the device it looks like an early end of the
// count, so the device need not ask.
func (t *Transfer) Failed() bool { return t.check != 0 }

// Read moves up to len(p) bytes from main storage to the device, into p. It
// returns the number of bytes: less than len(p) when the count ends or a check
// stops the transfer.
func (t *Transfer) Read(p []byte) int {
	if !t.output {
		return 0
	}
	done := 0
	for done < len(p) && t.ready() {
		n := min(len(p)-done, t.piece)
		if n = t.reach(n, false); n == 0 {
			break
		}
		if v := t.access.storage.View(t.at, n); v != nil {
			copy(p[done:], v)
		} else if m, err := t.access.storage.Load(t.at, p[done:done+n]); err != nil {
			t.advance(m)
			t.check = arch.ProgramCheck
			return done + m
		}
		t.advance(n)
		done += n
	}
	return done
}

// Write moves up to len(p) bytes from the device to main storage, out of p. It
// returns the number of bytes: less than len(p) when the count ends or a check
// stops the transfer. Bytes that a skip flag suppresses count as moved.
func (t *Transfer) Write(p []byte) int {
	if t.output {
		return 0
	}
	done := 0
	for done < len(p) && t.ready() {
		n := min(len(p)-done, t.piece)
		switch {
		case t.skip:
			t.advance(n)
			done += n
			continue
		case t.back:
			if n = t.storeBackward(p[done : done+n]); n == 0 {
				return done
			}
			t.advance(n)
			done += n
			continue
		}
		if n = t.reach(n, true); n == 0 {
			break
		}
		if v := t.access.storage.View(t.at, n); v != nil {
			copy(v, p[done:])
		} else if m, err := t.access.storage.Store(t.at, p[done:done+n]); err != nil {
			t.advance(m)
			t.check = arch.ProgramCheck
			return done + m
		}
		t.advance(n)
		done += n
	}
	return done
}

// ReadTags moves the next len(tags)*machine.UnitSize bytes from main storage
// to the device when all of them are there as synthetic content, unit by unit,
// and copies their tags. Otherwise it changes nothing and reports false: the
// device then asks for the bytes with Read.
func (t *Transfer) ReadTags(tags []machine.Tag) bool {
	if !t.output {
		return false
	}
	n := len(tags) * machine.UnitSize
	if n <= t.piece && !t.access.guarded && t.check == 0 {
		v := t.access.storage.TagView(t.at, n)
		if v == nil {
			return false
		}
		copy(tags, v)
		t.advance(n)
		return true
	}
	return t.tagPieces(tags, true)
}

// WriteTags moves len(tags)*machine.UnitSize bytes of synthetic content from
// the device to main storage when the destination is synthetic, unit by unit,
// or is skipped. Otherwise it changes nothing and reports false: the device
// then gives the bytes with Write.
func (t *Transfer) WriteTags(tags []machine.Tag) bool {
	if t.output || t.back {
		return false
	}
	n := len(tags) * machine.UnitSize
	if n <= t.piece && !t.access.guarded && !t.skip && t.check == 0 {
		v := t.access.storage.TagView(t.at, n)
		if v == nil {
			return false
		}
		copy(v, tags)
		t.advance(n)
		return true
	}
	return t.tagPieces(tags, false) && t.tagPieces(tags, true)
}

// immediate reports whether the device declared and moved nothing.
func (t *Transfer) immediate() bool { return t.length == lengthNone && t.moved == 0 }

// end ends the command with the given unit status. It returns the unit and channel
// status with which the chain continues or ends.
func (t *Transfer) end(unit arch.UnitStatus) (arch.UnitStatus, arch.ChannelStatus) {
	// The next CCW of a data chain takes control with the last byte of the CCW
	// before, not with its own first byte.
	if t.moved > 0 && t.left == 0 && t.flags&arch.FlagCD != 0 && t.check == 0 {
		t.chainData()
	}
	switch {
	case t.check != 0:
		// The device took the channel's stop for the end of the count. The program sees
		// only channel end and device end of its status, and none of it if the first
		// byte for the device could not be fetched.
		if t.output && t.moved == 0 {
			return 0, t.check
		}
		return unit & normal, t.check
	case unit == 0:
		return 0, arch.InterfaceControlCheck
	case unit&arch.ChannelEnd != 0 && t.wrongLength(unit):
		return unit, arch.IncorrectLength
	}
	return unit, 0
}

// fetches reports whether the first byte for the device can be fetched. It also
// reports true if the command has no byte to fetch.
func (t *Transfer) fetches() bool {
	if !t.ready() {
		return t.check == 0
	}
	if t.reach(1, false) == 0 {
		return false
	}
	if t.access.storage.Segment(t.at) == nil {
		t.check = arch.ProgramCheck
	}
	return t.check == 0
}

// wrongLength reports whether the command ends with incorrect length. With CD on,
// SLI has no meaning. An immediate command of format 0, or with the ORB's L bit,
// never has a wrong length. A device that ends a command with unit check does not
// ask for the bytes by which its record is longer than the count.
func (t *Transfer) wrongLength(unit arch.UnitStatus) bool {
	c := t.chain
	switch {
	case unit&arch.UnitCheck != 0 && t.left == 0 && t.flags&arch.FlagCD == 0:
		return false
	case t.flags&(arch.FlagSLI|arch.FlagCD) == arch.FlagSLI:
		return false
	case t.immediate() && (!c.format1 || c.orb.Control&ORBIncorrectLengthSuppress != 0):
		return false
	}
	return t.left > 0 || t.flags&arch.FlagCD != 0 || t.length > t.moved
}

// tagPieces moves tags piece by piece. Without commit it only finds out whether
// that would work. It leaves the transfer as it was when it reports false or
// commit is not set.
func (t *Transfer) tagPieces(tags []machine.Tag, commit bool) bool {
	saved, chained := *t, t.chain.dataCursor
	n := len(tags) * machine.UnitSize
	ok := true
	for n > 0 {
		if ok = t.ready(); !ok {
			break
		}
		m := min(n, t.piece)
		if !t.skip {
			m = t.reach(m, !t.output)
		}
		if ok = m > 0 && m%machine.UnitSize == 0; !ok {
			break
		}
		if !t.skip {
			v := t.access.storage.TagView(t.at, m)
			if ok = v != nil; !ok {
				break
			}
			units := m / machine.UnitSize
			switch {
			case t.output:
				copy(tags[:units], v)
			case commit:
				copy(v, tags[:units])
			}
		}
		t.advance(m)
		tags = tags[m/machine.UnitSize:]
		n -= m
	}
	if !ok || !commit {
		*t = saved
		t.chain.dataCursor = chained
	}
	return ok
}

// advance counts n bytes of the current piece as moved. n is at most t.piece.
func (t *Transfer) advance(n int) {
	if t.back {
		t.at -= machine.Address(n)
	} else {
		t.at += machine.Address(n)
	}
	t.piece -= n
	t.left -= n
	t.moved += n
}

// reach returns the number of the n bytes at the current address that may be
// accessed. 0 means that not even the first byte may be accessed; t.check is then
// set.
func (t *Transfer) reach(n int, store bool) int {
	if !t.access.guarded {
		return n
	}
	m, check := t.access.reach(t.at, n, store)
	if m == 0 {
		t.check = check
	}
	return m
}

// backwardChunk is the largest number of bytes that a read backward stores at
// once.
const backwardChunk = 256

// storeBackward stores the first bytes of p at descending addresses from t.at on.
// It returns the number of bytes that it took, 0 with t.check set.
func (t *Transfer) storeBackward(p []byte) int {
	var buffer [backwardChunk]byte
	n := min(len(p), backwardChunk, int(t.at%machine.KeyBlockSize)+1)
	low := t.at - machine.Address(n-1)
	if t.access.guarded {
		if m, check := t.access.reach(low, n, true); m < n {
			if n == 1 {
				t.check = check
				return 0
			}
			return t.storeBackward(p[:1])
		}
	}
	for i := range n {
		buffer[n-1-i] = p[i]
	}
	if t.access.storage.Segment(low) == nil || t.access.storage.Segment(t.at) == nil {
		if n == 1 {
			t.check = arch.ProgramCheck
			return 0
		}
		return t.storeBackward(p[:1])
	}
	if _, err := t.access.storage.Store(low, buffer[:n]); err != nil {
		t.check = arch.ProgramCheck
		return 0
	}
	return n
}
