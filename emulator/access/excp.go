package access

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Limits of channel programs that are run as they are.
const (
	// MaxProgram is the largest number of CCWs of one program.
	MaxProgram = 256
	// MaxProgramData is the largest size in bytes of a program with all its data
	// areas.
	MaxProgramData = 1 << 20

	excpBase  machine.Address = 0x04000000
	excpLimit                 = controlBase
	// dataAlign is the boundary on which each data area begins.
	dataAlign = 16

	// An IDAW (indirect-data-address word) of format 1 has four bytes. Each one but
	// the first of a list names the beginning of a block of 2048 bytes of storage.
	idawSize  = 4
	idawBlock = 2048
)

// Excp runs channel programs that somebody else has written, CCW by CCW, as the
// macro of that name (execute channel program) does. It belongs to its machine.
type Excp struct {
	// Witness, if not nil, is told of every program that is run.
	Witness ProgramWitness

	s    *ios.Supervisor
	next machine.Address // first address of main storage that is not in use
}

// NewExcp makes the access method.
func NewExcp(s *ios.Supervisor) *Excp { return &Excp{s: s, next: excpBase} }

// CCW is a channel command word to be built into main storage. The caller sets the
// chaining flags.
type CCW struct {
	Command byte
	// Flags are stored as they are. With FlagIDA the data area is reached through a
	// list of indirect-data-address words (IDAWs), which is built beside it; if At is
	// set too, the caller has stored the list at that place.
	Flags channel.Flags
	// Count is the byte count; 0 stands for the length of Data.
	Count int
	// Data is the initial content of the data area; the rest of Count bytes is zero.
	Data []byte
	// At is the place of the data area, for a CCW that has no area of its own: a
	// transfer in channel (a jump to another CCW), or a CCW whose area is or overlaps
	// that of another.
	At *Spot
}

// Spot is a place in a program: byte Offset of CCW number CCW (from 0), or of the
// data area of that CCW.
type Spot struct {
	CCW    int
	Data   bool
	Offset int
}

// Program is a channel program in main storage, with the outcome of its last run.
// It can be run again when it has ended.
type Program struct {
	// Code is the completion code, 0 while the program has not ended; IRB is the last
	// status.
	Code uint8
	IRB  channel.IRB
	// EndedAt is the time at which the requester was told of the end.
	EndedAt machine.Time
	// Identified, if not nil, is told the identity of the I/O before STARTIO.
	Identified func(io uint64)

	e        *Excp
	block    ios.IOSB
	srb      machine.SRB
	resume   resumption
	unit     *ios.UCB
	view     []byte
	base     machine.Address
	areas    []area // by CCW
	writes   bool
	suspends bool
	busy     bool
	done     func(*Program)
}

// area is the data area of a CCW, in the program's storage.
type area struct{ offset, length int }

// Build stores a program into main storage that belongs to it alone. It returns an
// error for a program that is too long, contradicts itself, or finds no storage
// left.
func (e *Excp) Build(ccws []CCW) (*Program, error) {
	if len(ccws) == 0 || len(ccws) > MaxProgram {
		return nil, fmt.Errorf("channel program of %d CCWs: want 1 to %d", len(ccws), MaxProgram)
	}
	p := &Program{e: e, areas: make([]area, len(ccws))}
	size := len(ccws) * arch.CCWSize
	for i := range ccws {
		c := &ccws[i]
		n := max(c.Count, len(c.Data))
		if c.Count < 0 || n > 0xFFFF {
			return nil, fmt.Errorf("channel program: CCW %d: count of %d: want 0 to %d", i+1, n, 0xFFFF)
		}
		if c.At != nil {
			if len(c.Data) != 0 {
				return nil, fmt.Errorf("channel program: CCW %d: has both data and a place (At): want one of them", i+1)
			}
			continue
		}
		size = aligned(size)
		p.areas[i] = area{size, n}
		size += n
		if c.Flags&arch.FlagIDA != 0 {
			size = aligned(size) + idaws(n)*idawSize
		}
	}
	if size > MaxProgramData {
		return nil, fmt.Errorf("channel program: %d bytes with its data: at most %d", size, MaxProgramData)
	}
	frames := machine.Address((size + machine.FrameSize - 1) &^ (machine.FrameSize - 1))
	if e.next+frames > excpLimit {
		return nil, fmt.Errorf("channel program: the limit of %d bytes of main storage is in use", int(excpLimit-excpBase))
	}
	g, err := e.s.Machine.Storage.MapBytes(e.next, int(frames))
	if err != nil {
		return nil, err
	}
	e.next += frames
	p.base, p.view = g.Base, g.Bytes()
	for i := range ccws {
		if err := p.put(ccws, i); err != nil {
			return nil, err
		}
	}
	p.srb.Entry = p
	p.srb.Priority = machine.PriorityTask
	p.resume.p = p
	p.resume.srb.Entry = &p.resume
	p.resume.srb.Priority = machine.PriorityTask
	p.block.Exit = p
	return p, nil
}

// put stores CCW number i and its data.
func (p *Program) put(ccws []CCW, i int) error {
	c := &ccws[i]
	if at := c.At; at != nil {
		if at.CCW < 0 || at.CCW >= len(ccws) || at.Offset < 0 {
			return fmt.Errorf("channel program: CCW %d: place at CCW %d, byte %d: there are %d CCWs", i+1, at.CCW+1, at.Offset, len(ccws))
		}
		p.areas[i] = area{at.CCW*arch.CCWSize + at.Offset, c.Count}
		if at.Data {
			p.areas[i].offset = p.areas[at.CCW].offset + at.Offset
		} else if c.Command != arch.CommandTransfer {
			p.writes = true // the transfer may turn a CCW into a write
		}
		if p.areas[i].offset+c.Count > len(p.view) {
			return fmt.Errorf("channel program: CCW %d: data area of %d bytes ends beyond the program's storage", i+1, c.Count)
		}
	}
	count := c.Count
	if count == 0 {
		count = len(c.Data)
	}
	copy(p.view[p.areas[i].offset:], c.Data)
	address := p.areas[i].offset
	if c.At == nil && c.Flags&arch.FlagIDA != 0 {
		address = p.putList(p.areas[i])
	}
	channel.PutCCW1(p.view[i*arch.CCWSize:], channel.CCW{
		Command: c.Command, Flags: c.Flags, Count: uint16(count), Address: uint32(p.base) + uint32(address),
	})
	p.writes = p.writes || c.Command&3 == 1
	p.suspends = p.suspends || c.Flags&arch.FlagS != 0
	return nil
}

// aligned returns the first offset from offset on at which a data area may begin.
func aligned(offset int) int { return (offset + dataAlign - 1) &^ (dataAlign - 1) }

// idaws returns the largest number of IDAWs that an area of n bytes needs,
// wherever it lies.
func idaws(n int) int { return n/idawBlock + 2 }

// putList stores the list of IDAWs of a data area behind the area and returns its
// offset.
func (p *Program) putList(a area) int {
	list := aligned(a.offset + a.length)
	at := list
	for from, end := int(p.base)+a.offset, int(p.base)+a.offset+max(a.length, 1); from < end; from = (from/idawBlock + 1) * idawBlock {
		binary.BigEndian.PutUint32(p.view[at:], uint32(from))
		at += idawSize
	}
	return list
}

// Start runs the program on a unit, now, from a unit of work of its own. done is
// called once the program has ended and nothing refers to its storage any more.
// Start returns an error while the program is running.
func (p *Program) Start(unit *ios.UCB, done func(*Program)) error {
	if p.busy {
		return fmt.Errorf("channel program: is running already")
	}
	p.busy, p.unit, p.done = true, unit, done
	p.Code, p.IRB = 0, channel.IRB{}
	if w := p.e.Witness; w != nil {
		w.ProgramStarted(p)
	}
	p.srb.Parm = uint64(unit.Index)
	p.e.s.Machine.Dispatcher.Schedule(p.e.s.Machine.Clock.Now(), &p.srb)
	return nil
}

// Enter issues STARTIO.
func (p *Program) Enter(cpu *machine.Processor, _ *machine.SRB) {
	cpu.Charge(Path)
	b := &p.block
	b.Init(p.e.s)
	b.ID = p.e.s.NextID()
	b.UCB = p.unit
	b.ChannelProgram = p.base
	b.Control = 0
	if p.suspends {
		b.Control = channel.ORBDefaultControl | channel.ORBSuspend
	}
	b.DriverID = ios.DriverExcp
	b.Writes = p.writes
	b.SRB.Parm = b.ID
	if p.Identified != nil {
		p.Identified(b.ID)
	}
	p.e.s.STARTIO(cpu, b)
}

// Resume lets a program that has suspended itself go on. It clears the suspend
// flags of its CCWs first, because the channel looks at them again.
func (p *Program) Resume() {
	for i := range p.areas {
		p.view[i*arch.CCWSize+1] &^= byte(arch.FlagS)
	}
	p.resume.srb.Parm = p.block.ID
	p.e.s.Machine.Dispatcher.Schedule(p.e.s.Machine.Clock.Now(), &p.resume.srb)
}

// resumption is the unit of work that resumes a program.
type resumption struct {
	p   *Program
	srb machine.SRB
}

// Enter issues RSCH.
func (r *resumption) Enter(cpu *machine.Processor, _ *machine.SRB) {
	r.p.e.s.IOSVRSUM(cpu, &r.p.block)
}

// Done is called when the program's I/O has ended.
func (p *Program) Done(cpu *machine.Processor, b *ios.IOSB) {
	p.Code, p.IRB, p.EndedAt = b.CompletionCode, b.IRB, cpu.Now()
	if w := p.e.Witness; w != nil {
		w.ProgramEnded(p)
	}
}

// Released tells the requester that the program's storage is free.
func (p *Program) Released(*ios.IOSB) {
	p.busy = false
	if p.done != nil {
		p.done(p)
	}
}

// Data returns the content of the data area of CCW number i (from 0). The slice is
// the program's own storage.
func (p *Program) Data(i int) []byte {
	a := p.areas[i]
	return p.view[a.offset : a.offset+a.length]
}

// ID returns the identity of the program's last I/O; 0 before STARTIO.
func (p *Program) ID() uint64 { return p.block.ID }

// Unit returns the unit on which the program was last run.
func (p *Program) Unit() *ios.UCB { return p.unit }

// Words returns the number of CCWs.
func (p *Program) Words() int { return len(p.areas) }

// Word returns CCW number i (from 0) as it is in storage now.
func (p *Program) Word(i int) channel.CCW {
	return channel.ParseCCW1(p.view[i*arch.CCWSize:])
}

// Shares reports whether the data area of CCW number i (from 0) overlaps that of
// CCW number j, or the CCWs themselves where j is -1.
func (p *Program) Shares(i, j int) bool {
	a, b := p.areas[i], area{0, len(p.areas) * arch.CCWSize}
	if j >= 0 {
		b = p.areas[j]
	}
	return a.offset < b.offset+b.length && b.offset < a.offset+a.length
}
