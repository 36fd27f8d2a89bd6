package chain

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// idawBlock is a size in bytes: an indirect-data-address word (IDAW) of format 1
// addresses data up to the next multiple of it.
const idawBlock = 2048

// LoadData copies the first len(p) bytes of a CCW's data area to p, through its
// indirect-data-address words of format 1 if it has them. It returns false if any
// of the bytes is not backed by storage.
func LoadData(s *machine.Storage, c *abi.CCW, p []byte) bool {
	if channel.Flags(c.Flags)&arch.FlagIDA == 0 {
		_, err := s.Load(machine.Address(c.Address), p)
		return err == nil
	}
	for list := machine.Address(c.Address); len(p) > 0; list += 4 {
		v := s.View(list, 4)
		if v == nil {
			return false
		}
		at := machine.Address(binary.BigEndian.Uint32(v))
		n := min(len(p), idawBlock-int(at%idawBlock))
		if _, err := s.Load(at, p[:n]); err != nil {
			return false
		}
		p = p[n:]
	}
	return true
}
