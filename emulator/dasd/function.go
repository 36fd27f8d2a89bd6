package dasd

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// subsystemOrderSize is how many bytes of a subsystem function's parameters are
// kept for the read that follows.
const subsystemOrderSize = 12

// Orders of Perform Subsystem Function, and of those the functions that Read
// Subsystem Data answers.
const (
	orderPrepare      = 0x18 // prepare for read subsystem data
	orderIntercept    = 0x1B // set special intercept condition
	orderCharacterize = 0x1D // set subsystem characteristics
	orderInterface    = 0xB0 // set interface identifier

	functionPathStatus  = 0x00
	functionStatistics  = 0x01
	functionAttention   = 0x03
	functionUnitAddress = 0x0E
	functionHostAccess  = 0x1C
	functionFeatures    = 0x41

	functionAt     = 6    // in the parameters of orderPrepare
	identifierMask = 0x01 // of orderInterface: the first descriptor only
)

// subsystemOrders are the orders that work.
var subsystemOrders = [256]bool{orderPrepare: true, orderIntercept: true, orderCharacterize: true, orderInterface: true}

// orderSizes are the least lengths of the orders' parameters in bytes, where they
// are more than leastOrderSize; also of some orders that do not work here. (As
// Hercules 3.13 has them.)
var orderSizes = [256]int{
	0x10: 14, 0x11: 12, 0x12: 5, 0x13: 4, 0x14: 4, 0x16: 4,
	orderPrepare: 12, orderCharacterize: 66, orderInterface: 4,
}

// maxOrderSize is the longest list of parameters.
const maxOrderSize = 256

// message is an attention message of a device for its host.
type message struct {
	id   byte
	text []byte
}

// performSubsystemFunction is Perform Subsystem Function (27). Where it
// prepares data, Read Subsystem Data must follow at once.
func (s *eckd) performSubsystemFunction(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(leastOrderSize)
	var p [leastOrderSize]byte
	n := op.Data.Read(p[:])
	return s.subsystemFunction(op, p, n, 0)
}

// leastOrderSize is how many bytes of an order say how long it is, and more.
const leastOrderSize = 2

// subsystemFunction executes the order whose first n bytes are head, with
// parameters that begin at byte at of the command's, and of which the rest is
// still to be read.
func (s *eckd) subsystemFunction(op *channel.Operation, head [leastOrderSize]byte, n, at int) arch.UnitStatus {
	var p [maxOrderSize]byte
	copy(p[:], head[:])
	size := max(leastOrderSize, orderSizes[p[0]])
	op.Data.Expect(at + size)
	n += op.Data.Read(p[leastOrderSize:size])
	switch {
	case n < size:
		return s.reject(messageCountTooSmall)
	case !subsystemOrders[p[0]]:
		return s.reject(messageInvalidParameter)
	}
	switch p[0] {
	case orderPrepare:
		device := [5]byte{}
		if p[functionAt] == functionHostAccess {
			device[4] = byte(s.device.number) // as the node-element descriptor has it
		}
		if [5]byte(p[1:6]) != device || s.answers(p[functionAt]) == nil {
			return s.reject(messageInvalidParameter)
		}
		s.keep = selected
	case orderInterface:
		if p[1]&^identifierMask != 0 {
			return s.reject(messageInvalidParameter)
		}
		s.keep = selected
	case orderIntercept:
		if op.Index > 1 || op.Index == 1 && s.before != arch.CommandSuspendReconnection || op.Flags&arch.FlagCC != 0 {
			return s.reject(messageInvalidSequence)
		}
		fallthrough
	case orderCharacterize:
		if p[1] != 0 {
			return s.reject(messageInvalidParameter)
		}
	}
	copy(s.subsys[:], p[:])
	return done
}

// answers gives the function that makes what Read Subsystem Data sends.
func (s *eckd) answers(function byte) func(*eckd) []byte {
	switch function {
	case functionPathStatus:
		return (*eckd).pathStatus
	case functionStatistics:
		return (*eckd).statistics
	case functionAttention:
		return (*eckd).attention
	case functionUnitAddress:
		return (*eckd).unitAddresses
	case functionHostAccess:
		if s.device.unit.prefix {
			return (*eckd).hostAccess
		}
	case functionFeatures:
		return (*eckd).features
	}
	return nil
}

// readSubsystemData is Read Subsystem Data (3E), behind the function that says
// what is to be read.
func (s *eckd) readSubsystemData(op *channel.Operation) arch.UnitStatus {
	if s.known&selected == 0 {
		return s.reject(messageInvalidSequence)
	}
	if s.subsys[0] == orderInterface {
		return give(op, s.nodeDescriptors())
	}
	return give(op, s.answers(s.subsys[functionAt])(s))
}

// pathStatus is the storage path status: attached, one logical path.
func (s *eckd) pathStatus() []byte {
	const size = 16
	p := make([]byte, size)
	p[0], p[1] = 0xC0, 0x80
	return p
}

// statistics are the subsystem statistics of the device, in 96 bytes or on
// request in 192: its address and caching states, then counts of read and of write operations,
// each with its hits, of programs, and of KiB moved; at the end of the first 96
// the subsystem's identifier.
func (s *eckd) statistics() []byte {
	const size, both = 96, 8
	n := size
	if s.subsys[both] != 0 {
		n *= 2
	}
	p := make([]byte, n)
	d := s.device
	p[1], p[2] = byte(d.number), d.cacheStatus()
	for i, n := range []uint64{
		d.stats.ReadHits + d.stats.ReadMisses, d.stats.ReadHits, d.stats.FastWrites + d.stats.WriteMisses, d.stats.FastWrites,
		d.stats.Programs, d.stats.BytesRead >> 10, d.stats.BytesWrite >> 10,
	} {
		binary.BigEndian.PutUint32(p[8+4*i:], uint32(n))
	}
	binary.BigEndian.PutUint16(p[size-2:], d.subsystemID())
	return p
}

// nodeDescriptors are the subsystem's node descriptor, a qualifier, and an
// empty descriptor; on request the first only.
func (s *eckd) nodeDescriptors() []byte {
	p := make([]byte, 3*descriptorSize)
	u := s.device.unit
	binary.BigEndian.PutUint32(p, 0x00000100)
	copy(p[4:30], ebcdic(fmt.Sprintf("00%04X0%02XIOR01%012X", u.number, u.model, s.device.subsystemID())))
	if s.subsys[1]&identifierMask != 0 {
		return p[:descriptorSize]
	}
	return p
}

// Notify gives the device an attention message for Read Subsystem Data: up to
// 480 bytes with an identifier, in place of one that nobody has read.
func (d *Device) Notify(id byte, text []byte) {
	const longest = 480
	d.attention = message{id, append([]byte(nil), text[:min(len(text), longest)]...)}
}

// attention is the attention message: its length, format, identifier, the
// program's own identifier, and the message itself; once read it is gone.
func (s *eckd) attention() []byte {
	const head, tagAt = 9, 8
	m := &s.device.attention
	p := make([]byte, head, head+len(m.text))
	binary.BigEndian.PutUint16(p, uint16(head+len(m.text)))
	if len(m.text) > 0 {
		p[2], p[3] = 0x01, m.id
	}
	copy(p[4:8], s.subsys[tagAt:])
	p = append(p, m.text...)
	*m = message{}
	return p
}

// unitAddresses is the unit address configuration: for each of 256 addresses
// its type (01 base, 02 alias, 00 none) and the base's address.
func (s *eckd) unitAddresses() []byte {
	const base = 0x01
	p := make([]byte, 2*256)
	for _, d := range s.subsystem.devices {
		if d.ckd != nil && d.number>>8 == s.device.number>>8 {
			p[2*int(d.number&0xFF)] = base
			p[2*int(d.number&0xFF)+1] = byte(d.number)
		}
	}
	return p
}

// features are the feature codes of the control unit.
func (s *eckd) features() []byte {
	p := make([]byte, 256)
	if s.device.unit.prefix {
		p[8] = 0x01  // prefix
		p[14] = 0x80 // query host access
	}
	return p
}

// hostAccess tells which hosts have told the device their path group (query host
// access): two headers with the length and number of the entries, and for each
// host its state, identifier and how many cylinders it can address. (The layout
// is that of Linux' driver, which leaves out what the access flags are.)
func (s *eckd) hostAccess() []byte {
	const (
		head, information, entry = 16, 4, 32
		groupedHost              = 0x10
	)
	d := s.device
	p := make([]byte, head+information, head+information+len(d.groups)*entry)
	n := 0
	for i := range d.groups {
		g := &d.groups[i]
		if g.state == 0 {
			continue
		}
		var e [entry]byte
		if g.state&stateGrouped == stateGrouped {
			e[0] = groupedHost
		}
		copy(e[1:], g.identity[:])
		binary.BigEndian.PutUint32(e[24:], uint32(d.cylinders))
		p = append(p, e[:]...)
		n++
	}
	binary.BigEndian.PutUint16(p[2:], uint16(information+n*entry))
	p[head+1] = entry
	binary.BigEndian.PutUint16(p[head+2:], uint16(n))
	return p
}
