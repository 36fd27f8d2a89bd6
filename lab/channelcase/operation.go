package channelcase

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// step is an operation with its argument.
type step struct {
	operation *operation
	content          // for sske, the address and the key as one byte
	number    uint64 // argument of spin, subch and ssch2
}

// operation describes a word of Case.Ops.
type operation struct {
	name     string
	argument string // form of the argument after a colon, "" for none
	parse    func(s *step, argument string) error
	run      func(r *rig, s *step) error
	help     string
}

// operations is in the order in which Operations lists them.
var operations = []operation{
	{name: "ssch", run: (*rig).ssch, help: "start subchannel with the case's ORB"},
	{name: "ssch2", argument: "ADDR", parse: (*step).word, run: (*rig).sschAt, help: "start subchannel with another channel-program address"},
	{name: "wait", run: (*rig).wait, help: "test subchannel once it is status pending, or nothing is under way"},
	{name: "tsch", run: (*rig).tsch, help: "test subchannel at once"},
	{name: "sense", run: (*rig).sense, help: "after a unit check, a basic sense command in a program of its own"},
	{name: "rsch", run: (*rig).rsch, help: "resume subchannel"},
	{name: "hsch", run: (*rig).hsch, help: "halt subchannel"},
	{name: "csch", run: (*rig).csch, help: "clear subchannel"},
	{name: "xsch", run: (*rig).xsch, help: "cancel subchannel"},
	{name: "stsch", run: (*rig).stsch, help: "store subchannel"},
	{name: "msch", run: (*rig).msch, help: "modify subchannel: enable it"},
	{name: "disable", run: (*rig).disable, help: "modify subchannel: disable it"},
	{name: "tpi", run: (*rig).tpi, help: "test pending interruption, of all subclasses"},
	{name: "poke", argument: "ADDR=HEX", parse: (*step).poke, run: (*rig).poke, help: "put bytes into storage"},
	{name: "sske", argument: "ADDR=KEY", parse: (*step).key, run: (*rig).sske, help: "set a storage key, fetch protection included"},
	{name: "spin", argument: "N", parse: (*step).count, run: (*rig).spin, help: "let N microseconds of virtual time pass"},
	{name: "subch", argument: "N", parse: (*step).subchannel, run: (*rig).subchannel, help: "the instructions that follow name subchannel N; the device's is 0"},
}

// Operations returns the words that Case.Ops may have, each with its description.
func Operations() [][2]string {
	var list [][2]string
	for i := range operations {
		o := &operations[i]
		word := o.name
		if o.argument != "" {
			word += ":" + o.argument
		}
		list = append(list, [2]string{word, o.help})
	}
	return list
}

func parseStep(text string) (step, error) {
	name, argument, has := strings.Cut(text, ":")
	i := slices.IndexFunc(operations, func(o operation) bool { return o.name == name })
	if i < 0 {
		var known []string
		for k := range operations {
			known = append(known, operations[k].name)
		}
		return step{}, fmt.Errorf("operation %q: want one of %s", text, strings.Join(known, ", "))
	}
	s := step{operation: &operations[i]}
	if s.operation.parse == nil {
		if has {
			return s, fmt.Errorf("operation %q: takes no argument", text)
		}
		return s, nil
	}
	if err := s.operation.parse(&s, argument); err != nil {
		return s, fmt.Errorf("operation %q: want %s:%s: %w", text, name, s.operation.argument, err)
	}
	return s, nil
}

func (s *step) word(argument string) error {
	n, err := parseWord("address", argument)
	s.number = uint64(n)
	return err
}

// maxSpin is the longest spin: an hour.
const maxSpin = 3_600_000_000

func (s *step) count(argument string) (err error) {
	s.number, err = strconv.ParseUint(argument, 10, 64)
	if err == nil && s.number > maxSpin {
		err = fmt.Errorf("at most %d", maxSpin)
	}
	return err
}

func (s *step) subchannel(argument string) (err error) {
	s.number, err = strconv.ParseUint(argument, 10, 16)
	return err
}

func (s *step) poke(argument string) (err error) {
	at, text, _ := strings.Cut(argument, "=")
	s.content, err = parseContent(at, text)
	return err
}

func (s *step) key(argument string) error {
	if err := s.poke(argument); err != nil {
		return err
	}
	if len(s.bytes) != 1 {
		return fmt.Errorf("a storage key is one byte, not %d", len(s.bytes))
	}
	return nil
}

func (r *rig) said(name string, code channel.CC) error {
	r.out.CC = append(r.out.CC, fmt.Sprintf("%s=%d", name, code))
	return nil
}

func (r *rig) ssch(s *step) error { return r.start("ssch", r.c.program) }

func (r *rig) sschAt(s *step) error { return r.start("ssch2", uint32(s.number)) }

// start starts the program. An invalid ORB ends the case with a program
// interruption, as it would end a program.
func (r *rig) start(name string, program uint32) error {
	orb := channel.ORB{InterruptionParameter: interruptionParameter, Control: r.c.control, ChannelProgram: program}
	if err := orb.Check(); err != nil {
		r.out.CC = append(r.out.CC, name+"=operand exception")
		r.stopped = true
		return nil
	}
	return r.said(name, r.css.StartSubchannel(r.now(), r.target, &orb))
}

func (r *rig) rsch(*step) error { return r.said("rsch", r.css.ResumeSubchannel(r.now(), r.target)) }

func (r *rig) hsch(*step) error { return r.said("hsch", r.css.HaltSubchannel(r.now(), r.target)) }

func (r *rig) csch(*step) error { return r.said("csch", r.css.ClearSubchannel(r.now(), r.target)) }

func (r *rig) xsch(*step) error { return r.said("xsch", r.css.CancelSubchannel(r.now(), r.target)) }

func (r *rig) stsch(*step) error {
	var schib channel.SCHIB
	cc := r.css.StoreSubchannel(r.target, &schib)
	if cc == 0 {
		var p [channel.SCHIBSize]byte
		schib.Put(p[:])
		r.out.SCHIB = hex.EncodeToString(p[:])
	}
	return r.said("stsch", cc)
}

func (r *rig) msch(*step) error { return r.modify("msch", true) }

func (r *rig) disable(*step) error { return r.modify("msch-off", false) }

// modify executes MODIFY SUBCHANNEL with the block that STORE SUBCHANNEL gives, but
// with another enabled bit (E) and interruption parameter.
func (r *rig) modify(name string, enable bool) error {
	var schib channel.SCHIB
	if cc := r.css.StoreSubchannel(r.target, &schib); cc != 0 {
		return r.said(name, cc)
	}
	schib.PMCW.Flags &^= channel.PMCWEnabled
	if enable {
		schib.PMCW.Flags |= channel.PMCWEnabled
	}
	schib.PMCW.InterruptionParameter = 0
	if r.c.CSense {
		schib.PMCW.Control |= channel.PMCWConcurrentSense
	}
	return r.said(name, r.css.ModifySubchannel(r.target, &schib))
}

func (r *rig) tsch(*step) error {
	cc := r.css.TestSubchannel(r.target, &r.irb)
	if cc != 3 {
		r.out.IRB = append(r.out.IRB, present(&r.irb))
	}
	return r.said("tsch1", cc)
}

func (r *rig) wait(*step) error {
	cc, err := r.await(&r.irb)
	if err != nil {
		return err
	}
	if cc != 3 {
		r.out.IRB = append(r.out.IRB, present(&r.irb))
	}
	return r.said("tsch", cc)
}

// await lets events happen until the subchannel is status pending or no event is
// left.
func (r *rig) await(irb *channel.IRB) (channel.CC, error) {
	for range MaxEvents {
		if cc := r.css.TestSubchannel(r.target, irb); cc != 1 || !r.m.Clock.Step() {
			return cc, nil
		}
	}
	return 0, fmt.Errorf("the channel program has not ended after %d events: it does not seem to end", MaxEvents)
}

// sense runs a basic sense command as a program of its own, in storage that is
// put back afterwards.
func (r *rig) sense(*step) error {
	if r.irb.SCSW.Unit&arch.UnitCheck == 0 {
		return nil
	}
	const program, area, size = sensePlace, sensePlace + arch.CCWSize, arch.SenseSize
	p := r.storage.Bytes()[program : area+size]
	kept := slices.Clone(p)
	clear(p)
	channel.PutCCW1(p, channel.CCW{Command: arch.CommandBasicSense, Flags: arch.FlagSLI, Count: size, Address: area})
	orb := channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: program}
	var irb channel.IRB
	cc := r.css.StartSubchannel(r.now(), r.target, &orb)
	if cc == 0 {
		var err error
		if cc, err = r.await(&irb); err != nil {
			return err
		}
	}
	if cc != 0 || !irb.OK() {
		r.out.Sense = fmt.Sprintf("no sense: condition code %d, unit status %02X", cc, uint8(irb.SCSW.Unit))
	} else {
		r.out.Sense = hex.EncodeToString(p[arch.CCWSize:])
	}
	copy(p, kept)
	return nil
}

func (r *rig) tpi(*step) error {
	i, cc := r.css.TestPendingInterruption(0xFF)
	if cc == 1 {
		r.out.Interruption = fmt.Sprintf("%08x%08x%08x", i.ID, i.Parameter, i.Word)
	}
	return r.said("tpi", cc)
}

func (r *rig) poke(s *step) error {
	_, err := r.m.Storage.Store(s.at, s.bytes)
	return err
}

func (r *rig) sske(s *step) error {
	r.m.Storage.SetKey(s.at, s.bytes[0])
	return nil
}

// spin lets time pass, but at most MaxEvents events, in case a program does not end.
func (r *rig) spin(s *step) error {
	clock := &r.m.Clock
	until := clock.Now() + machine.Time(s.number)*machine.Microsecond
	for range MaxEvents {
		if clock.Next() > until {
			clock.RunUntil(until)
			break
		}
		clock.Step()
	}
	return nil
}

func (r *rig) subchannel(s *step) error {
	r.target = r.css.Subchannel(channel.FirstID + uint32(s.number))
	return nil
}
