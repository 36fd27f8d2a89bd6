package observer

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

const (
	maxVolumes  = abi.MaxMirrors + 1
	groupBlocks = media.GroupBlocks
)

// Volume holds the device and the base unit of a volume of a pair.
type Volume struct {
	Device *dasd.Device
	Unit   *ios.UCB
}

// Roles tells the declared roles of a pair's devices at this moment.
type Roles interface {
	// Primary returns the unit control block of the primary.
	Primary() *ios.UCB
	// Mirror returns the unit control block of mirror number i, from 0, and its state.
	Mirror(i int) (*ios.UCB, abi.MirrorState)
	// ConstantCopy reports whether the pair is in that mode.
	ConstantCopy() bool
}

// Claims are the figures that the observer judges.
type Claims interface {
	// Early returns the numbers of completions that came before enough mirrors had the
	// write: those that break the policy's promise, and those that it allows because
	// of constant copy.
	Early() (broken, allowed uint64)
	// Marked reports whether a track of a pair is marked for a mirror, both from 0.
	Marked(pair, mirror int, track uint32) bool
	// Risk returns the data at risk on a mirror, now and at most.
	Risk(pair, mirror int, now machine.Time) Figures
}

// Promise holds the declaration of the policy in force about completions.
type Promise struct {
	// Mirrors says that a write is complete when mirrors have it.
	Mirrors bool
	// Copies is the number of mirrors in sync that must have it; 0, or more than there
	// are, stands for all of them.
	Copies int
}

// Observer watches one machine. It belongs to the machine's goroutine.
type Observer struct {
	m         *machine.Machine
	channel   *channel.Subsystem
	claims    Claims
	promise   Promise
	pairs     []*pair
	devices   map[*dasd.Device]*volume
	units     map[*ios.UCB]*volume // base units
	functions []*function          // by the number of the subchannel
	executing *function            // function that executes at this moment
	starting  uint8                // driver of the request that is being started
	begun     map[uint32]begun     // requests that may write and have not ended
	writes    map[uint32]*write    // writes of which the application has not been told
	judged    []judgement          // since the last look
	counted   [2]uint64            // Claims.Early at the last look
	looked    bool                 // nothing has happened since the last complete comparison with the claims
	read      reader
	found     [properties][]string
	beyond    [properties]int // number of findings that were not kept
	told      int             // writes
	looks     int             // at quiet points

	blockDriver, copyDriver, mirrorDriver uint8
}

// begun holds data about a request that may write, from its first start on.
type begun struct {
	promise Promise
	leave   leave
	drive   uint32 // 1 plus the number of its starts on a primary
}

// firstDrive is begun.drive at the first start on a primary.
const firstDrive = 2

// leave says whether the completion of a request may come before the mirrors have
// it, because of constant copy.
type leave uint8

const (
	noLeave leave = iota
	unclear       // the mode was constant copy around its start, or it can suspend itself
	allowed
	// had says that mirrors have the write, but not by an I/O made for its last start:
	// by one of an earlier start, a copy, or a chain that may write something else.
	// The account need not know that.
	had
)

// pair holds the observations of a primary and its mirrors.
type pair struct {
	index   int
	roles   Roles
	volumes []*volume // as they were at the beginning, the primary first
	primary *volume   // now
	mirrors []*mirror
	history map[spot][]version
	early   map[spot][]arrival
	open    []*write // told, and at risk on some mirror
	closed  int      // number of writes in open that are no longer at risk
	touched map[int]bool
	fresh   bool // something has happened since the last quiet look
}

// mirror is the place of a mirror in a pair; a promotion changes its volume.
type mirror struct {
	index    int
	volume   *volume // now
	state    abi.MirrorState
	differs  map[int]bool // tracks
	suspects []int        // of these, the tracks to be checked
	lower    tally        // data at risk according to the media
	upper    tally        // data at risk according to the I/Os made for each write
	pending  []*write     // copied, but perhaps not known to the host as copied
}

// volume is a device of a pair.
type volume struct {
	index  uint8
	pair   *pair
	device *dasd.Device
	unit   *ios.UCB
	active int // start functions under way, those suspended included
}

// function is the present or last start function of a subchannel.
type function struct {
	sch       *channel.Subchannel
	volume    *volume // whose medium it has changed, or nil
	id        uint32
	driver    uint8
	drive     uint32 // begun.drive at the start of a mirror I/O; 0 when the application was told before
	active    bool
	suspended bool
	written   int
	ranges    []span // ranges changed by the run under way
	fresh     int    // number of changes before the run under way
	changes   []change
	index     map[spot]int // in changes
}

type span struct {
	device             *dasd.Device
	track, first, last int
}

// change is a spot that a channel program has changed, and its content then.
type change struct {
	spot   spot
	digest digest
}

// New makes an observer and connects it to the machine, its channel subsystem and
// its I/O supervisor.
func New(m *machine.Machine, c *channel.Subsystem, s *ios.Supervisor, claims Claims) *Observer {
	o := &Observer{
		m: m, channel: c, claims: claims,
		devices: make(map[*dasd.Device]*volume), units: make(map[*ios.UCB]*volume),
		begun: make(map[uint32]begun), writes: make(map[uint32]*write),
		blockDriver: ios.DriverBlock, copyDriver: ios.DriverProcess, mirrorDriver: ios.DriverMirror,
	}
	c.Observe(o)
	s.Observe(o)
	return o
}

// Watch adds a pair, whose first volume is its primary. equal says that all volumes
// have the same content now; otherwise every track counts as different until it has
// been written.
func (o *Observer) Watch(roles Roles, volumes []Volume, equal bool) error {
	if len(volumes) < 1 || len(volumes) > maxVolumes {
		return fmt.Errorf("observer: pair of %d volumes: want 1 to %d", len(volumes), maxVolumes)
	}
	p := &pair{index: len(o.pairs), roles: roles, history: make(map[spot][]version), early: make(map[spot][]arrival), touched: make(map[int]bool)}
	for i, v := range volumes {
		n := &volume{index: uint8(i), pair: p, device: v.Device, unit: v.Unit}
		p.volumes = append(p.volumes, n)
		o.devices[v.Device], o.units[v.Unit] = n, n
		v.Device.Observe(o)
		if i == 0 {
			p.primary = n
			continue
		}
		_, state := roles.Mirror(i - 1)
		k := &mirror{index: i - 1, volume: n, state: state, differs: make(map[int]bool)}
		if !equal {
			for t := range v.Device.Geometry().Tracks() {
				if !same(volumes[0].Device, v.Device, t) {
					k.differs[t] = true
				}
			}
		}
		p.mirrors = append(p.mirrors, k)
	}
	o.pairs = append(o.pairs, p)
	return nil
}

// Promise sets the promise for requests that begin from now on.
func (o *Observer) Promise(p Promise) { o.promise = p }

func application(driver uint8) bool { return driver < ios.DriverMirror }

func base(u *ios.UCB) *ios.UCB {
	if u.Base != nil {
		return u.Base
	}
	return u
}

// Starting is called by the I/O supervisor in front of the start of a request.
func (o *Observer) Starting(_ *machine.Processor, b *ios.IOSB) {
	o.starting, o.looked = b.DriverID, false
	v := o.units[base(b.UCB)]
	if !b.Writes || !application(b.DriverID) || v == nil {
		return
	}
	n, ok := o.begun[uint32(b.ID)]
	if !ok {
		n.promise, n.drive = o.promise, firstDrive-1
	}
	if v.pair.roles.ConstantCopy() {
		n.leave = max(n.leave, unclear)
	}
	o.begun[uint32(b.ID)] = n
}

// Started is called by the channel subsystem when it accepts a start function.
func (o *Observer) Started(sch *channel.Subchannel, orb *channel.ORB) {
	o.looked = false
	f := o.function(sch)
	f.finish()
	f.id, f.driver, f.written = orb.InterruptionParameter, o.starting, 0
	u, _ := sch.Owner.(*ios.UCB)
	if u == nil {
		return
	}
	if f.volume = o.units[base(u)]; f.volume == nil {
		return
	}
	o.roles(f.volume.pair)
	f.active = true
	f.volume.active++
	f.volume.pair.fresh = true
	b := o.begun[f.id]
	if application(f.driver) && f.volume == f.volume.pair.primary && b.drive != 0 {
		if orb.Control&channel.ORBSuspend != 0 || f.volume.pair.roles.ConstantCopy() {
			b.leave = max(b.leave, unclear)
		}
		if b.drive++; b.drive > firstDrive {
			o.redriven(f.id, b.drive)
		}
		o.begun[f.id] = b
	}
	f.drive = b.drive
}

func (o *Observer) function(sch *channel.Subchannel) *function {
	n := int(sch.ID() - channel.FirstID)
	for len(o.functions) <= n {
		o.functions = append(o.functions, nil)
	}
	if o.functions[n] == nil {
		o.functions[n] = &function{sch: sch, index: make(map[spot]int)}
	}
	return o.functions[n]
}

// finish ends the function, well or not.
func (f *function) finish() {
	if f.active {
		f.volume.active--
		f.volume.pair.fresh = true
	}
	f.active, f.suspended = false, false
	f.forget()
}

func (f *function) forget() {
	f.changes = f.changes[:0]
	clear(f.index)
}

// Executing is called by the channel subsystem before it executes CCWs of a program.
func (o *Observer) Executing(sch *channel.Subchannel) {
	o.looked = false
	f := o.function(sch)
	f.suspended = false
	f.ranges, f.fresh = f.ranges[:0], len(f.changes)
	o.executing = f
}

// Changed is called by a device when a command has changed records of a track.
func (o *Observer) Changed(d *dasd.Device, track, first, last int) {
	if f := o.executing; f != nil {
		f.ranges = append(f.ranges, span{d, track, first, last})
	}
}

// Moved is called by a device with the number of bytes that a write command has
// moved.
func (o *Observer) Moved(_ *dasd.Device, bytes int) {
	if f := o.executing; f != nil {
		f.written += bytes
	}
}

// Executed is called by the channel subsystem after a run of a program's CCWs.
func (o *Observer) Executed(_ *channel.Subchannel, interrupts bool) {
	f := o.executing
	o.executing = nil
	if interrupts && application(f.driver) {
		if b, ok := o.begun[f.id]; ok {
			b.leave = allowed
			o.begun[f.id] = b
		}
	}
	if len(f.ranges) == 0 || f.volume == nil {
		return
	}
	p := f.volume.pair
	o.roles(p)
	for _, r := range f.ranges {
		if r.device != f.volume.device {
			continue
		}
		last := r.last
		if last == dasd.WholeTrack {
			last = p.lastRecord(f.volume, r.track)
			o.change(f, at(r.track, dasd.WholeTrack))
		}
		for n := r.first; n <= last; n++ {
			o.change(f, at(r.track, n))
		}
	}
	if f.volume == p.primary && application(f.driver) {
		o.executed(f)
	}
	for _, r := range f.ranges {
		p.judge(f.volume, r.track)
	}
}

// lastRecord returns the number of the last record of a track that exists on a
// volume, or that a write has made there.
func (p *pair) lastRecord(v *volume, track int) int {
	t, err := v.device.CKD().Track(track)
	if err != nil {
		return 0
	}
	n := records(t)
	for k := n + 1; k < maxRecords; k++ {
		if len(p.history[at(track, k)]) != 0 {
			n = k
		}
	}
	return n
}

// maxRecords is a number larger than that of the records that a track can have.
const maxRecords = 256

// change notes the content that the program has left at a spot.
func (o *Observer) change(f *function, s spot) {
	d := o.read.digest(f.volume.device, s)
	if k, ok := f.index[s]; ok {
		f.changes[k].digest = d
		if k < f.fresh { // it was changed by an earlier run of the same program
			f.changes = append(f.changes, f.changes[k])
			f.index[s] = len(f.changes) - 1
		}
		return
	}
	f.index[s] = len(f.changes)
	f.changes = append(f.changes, change{s, d})
}

// Taken is called by the channel subsystem when status is taken from a subchannel.
func (o *Observer) Taken(sch *channel.Subchannel, irb *channel.IRB) {
	o.looked = false
	f := o.function(sch)
	if !f.active {
		return
	}
	f.volume.pair.fresh = true
	const final = arch.StatusPrimary | arch.StatusSecond | arch.StatusAlert
	w := &irb.SCSW
	switch {
	case w.Control&(arch.FunctionClear|arch.FunctionHalt) != 0:
		f.finish()
	case w.Control&final == 0:
		if w.Control&arch.Suspended != 0 {
			o.ended(f)
			f.forget()
			f.suspended = true
		}
	default:
		if irb.OK() {
			o.ended(f)
		}
		f.finish()
	}
}

// roles follows changes of the declared roles of a pair.
func (o *Observer) roles(p *pair) {
	if p.primary.unit != p.roles.Primary() {
		o.promoted(p)
	}
	for _, m := range p.mirrors {
		_, state := p.roles.Mirror(m.index)
		if state == m.state {
			continue
		}
		if m.state == abi.MirrorSynchronising && state == abi.MirrorInSync {
			o.brought(p, m)
		}
		m.state, p.fresh = state, true
	}
}

// promoted notes that the volumes of a pair have changed places.
func (o *Observer) promoted(p *pair) {
	p.fresh = true
	p.primary = o.units[p.roles.Primary()]
	for _, m := range p.mirrors {
		u, _ := p.roles.Mirror(m.index)
		if v := o.units[u]; v != m.volume {
			m.volume = v
			o.safe(p, m) // it was the primary: it has every write that an application was told of
		}
	}
	for _, m := range p.mirrors {
		clear(m.differs)
		m.suspects = m.suspects[:0]
	}
	for t := range p.touched {
		for _, m := range p.mirrors {
			p.compare(m, t)
		}
	}
}

func (o *Observer) now() string { return fmt.Sprintf("at %v", o.m.Now()) }

// name returns a mirror's name in messages.
func (p *pair) name(m *mirror) string {
	return fmt.Sprintf("pair %d, mirror %d", p.index+1, m.index+1)
}

// Look compares the observations with the claims. It is called between events; at a
// quiet point, when nothing is under way and no unit of work waits, it makes more
// checks.
func (o *Observer) Look() {
	if o.looked {
		return
	}
	for _, p := range o.pairs {
		o.roles(p)
	}
	o.judgements()
	if !o.m.Dispatcher.Idle() || o.m.Clock.Next() <= o.m.Clock.Now() {
		return
	}
	o.looked = true
	for _, p := range o.pairs {
		o.known(p)
		if p.fresh && o.quiet(p) {
			p.fresh = false
			o.looks++
			o.marked(p, false)
			o.atRisk(p)
		}
	}
}

// quiet reports whether no I/O is under way to a volume of the pair.
func (o *Observer) quiet(p *pair) bool {
	for _, v := range p.volumes {
		if v.unit.Length() != o.standing(v) {
			return false
		}
	}
	return true
}

// standing returns the number of standing chains of a volume: mirror I/Os that are
// suspended and not being resumed.
func (o *Observer) standing(v *volume) int {
	if v.active == 0 {
		return 0
	}
	n := 0
	for _, f := range o.functions {
		if f == nil || !f.active || !f.suspended || f.driver != o.mirrorDriver || f.volume != v {
			continue
		}
		var s channel.SCHIB
		if o.channel.StoreSubchannel(f.sch, &s) == 0 && s.SCSW.Control&(arch.Suspended|arch.ResumePending) == arch.Suspended {
			n++
		}
	}
	return n
}
