package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// A dataCopy is a private copy of a data area, in main storage that only the
// host writes (step 212). A CCW's count fits one frame of storage.
type dataCopy struct {
	segment *machine.Segment
	next    *dataCopy
}

// The range of main storage for the private copies; its size limits their number.
const (
	copyBase  machine.Address = 0x70000000
	copyLimit machine.Address = 0x7C000000
)

// copies is the pool of private copies. A copy is mapped when it is first needed.
type copies struct {
	storage *machine.Storage
	free    *dataCopy
	next    machine.Address
}

func (c *copies) get() *dataCopy {
	if d := c.free; d != nil {
		c.free = d.next
		d.next = nil
		return d
	}
	if copyBase+c.next >= copyLimit {
		return nil
	}
	g, err := c.storage.MapSynthetic(copyBase+c.next, machine.FrameSize)
	if err != nil {
		return nil
	}
	c.next += machine.FrameSize
	return &dataCopy{segment: g}
}

func (c *copies) put(d *dataCopy) {
	d.next = c.free
	c.free = d
}

// privateCopy copies the first n bytes of the data area of s. It returns the
// address of the copy, or 0 when there is no room or the area cannot be read.
func (x *Process) privateCopy(mr *mirrorRequest, s *abi.CCW, n int) machine.Address {
	if n > int(s.Count) || channel.Flags(s.Flags)&arch.FlagMIDA != 0 {
		return 0
	}
	d := x.copies.get()
	if d == nil {
		x.Log.Error("private copy of a data area: the limit is in use", "limit", int(copyLimit-copyBase)/machine.FrameSize)
		return 0
	}
	d.next, mr.copies = mr.copies, d
	storage := &x.ios.Machine.Storage
	if channel.Flags(s.Flags)&arch.FlagIDA == 0 {
		if tags := storage.TagView(machine.Address(s.Address), n); tags != nil {
			d.segment.Synthesize()
			copy(d.segment.Tags(), tags)
			return d.segment.Base
		}
	}
	d.segment.Materialize()
	if !chain.LoadData(storage, s, d.segment.Bytes()[:n]) {
		return 0
	}
	return d.segment.Base
}
