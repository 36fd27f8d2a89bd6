package dasd

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// subsystemOrderSize is the number of bytes of a subsystem function's parameters
// that are kept for the following read.
const subsystemOrderSize = 12

// Orders of Perform Subsystem Function, and the functions of orderPrepare that
// Read Subsystem Data answers.
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

	functionAt     = 6    // offset in the parameters of orderPrepare
	identifierMask = 0x01 // flag of orderInterface: the first descriptor only
)

// subsystemOrders marks the orders that are executed.
var subsystemOrders = [256]bool{orderPrepare: true, orderIntercept: true, orderCharacterize: true, orderInterface: true}

// orderSizes holds the least sizes in bytes of the orders' parameters, if they are
// more than leastOrderSize; also of some orders that are not executed here. (The
// sizes are those of Hercules 3.13.)
var orderSizes = [256]int{
	0x10: 14, 0x11: 12, 0x12: 5, 0x13: 4, 0x14: 4, 0x16: 4,
	orderPrepare: 12, orderCharacterize: 66, orderInterface: 4,
}

// maxOrderSize is the largest size of the parameters in bytes.
const maxOrderSize = 256

// message is an attention message of a device for its host.
type message struct {
	id   byte
	text []byte
}

// performSubsystemFunction is Perform Subsystem Function (27). If it prepares
// data, Read Subsystem Data must follow at once.
func (s *eckd) performSubsystemFunction(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(leastOrderSize)
	var p [leastOrderSize]byte
	n := op.Data.Read(p[:])
	return s.subsystemFunction(op, p, n, 0)
}

// leastOrderSize is the number of bytes at the beginning of an order's parameters
// from which the size of the rest follows.
const leastOrderSize = 2

// subsystemFunction executes an order. head holds the first n bytes of its
// parameters, which begin at byte at of the command's data; the rest of them is
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
			device[4] = byte(s.device.number) // as in the node-element descriptor
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

// answers returns the routine that makes the data of Read Subsystem Data.
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

// readSubsystemData is Read Subsystem Data (3E). It must follow the function that
// has prepared the data.
func (s *eckd) readSubsystemData(op *channel.Operation) arch.UnitStatus {
	if s.known&selected == 0 {
		return s.reject(messageInvalidSequence)
	}
	if s.subsys[0] == orderInterface {
		return give(op, s.nodeDescriptors())
	}
	return give(op, s.answers(s.subsys[functionAt])(s))
}

// pathStatus makes the storage path status: attached, one logical path.
func (s *eckd) pathStatus() []byte {
	const size = 16
	p := make([]byte, size)
	p[0], p[1] = 0xC0, 0x80
	return p
}

// statistics makes the subsystem statistics of the device, in 96 bytes or on
// request in 192: its address and caching states, then the counts of read and of
// write operations, each with its hits, of programs, and of KiB moved; at the end
// of the first 96 bytes the subsystem's identifier.
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

// nodeDescriptors makes the subsystem's node descriptor, a qualifier, and an empty
// descriptor; on request the first only.
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

// Notify gives the device an attention message for Read Subsystem Data: up to 480
// bytes with an identifier. It replaces a message that nobody has read.
func (d *Device) Notify(id byte, text []byte) {
	const longest = 480
	d.attention = message{id, append([]byte(nil), text[:min(len(text), longest)]...)}
}

// attention makes the attention message: its length, format, identifier, the
// program's own identifier, and the message itself. Once read, the message is
// gone.
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

// unitAddresses makes the unit address configuration: for each of 256 addresses
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

// features makes the feature codes of the control unit.
func (s *eckd) features() []byte {
	p := make([]byte, 256)
	if s.device.unit.prefix {
		p[8] = 0x01  // prefix
		p[14] = 0x80 // query host access
	}
	return p
}

// hostAccess makes the list of the hosts that have told the device their path
// group (query host access): two headers with the length and number of the
// entries, and for each host its state, its identifier and the number of cylinders
// that it can address. (The layout is the one in Linux' driver, which does not
// explain the access flags.)
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
