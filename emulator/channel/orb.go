package channel

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrOperand is the operand exception (program interruption 0015) with which
// an I/O instruction ends when its operand is not valid. The subchannel is not
// touched.
var ErrOperand = errors.New("operand exception")

// ParseORB reads an ORB of 12 bytes, or of 32 with the extension bit on, and
// checks it. The extension's priorities have no meaning here. It fails with
// ErrOperand if START SUBCHANNEL would.
func ParseORB(p []byte) (ORB, error) {
	if len(p) < ORBSize {
		return ORB{}, fmt.Errorf("orb: %d bytes, want %d or %d", len(p), ORBSize, ORBExtendedSize)
	}
	o := ORB{
		InterruptionParameter: binary.BigEndian.Uint32(p),
		Control:               binary.BigEndian.Uint32(p[4:]),
		ChannelProgram:        binary.BigEndian.Uint32(p[8:]),
	}
	if o.Control&ORBExtension != 0 && len(p) < ORBExtendedSize {
		return ORB{}, fmt.Errorf("orb: %d bytes with the extension bit on, want %d", len(p), ORBExtendedSize)
	}
	return o, o.Check()
}

// Check reports ErrOperand for an ORB that START SUBCHANNEL refuses: reserved
// bits on, transport mode (not installed), or bit 0 of the channel-program
// address on.
func (o *ORB) Check() error {
	switch {
	case o.Control&ORBReserved != 0:
		return fmt.Errorf("orb: word 1 is %08x, reserved bits %02x must be zero: %w", o.Control, ORBReserved, ErrOperand)
	case o.Control&ORBTransport != 0:
		return fmt.Errorf("orb: word 1 is %08x, transport mode is not installed: %w", o.Control, ErrOperand)
	case o.ChannelProgram&(1<<31) != 0:
		return fmt.Errorf("orb: channel-program address %08x, bit 0 must be zero: %w", o.ChannelProgram, ErrOperand)
	}
	return nil
}

// Put stores o into the first twelve bytes of p.
func (o *ORB) Put(p []byte) {
	_ = p[11]
	binary.BigEndian.PutUint32(p, o.InterruptionParameter)
	binary.BigEndian.PutUint32(p[4:], o.Control)
	binary.BigEndian.PutUint32(p[8:], o.ChannelProgram)
}
