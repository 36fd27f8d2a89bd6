package mirror

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
)

// The state of a mirror stands in the reserved bytes of its VOL1 label behind
// the owner (M7): bytes 51 to 79. Blank, as on the primary, means that the mirror
// follows the primary; so a mirror that is in sync has the primary's label.
const (
	stateAt   = 51
	stateSize = program.LabelSize - stateAt
)

// labelTexts has the text that stands there, in EBCDIC, for each state.
var labelTexts = map[abi.MirrorState][]byte{
	abi.MirrorSynchronising: {0xE2, 0xE8, 0xD5, 0xC3, 0xC8, 0xD9, 0xD6, 0xD5, 0xC9, 0xE2, 0xC9, 0xD5, 0xC7}, // SYNCHRONISING
	abi.MirrorSuspended:     {0xE2, 0xE4, 0xE2, 0xD7, 0xC5, 0xD5, 0xC4, 0xC5, 0xC4},                         // SUSPENDED
}

const ebcdicBlank = 0x40

// putState stores a state into a label.
func putState(label []byte, s abi.MirrorState) {
	area := label[stateAt:program.LabelSize]
	for i := range area {
		area[i] = ebcdicBlank
	}
	copy(area, labelTexts[s])
}

// stateOf reads the state from a label.
func stateOf(label []byte) abi.MirrorState {
	area := label[stateAt:program.LabelSize]
	for _, s := range []abi.MirrorState{abi.MirrorSynchronising, abi.MirrorSuspended} {
		if string(area[:len(labelTexts[s])]) == string(labelTexts[s]) {
			return s
		}
	}
	return abi.MirrorInSync
}

// labelIO reads a mirror's label, and writes it back with another state when it
// is asked to.
type labelIO struct {
	p       *Process
	m       *intercept.Mirror
	block   ios.IOSB
	srb     machine.SRB
	control program.Control
	data    *machine.Segment
	set     bool
	state   abi.MirrorState
	write   bool
	classic bool // the request is made with classic commands
	again   bool // the request is to be made again with classic commands
	err     error
	done    func(p *machine.Processor, state abi.MirrorState, err error)
	cpu     *machine.Processor
}

// begin reads the label of m and, with set, writes it back with the state. done is
// told what the label said, or says now.
func (l *labelIO) begin(at machine.Time, m *intercept.Mirror, set bool, state abi.MirrorState, done func(*machine.Processor, abi.MirrorState, error)) {
	l.m, l.set, l.state, l.done = m, set, state, done
	l.write, l.err = false, nil
	l.srb.Parm = uint64(m.Index())
	l.p.m.Dispatcher.Schedule(at, &l.srb)
}

// newLabelIO returns a labelIO that is not in use.
func (p *Process) newLabelIO() (*labelIO, error) {
	if n := len(p.labels); n != 0 {
		l := p.labels[n-1]
		p.labels = p.labels[:n-1]
		return l, nil
	}
	g, err := p.mapBytes()
	if err != nil {
		return nil, err
	}
	l := &labelIO{p: p, data: g}
	l.control = program.Control{View: g.Bytes()[program.ControlSize : 2*program.ControlSize], At: g.Base + program.ControlSize}
	l.srb.Entry = l
	l.srb.Priority = machine.PriorityHigh
	l.block.Exit = l
	return l, nil
}

// Enter issues the read or the write.
func (l *labelIO) Enter(cpu *machine.Processor, _ *machine.SRB) {
	geo := l.m.Pair().Geometry()
	if geo.Class == abi.ClassFBA {
		// A fixed-block volume's label has no room for the state: the host's own
		// account stands for it.
		l.finish(cpu, l.m.State, nil)
		return
	}
	if l.classic = l.p.classic[l.m.Unit()]; l.classic {
		k := program.CKD{Heads: int(geo.Heads)}
		k.Label(l.control, l.data.Base, l.write)
	} else {
		e := program.ECKD{Heads: int(geo.Heads), RecordsATrack: 1}
		e.Label(l.control, l.data.Base, l.write)
	}
	x := l.p.x.Supervisor()
	b := &l.block
	b.Init(x)
	b.ID = 0
	b.UCB = l.m.Unit()
	b.ChannelProgram = l.control.At + program.Start
	b.DriverID = ios.DriverProcess
	b.Writes = l.write
	x.STARTIO(cpu, b)
}

// Done is the exit of the read or the write.
func (l *labelIO) Done(cpu *machine.Processor, b *ios.IOSB) {
	l.cpu = cpu
	if l.again = !l.classic && l.p.refused(b); !l.again && !b.OK() {
		l.err = fmt.Errorf("label of device %04X: ended with code %02X, unit status %02X", b.UCB.DeviceNumber, b.CompletionCode, uint8(b.IRB.SCSW.Unit))
	}
}

// Released goes on, or ends, once the storage is free.
func (l *labelIO) Released(*ios.IOSB) {
	label := l.data.Bytes()[:program.LabelSize]
	switch {
	case l.again:
		l.again = false
		l.p.m.Dispatcher.Schedule(l.p.m.Clock.Now(), &l.srb)
	case l.err != nil:
		l.finish(l.cpu, l.m.State, l.err)
	case l.set && !l.write:
		putState(label, l.state)
		l.write = true
		l.p.m.Dispatcher.Schedule(l.p.m.Clock.Now(), &l.srb)
	default:
		l.finish(l.cpu, stateOf(label), nil)
	}
}

func (l *labelIO) finish(cpu *machine.Processor, s abi.MirrorState, err error) {
	l.p.labels = append(l.p.labels, l)
	l.done(cpu, s, err)
}

// labelReading is a read of a mirror's label, and the requests that wait for what
// it says.
type labelReading struct {
	m       *intercept.Mirror
	waiting []*intercept.Request
}

// ReadLabel reads the label of a mirror for a request whose back-end detour asks
// whether the mirror is still being synchronised; the detour runs again with the
// answer. One read serves all requests that ask before it has ended: between its
// beginning and its end a label only ever comes to say that the mirror follows,
// and that the host knows by itself. (Step 250.)
func (p *Process) ReadLabel(cpu *machine.Processor, r *intercept.Request, m *intercept.Mirror) bool {
	var free *labelReading
	for _, l := range p.reading {
		if l.m == m {
			l.waiting = append(l.waiting, r)
			return true
		}
		if l.m == nil {
			free = l
		}
	}
	if free == nil {
		free = &labelReading{}
		p.reading = append(p.reading, free)
	}
	l, err := p.newLabelIO()
	if err != nil {
		return false
	}
	free.m, free.waiting = m, append(free.waiting[:0], r)
	l.begin(cpu.Now(), m, false, 0, func(cpu *machine.Processor, s abi.MirrorState, err error) {
		if err != nil {
			s = m.State
		}
		for i := 0; i < len(free.waiting); i++ { // an answer may bring a further question
			free.waiting[i].SetLabel(cpu, m, s)
		}
		free.m = nil
	})
	return true
}
