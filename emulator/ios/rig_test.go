package ios_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// device takes any command, and does what its script says.
type device struct {
	sent     []string // chains that have arrived, by the first byte of their data area
	latency  machine.Time
	gone     bool         // no path
	loseNext int          // chains that do not arrive
	loseEnd  int          // chains whose status does not come back
	check    []byte       // sense of the unit checks to come, one a chain; nil at last
	fails    int          // how many of them
	exact    bool         // ends with unit exception
	extra    machine.Time // of each ending status
	putOff   bool         // ends come later
	endings  []channel.Ending
}

func (d *device) Deliver(now machine.Time) (machine.Time, bool) {
	if d.gone {
		return 0, false
	}
	if d.loseNext > 0 {
		d.loseNext--
		return machine.Never, true
	}
	return now + d.latency, true
}

func (d *device) Begin(machine.Time, *channel.ORB) arch.UnitStatus { return 0 }

func (d *device) Command(op *channel.Operation) arch.UnitStatus {
	var p [1]byte
	op.Data.Any()
	op.Data.Read(p[:])
	d.sent = append(d.sent, string(p[:]))
	end := arch.ChannelEnd | arch.DeviceEnd
	switch {
	case d.fails > 0:
		d.fails--
		return end | arch.UnitCheck
	case d.exact:
		return end | arch.UnitException
	}
	return end
}

func (d *device) Elapsed() machine.Time { return 0 }

func (d *device) End(now machine.Time, e channel.Ending) (machine.Time, bool) {
	switch {
	case d.putOff:
		d.endings = append(d.endings, e)
		return 0, true
	case d.loseEnd > 0:
		d.loseEnd--
		return machine.Never, false
	}
	return now + d.latency + d.extra, false
}

func (d *device) Sense() []byte {
	if d.check == nil {
		return make([]byte, 32)
	}
	return d.check
}

func (d *device) Reset(bool) {}

// rig is a machine with a supervisor.
type rig struct {
	t    testing.TB
	m    *machine.Machine
	s    *ios.Supervisor
	next machine.Address
	log  []string
}

func newRig(t testing.TB, processors int) *rig {
	t.Helper()
	m, err := machine.New(processors)
	require.NoError(t, err)
	g := &rig{t: t, m: m}
	g.s = ios.New(m, channel.New(m))
	return g
}

func (g *rig) unit(number uint16, base *ios.UCB) (*ios.UCB, *device) {
	g.t.Helper()
	d := &device{latency: 50 * machine.Microsecond}
	u, err := g.s.AddUnit(number, d, base)
	require.NoError(g.t, err)
	return u, d
}

// request is a requester with one channel program: one write of one byte, its
// name.
type request struct {
	ios.IOSB
	g        *rig
	name     string
	done     int
	released int
	at       machine.Time
	then     func(p *machine.Processor)
}

func (g *rig) request(name string, u *ios.UCB) *request {
	g.t.Helper()
	seg, err := g.m.Storage.MapBytes(g.next, machine.FrameSize)
	require.NoError(g.t, err)
	g.next += machine.FrameSize
	r := &request{g: g, name: name}
	seg.Bytes()[64] = name[0]
	channel.PutCCW1(seg.Bytes(), channel.CCW{Command: 0x01, Count: 1, Address: uint32(seg.Base) + 64})
	r.Exit = r
	r.UCB = u
	r.ChannelProgram = seg.Base
	return r
}

func (r *request) Done(p *machine.Processor, b *ios.IOSB) {
	r.done++
	r.at = p.Now()
	r.g.log = append(r.g.log, fmt.Sprintf("%s %02X", r.name, b.CompletionCode))
	if r.then != nil {
		r.then(p)
	}
}

func (r *request) Released(*ios.IOSB) {
	r.released++
	r.g.log = append(r.g.log, r.name+" released")
}

// task is a unit of work of a test.
type task struct {
	machine.SRB
	f func(p *machine.Processor)
}

func (k *task) Enter(p *machine.Processor, _ *machine.SRB) { k.f(p) }

func (g *rig) on(f func(p *machine.Processor)) {
	k := &task{f: f}
	k.Entry = k
	k.Priority = machine.PriorityTask
	g.m.Dispatcher.Schedule(g.m.Clock.Now(), &k.SRB)
}

// start has the requests started, in this order, by one unit of work.
func (g *rig) start(all ...*request) {
	g.on(func(p *machine.Processor) {
		for _, r := range all {
			r.Init(g.s)
			g.s.STARTIO(p, &r.IOSB)
		}
	})
}

func (g *rig) run() {
	for range 1_000_000 {
		if !g.m.Clock.Step() {
			return
		}
	}
	g.t.Fatal("does not come to rest")
}

// slot stands behind the first pointer.
type slot struct {
	g *rig
	f func(p *machine.Processor, q *ios.IOQ) (ios.ReturnCode, bool) // false: go on to DDTSIO
}

func (k *slot) DDTSIO(p *machine.Processor, q *ios.IOQ) ios.ReturnCode {
	if rc, ok := k.f(p, q); ok {
		return rc
	}
	return k.g.s.DDTSIO(p, q)
}

func (g *rig) hook(f func(p *machine.Processor, q *ios.IOQ) (ios.ReturnCode, bool)) {
	g.s.Slots.DDTSIO = &slot{g, f}
}
