package channel

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// addressing is the mode in which the CCW's data address leads to the data.
type addressing uint8

const (
	direct       addressing = iota
	idaw1                   // words of 31 bits, blocks of 2 KiB
	idaw2Of2K               // doublewords, blocks of 2 KiB (ORB H and T)
	idaw2                   // doublewords, blocks of 4 KiB (ORB H)
	modifiedIDAW            // quadwords with a count and flags each
)

// indirection describes the list of each addressing mode: the sizes in bytes of an
// entry and of the block that it addresses, from the formats of IDAWs. MIDAWs
// count their own bytes.
var indirection = [...]struct {
	size  machine.Address // size of a list entry, to which the entry is aligned
	block machine.Address
}{
	idaw1:        {4, 2048},
	idaw2Of2K:    {8, 2048},
	idaw2:        {8, 4096},
	modifiedIDAW: {16, 4096},
}

// The flags of a MIDAW, in its byte 5.
const (
	midawLast      = 0x80
	midawSkip      = 0x40
	midawInterrupt = 0x20 // data-transfer interruption
)

// addresses24 is the end of the address space of a CCW of format 0, whose direct
// address has 24 bits. Addresses do not wrap.
const addresses24 = 1 << 24

// begin sets the transfer to the first byte of the CCW w.
func (t *Transfer) begin(w CCW) {
	t.flags = w.Flags
	t.left = int(w.Count)
	t.skip = w.Flags&arch.FlagSkip != 0 && !t.output
	t.address = direct
	t.at = machine.Address(w.Address)
	switch {
	case w.Flags&(arch.FlagIDA|arch.FlagMIDA) == 0 || t.skip:
		t.piece = t.left
		if t.skip {
			break
		}
		if !t.chain.format1 {
			t.piece = min(t.piece, addresses24-int(w.Address))
		}
		if t.back {
			t.piece = min(t.left, int(w.Address)+1)
		}
	case w.Flags&arch.FlagMIDA != 0:
		t.address = modifiedIDAW
	default:
		t.address = t.chain.idaw
	}
	if t.address != direct {
		t.list, t.piece, t.first, t.last = t.at, 0, true, false
	}
	if w.Flags&arch.FlagCD != 0 && t.after == 0 {
		t.after = t.chain.ahead()
	}
}

// ready makes the current piece hold at least one byte. It reports false at the
// end of the count and after a check.
func (t *Transfer) ready() bool {
	if t.check != 0 {
		return false
	}
	return t.piece > 0 || t.next()
}

func (t *Transfer) next() bool {
	for t.left == 0 {
		if t.flags&arch.FlagCD == 0 {
			return false
		}
		if !t.chainData() {
			return false
		}
	}
	switch {
	case t.piece > 0:
	case t.address == direct: // the count reaches beyond the end of the addresses
		t.check = arch.ProgramCheck
	case t.address == modifiedIDAW:
		t.check = t.nextMIDAW()
	default:
		t.check = t.nextIDAW()
	}
	return t.check == 0
}

// chainData lets the next CCW of the data chain take control.
func (t *Transfer) chainData() bool {
	w, check := t.chain.data()
	if check != 0 {
		t.check = check
		return false
	}
	t.after = max(0, t.after-int(w.Count))
	t.begin(w)
	return true
}

// nextIDAW looks up the next word of the IDA list. The first word may point to any
// byte; each other one continues at the edge of a block.
func (t *Transfer) nextIDAW() arch.ChannelStatus {
	form := indirection[t.address]
	if t.list%form.size != 0 || !t.chain.format1 && t.list >= addresses24 {
		return arch.ProgramCheck
	}
	word, check := t.access.word(t.list, form.size == 8)
	if check != 0 {
		return check
	}
	if word >= machine.StorageSize { // in format 1 bit 0 is not zero
		return arch.ProgramCheck
	}
	t.list += form.size
	t.at = machine.Address(word)
	offset := t.at % form.block
	edge := machine.Address(0)
	room := form.block - offset
	if t.back {
		edge, room = form.block-1, offset+1
	}
	if !t.first && offset != edge {
		return arch.ProgramCheck
	}
	t.first = false
	t.piece = min(t.left, int(room))
	return 0
}

// nextMIDAW looks up the next quadword of the MIDA list. Its data lies within one
// block of 4 KiB, and so does the list. Its count is at most the rest of the CCW's
// count.
func (t *Transfer) nextMIDAW() arch.ChannelStatus {
	const size, block = 16, machine.KeyBlockSize
	if t.list%size != 0 || !t.chain.format1 && t.list >= addresses24 || t.last || t.back ||
		!t.first && t.list%block == 0 {
		return arch.ProgramCheck
	}
	var p [size]byte
	if check := t.access.control(t.list, p[:]); check != 0 {
		return check
	}
	reserved := binary.BigEndian.Uint32(p[:])
	flags := p[5]
	count := int(binary.BigEndian.Uint16(p[6:]))
	data := binary.BigEndian.Uint64(p[8:])
	skip := flags&midawSkip != 0 && !t.output
	if reserved != 0 || p[4] != 0 || count == 0 || count > t.left || flags&^(midawLast|midawSkip|midawInterrupt) != 0 {
		return arch.ProgramCheck
	}
	if !skip && (data >= machine.StorageSize || int(data%block)+count > block) {
		return arch.ProgramCheck
	}
	if flags&midawInterrupt != 0 {
		t.chain.interrupt()
	}
	t.list += size
	t.first = false
	t.last = flags&midawLast != 0
	t.skip = skip
	t.at = machine.Address(data)
	t.piece = count
	return 0
}
