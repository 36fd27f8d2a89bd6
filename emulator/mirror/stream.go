package mirror

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
)

// Where in main storage the mirror process has its buffers.
const (
	bufferBase  machine.Address = 0x7C000000
	bufferLimit machine.Address = 0x80000000 - machine.FrameSize
	dataSize                    = 256 << 10
)

// A stream copies a run of tracks: it reads them from the primary and writes
// them to the mirror, with requests like any other's.
type stream struct {
	c       *copier
	block   ios.IOSB
	srb     machine.SRB
	control program.Control
	data    *machine.Segment
	eckd    program.ECKD
	records records // of a track that is read with classic commands
	copy    intercept.Copy
	first   uint32
	n       uint32
	write   bool
	whole   bool // track by track, whatever the format
	classic bool // the request under way is made with classic commands
	again   bool // the request is to be made again with classic commands
	ended   bool // of a request: Released goes on
	idle    bool
	err     error
}

func (p *Process) newStream(c *copier) (*stream, error) {
	if n := len(p.free); n != 0 {
		t := p.free[n-1]
		p.free = p.free[:n-1]
		t.c = c
		return t, nil
	}
	storage := &p.m.Storage
	at := bufferBase + p.buffers
	if at+dataSize+machine.FrameSize > bufferLimit {
		return nil, fmt.Errorf("buffers for synchronisation: the limit of %d bytes of main storage is in use", int(bufferLimit-bufferBase))
	}
	t := &stream{c: c, idle: true}
	var err error
	if t.data, err = storage.MapSynthetic(at, dataSize); err != nil {
		return nil, err
	}
	p.buffers += dataSize
	g, err := p.mapBytes()
	if err != nil {
		return nil, err
	}
	t.control = program.Control{View: g.Bytes()[:program.TrackControlSize], At: g.Base}
	t.srb.Entry = t
	t.srb.Priority = machine.PriorityNormal
	t.block.Exit = t
	return t, nil
}

// start copies n tracks from first on, at time at.
func (t *stream) start(at machine.Time, first, n uint32) {
	geo := t.c.m.Pair().Geometry()
	t.idle, t.write, t.err = false, false, nil
	t.whole = t.c.whole()
	t.records = records{}
	t.first, t.n = first, n
	t.eckd = program.ECKD{Heads: int(geo.Heads), RecordsATrack: t.c.manner.recordsATrack}
	t.copy = t.c.m.BeginCopy(first, n)
	t.schedule(at)
}

func (t *stream) schedule(at machine.Time) {
	t.srb.Parm = uint64(t.first)
	t.c.p.m.Dispatcher.Schedule(at, &t.srb)
}

// Enter builds the channel program of the read or the write and issues STARTIO.
func (t *stream) Enter(cpu *machine.Processor, _ *machine.SRB) {
	unit := t.unit()
	err := t.c.driver.allow()
	if err == nil {
		err = t.build(unit)
	}
	if err != nil {
		t.fail(err)
		return
	}
	x := t.c.p.x.Supervisor()
	b := &t.block
	b.Init(x)
	b.ID = t.c.manner.io
	b.UCB = unit
	b.ChannelProgram = t.control.At + program.Start
	b.DriverID = ios.DriverProcess
	b.Writes = t.write
	b.SRB.Parm = uint64(t.first)
	t.ended, t.again = false, false
	x.STARTIO(cpu, b)
}

func (t *stream) unit() *ios.UCB {
	if t.write {
		return t.c.m.Unit()
	}
	return t.c.m.Pair().Primary()
}

func (t *stream) build(unit *ios.UCB) error {
	t.classic = false
	if t.c.m.Pair().Geometry().Class == abi.ClassFBA {
		g := t.c.m.Pair().Geometry()
		first := t.first * g.TrackBlocks
		program.FBABlocks(t.control, t.data.Base, t.write, first, int(min(t.n*g.TrackBlocks, g.Blocks-first)))
		return nil
	}
	if !t.whole {
		t.eckd.Blocks(t.control, t.data.Base, t.write, int(t.first), 0, int(t.n)*t.eckd.RecordsATrack)
		return nil
	}
	t.data.Materialize()
	if t.classic = t.c.p.classic[unit]; t.classic {
		return t.buildClassic()
	}
	if !t.write {
		t.eckd.ReadTrack(t.control, t.data.Base, int(t.first))
		return nil
	}
	return t.eckd.WriteTrack(t.control, t.data.Bytes(), t.data.Base, int(t.first))
}

// Done is the exit of the read or the write.
func (t *stream) Done(_ *machine.Processor, b *ios.IOSB) {
	t.ended = true
	switch {
	case !t.classic && t.c.m.Pair().Geometry().Class == abi.ClassECKD && t.c.p.refused(b):
		t.again = true
	case t.readsRecords():
		t.err = t.recordsRead(b)
	case !b.OK():
		t.err = t.failure(b)
	}
}

func (t *stream) failure(b *ios.IOSB) error {
	return fmt.Errorf("track %d: %s ended with code %02X, unit status %02X, channel status %02X, sense % X",
		t.first, t.verb(), b.CompletionCode, uint8(b.IRB.SCSW.Unit), uint8(b.IRB.SCSW.Channel), b.IRB.ECW[:8])
}

func (t *stream) verb() string {
	if t.write {
		return "write to the mirror"
	}
	return "read of the primary"
}

// Released goes on once the request's storage is free.
func (t *stream) Released(*ios.IOSB) {
	now := t.c.p.m.Clock.Now()
	switch {
	case t.again && !t.whole:
		t.split(now)
	case t.again, t.err == nil && t.readsRecords() && !t.records.done:
		t.schedule(now)
	case t.err == nil && !t.write:
		t.write = true
		t.schedule(now)
	case t.err == nil:
		t.done()
	case !t.whole && t.c.m.Pair().Geometry().Class == abi.ClassECKD:
		// Not formatted as the block access method has it: track by track.
		t.split(now)
	default:
		t.fail(t.err)
	}
}

// split copies the first of the run's tracks whole and gives the rest back.
func (t *stream) split(now machine.Time) {
	t.copy.End(false)
	t.c.giveBack(t.first+1, t.n-1)
	t.copy = t.c.m.BeginCopy(t.first, 1)
	t.n, t.whole, t.write, t.err = 1, true, false, nil
	t.records = records{}
	t.schedule(now)
}

// idleAgain makes the buffer one of tags again, unless the copier has another whole
// track for it.
func (t *stream) idleAgain() {
	if !t.c.whole() {
		t.restore()
	}
}

// restore makes the buffer one of tags again, as reads of blocks want it.
func (t *stream) restore() {
	if !t.data.Synthetic() {
		t.data.Synthesize()
	}
}

func (t *stream) done() {
	t.copy.End(true)
	t.idleAgain()
	t.c.streamDone(t, nil)
}

func (t *stream) fail(err error) {
	t.copy.End(false)
	t.idleAgain()
	t.c.streamDone(t, err)
}
