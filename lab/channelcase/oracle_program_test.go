package channelcase

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// The program that runs cases on another machine: a core image of S/390
// instructions that goes through the operations of many cases and keeps what
// they bring about. A case has a block of code of its own, whose base is
// register 12; register 11 is at its results, register 13 at its end, where a
// program interruption goes too.

// Where things are in the core image. Cases have the storage from caseLow to
// caseHigh, which is cleared before each.
const (
	oracleStart = 0x2000 // the first instruction
	caseLow     = 0x8000
	caseHigh    = 0x80000
	poolLow     = 0x80000 // code, and what cases put into storage
	poolHigh    = 0x200000
	resultLow   = 0x200000
	resultHigh  = 0x3F0000
	oracleCore  = 0x400000

	// patience is how many TEST SUBCHANNELs wait for a status, each a fraction
	// of a microsecond: a program that is suspended, or was never started, takes
	// them all.
	patience = 300_000
	// spinsPerMicrosecond is how many branches spin takes for a microsecond: it
	// is long enough for what it waits for, no more is asked of it.
	spinsPerMicrosecond = 300
)

// The instructions, in the formats S, RX, RS and SI.
const (
	opCSCH, opHSCH, opMSCH, opSSCH, opSTSCH = 0xB230, 0xB231, 0xB232, 0xB233, 0xB234
	opTSCH, opTPI, opRSCH, opXSCH           = 0xB235, 0xB236, 0xB238, 0xB276
	opSAL, opSSKE, opIPM                    = 0xB237, 0xB22B, 0xB222
	opL, opST, opSTC, opBC, opBCT           = 0x58, 0x50, 0x42, 0x47, 0x46
	opTM, opMVI, opOI, opNI                 = 0x91, 0x92, 0x96, 0x94
)

// reference is a place in the code whose last twelve bits become the
// displacement, from register 12, of a literal or a label.
type reference struct {
	at, target int
	label      bool
}

// oracleBlock is the code of one case.
type oracleBlock struct {
	code       []byte
	literals   []byte
	labels     []int
	references []reference
}

func (b *oracleBlock) emit(p ...byte) { b.code = append(b.code, p...) }

// literal adds aligned bytes to the block's literals.
func (b *oracleBlock) literal(p []byte) int {
	for len(b.literals)%8 != 0 {
		b.literals = append(b.literals, 0)
	}
	b.literals = append(b.literals, p...)
	return len(b.literals) - len(p)
}

func (b *oracleBlock) word(w uint32) int { return b.literal(binary.BigEndian.AppendUint32(nil, w)) }

func (b *oracleBlock) refer(target int, label bool) {
	b.references = append(b.references, reference{len(b.code), target, label})
	b.emit(0xC0, 0x00)
}

func (b *oracleBlock) label() int {
	b.labels = append(b.labels, -1)
	return len(b.labels) - 1
}

func (b *oracleBlock) here(l int) { b.labels[l] = len(b.code) }

// load loads a register with a word.
func (b *oracleBlock) load(register byte, w uint32) {
	b.emit(opL, register<<4)
	b.refer(b.word(w), false)
}

// result is the second operand at an offset of the case's results.
func (b *oracleBlock) result(offset int) { b.emit(0xB0|byte(offset>>8), byte(offset)) }

func (b *oracleBlock) immediate(op byte, offset int, value byte) {
	b.emit(op, value)
	b.result(offset)
}

func (b *oracleBlock) instruction(op uint16) { b.emit(byte(op>>8), byte(op)) }

func (b *oracleBlock) branch(mask byte, label int) {
	b.emit(opBC, mask<<4)
	b.refer(label, true)
}

// move copies storage, or clears it where from is 0.
func (b *oracleBlock) move(to, from uint32, n int) {
	b.load(2, to)
	b.load(3, uint32(n))
	b.load(4, from)
	if from == 0 {
		b.load(5, 0)
	} else {
		b.load(5, uint32(n))
	}
	b.emit(0x0E, 0x24) // MVCL 2,4
}

// keepCC stores the condition code.
func (b *oracleBlock) keepCC(offset int) {
	b.instruction(opIPM)
	b.emit(0x00, 0x00)
	b.emit(0x88, 0x00, 0x00, 28) // SRL 0,28
	b.emit(opSTC, 0x00)
	b.result(offset)
}

// finish resolves the references. The block begins with BASR 12,0.
func (b *oracleBlock) finish() ([]byte, error) {
	for len(b.code)%8 != 0 {
		b.emit(0x07, 0x00)
	}
	for _, r := range b.references {
		at := len(b.code) + r.target
		if r.label {
			at = b.labels[r.target]
		}
		at -= 2
		if at < 0 || at > 0xFFF {
			return nil, fmt.Errorf("case of %d bytes of code", len(b.code)+len(b.literals))
		}
		b.code[r.at] = 0xC0 | byte(at>>8)
		b.code[r.at+1] = byte(at)
	}
	return append(b.code, b.literals...), nil
}

// The results of a case: its interruption and progress, then a slot for each
// operation, then the storage to show.
const (
	resultProgress  = 0 // the operation that is run, from 1
	resultEnd       = 1 // set at the case's end
	resultSensed    = 2 // set when the sense operation issued a sense command
	resultProgram   = 4 // of a program interruption: its length and code
	resultSense     = 16
	resultInterrupt = 48
	resultScratch   = 64 // an IRB that is not shown
	resultModified  = 160
	resultFirst     = 168
	resultSlot      = 8 + 96 // condition code, then IRB or SCHIB
	resultIRB       = 8
	resultSCHIB     = 56 // room of the SCHIB that instructions use
)

// Addresses and words of the architecture, and of the supervisor.
const (
	restartPSW       = 0x00
	programNewPSW    = 0x68
	restartPSWOfZ    = 0x1A0
	programNewPSWOfZ = 0x1D0
	programCode      = 0x8C
	interruptionCode = 0xB8
	basicPSW         = 0x00080000
	addressing31     = 0x80000000
	disabledWait     = 0x000A0000
	doneAddress      = 0x00000EAD
	supervisorBase   = 0xD00
	programHandler   = 0xE00
	blockTable       = 0x3000
	maxBlocks        = (caseLow - blockTable) / 4
)

// oracleImage builds the core image.
type oracleImage struct {
	core    []byte
	next    uint32 // free, of the pool
	results uint32 // free results
	cases   []oracleCase
	blocks  []uint32
}

// oracleCase is a case in the image.
type oracleCase struct {
	c          *Case
	results    uint32
	subchannel uint32
	dumps      []uint32 // where the areas are copied to
}

// oracleRunnable reports whether a case can be run in the image.
func oracleRunnable(c *Case) bool {
	for _, m := range c.memory {
		if m.at < caseLow || int(m.at)+len(m.bytes) > caseHigh {
			return false
		}
	}
	return len(c.steps) <= 30
}

func (o *oracleImage) put(p []byte) (uint32, error) {
	at := (o.next + 7) &^ 7
	if int(at)+len(p) > poolHigh {
		return 0, fmt.Errorf("core image is full")
	}
	copy(o.core[at:], p)
	o.next = at + uint32(len(p))
	return at, nil
}

// newOracleImage builds the image for the cases, in order. Cases of volumes of
// blocks are for the second subchannel.
func newOracleImage(cases []*Case, z bool, second func(*Case) bool) (*oracleImage, error) {
	o := &oracleImage{core: make([]byte, oracleCore), next: poolLow, results: resultLow}
	for _, c := range cases {
		k := oracleCase{c: c, results: o.results, subchannel: channel.FirstID}
		if second(c) {
			k.subchannel++
		}
		at := o.results + resultFirst + uint32(len(c.steps)*resultSlot) + resultSCHIB
		for _, a := range c.areas {
			k.dumps = append(k.dumps, at)
			at = (at + uint32(a.size) + 7) &^ 7
		}
		o.results = (at + 7) &^ 7
		if o.results > resultHigh {
			return nil, fmt.Errorf("case %s: no room for the results", c.ID)
		}
		o.cases = append(o.cases, k)
		if err := o.block(&o.cases[len(o.cases)-1]); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.ID, err)
		}
	}
	if len(o.blocks) >= maxBlocks {
		return nil, fmt.Errorf("%d cases in an image", len(o.blocks))
	}
	return o, o.supervisor(z)
}

// supervisor is the code that calls the blocks one after another and ends in a
// disabled wait, and the PSWs.
func (o *oracleImage) supervisor(z bool) error {
	be := binary.BigEndian
	words := func(at int, w ...uint32) {
		for i, v := range w {
			be.PutUint32(o.core[at+4*i:], v)
		}
	}
	words(blockTable, append(slices.Clone(o.blocks), 0)...)
	words(supervisorBase, oracleStart+2)
	b := new(oracleBlock)
	b.emit(0x0D, 0xC0) // BASR 12,0
	b.emit(0xB7, 0x66) // LCTL 6,6
	b.refer(b.word(0xFF000000), false)
	b.load(9, blockTable)
	if z { // SIGP: set architecture; LA 1,1 and SR 3,3 before it
		b.emit(0x41, 0x10, 0x00, 0x01, 0x1B, 0x33, 0xAE, 0x03, 0x00, 0x12)
	}
	loop, end := b.label(), b.label()
	b.here(loop)
	b.emit(0x58, 0xF0, 0x90, 0x00, 0x12, 0xFF) // L 15,0(9); LTR 15,15
	b.branch(8, end)
	b.emit(0x41, 0x90, 0x90, 0x04, 0x0D, 0xEF)                             // LA 9,4(9); BASR 14,15
	b.emit(0x58, 0xC0, byte(supervisorBase>>8), byte(supervisorBase&0xFF)) // L 12
	b.branch(15, loop)
	b.here(end)
	b.emit(0x82, 0x00) // LPSW
	b.refer(b.literal(be.AppendUint64(nil, disabledWait<<32|addressing31|doneAddress)), false)
	code, err := b.finish()
	copy(o.core[oracleStart:], code)
	// A program interruption: the code to the results, and to the case's end.
	words(programHandler, 0xD203B000|resultProgram, programCode<<16|0x07FD) // MVC; BR 13
	words(restartPSW, basicPSW, addressing31|oracleStart)
	words(programNewPSW, basicPSW, addressing31|programHandler)
	words(restartPSWOfZ, 0, addressing31, 0, oracleStart)
	words(programNewPSWOfZ, 0, addressing31, 0, programHandler)
	return err
}

// block writes the code of a case.
func (o *oracleImage) block(k *oracleCase) error {
	c := k.c
	b := new(oracleBlock)
	b.emit(0x0D, 0xC0, 0x18, 0xAE) // BASR 12,0; LR 10,14
	b.load(11, k.results)
	end := b.label()
	b.emit(0x41, 0xD0) // LA 13,end
	b.refer(end, true)
	b.move(caseLow, 0, caseHigh-caseLow)
	for _, m := range c.memory {
		if len(m.bytes) == 0 {
			continue
		}
		at, err := o.put(m.bytes)
		if err != nil {
			return err
		}
		b.move(uint32(m.at), at, len(m.bytes))
	}
	b.load(1, k.subchannel)
	schib := resultFirst + len(c.steps)*resultSlot
	o.modify(b, c, schib, true)
	b.keepCC(resultModified)
	irb := resultScratch
	var keys []uint32
	for i := range c.steps {
		s := &c.steps[i]
		at := resultFirst + i*resultSlot
		b.immediate(opMVI, resultProgress, byte(i+1))
		plain := func(op uint16) {
			b.instruction(op)
			b.emit(0, 0)
			b.keepCC(at)
		}
		switch s.operation.name {
		case "ssch", "ssch2":
			program := c.program
			if s.operation.name == "ssch2" {
				program = uint32(s.number)
			}
			b.instruction(opSSCH)
			b.refer(b.orb(interruptionParameter, c.control, program), false)
			b.keepCC(at)
		case "wait":
			irb = at + resultIRB
			b.wait(irb)
			b.keepCC(at)
		case "tsch":
			irb = at + resultIRB
			b.instruction(opTSCH)
			b.result(irb)
			b.keepCC(at)
		case "sense":
			skip := b.label()
			b.immediate(opTM, irb+8, byte(arch.UnitCheck))
			b.branch(8, skip)
			b.immediate(opMVI, resultSensed, 1)
			var ccw [8]byte
			channel.PutCCW1(ccw[:], channel.CCW{Command: arch.CommandBasicSense, Flags: arch.FlagSLI, Count: 32, Address: k.results + resultSense})
			program, err := o.put(ccw[:])
			if err != nil {
				return err
			}
			b.instruction(opSSCH)
			b.refer(b.orb(0, channel.ORBDefaultControl, program), false)
			b.wait(resultScratch)
			b.here(skip)
		case "rsch":
			plain(opRSCH)
		case "hsch":
			plain(opHSCH)
		case "csch":
			plain(opCSCH)
		case "xsch":
			plain(opXSCH)
		case "stsch":
			b.instruction(opSTSCH)
			b.result(schib)
			b.keepCC(at)
			b.emit(0xD2, channel.SCHIBSize-1) // MVC
			b.result(at + resultIRB)
			b.result(schib)
		case "msch", "disable":
			o.modify(b, c, schib, s.operation.name == "msch")
			b.keepCC(at)
		case "tpi":
			plain(opTPI)
			b.emit(0xD2, 11) // MVC
			b.result(resultInterrupt)
			b.emit(0, interruptionCode)
		case "poke":
			from, err := o.put(s.bytes)
			if err != nil {
				return err
			}
			b.move(uint32(s.at), from, len(s.bytes))
		case "sske":
			b.load(2, uint32(s.at))
			b.load(3, uint32(s.bytes[0]))
			b.instruction(opSSKE)
			b.emit(0x00, 0x32)
			keys = append(keys, uint32(s.at))
		case "spin":
			b.load(7, uint32(s.number)*spinsPerMicrosecond)
			again := b.label()
			b.here(again)
			b.emit(opBCT, 0x70)
			b.refer(again, true)
		case "subch":
			b.load(1, channel.FirstID+uint32(s.number))
		default:
			return fmt.Errorf("operation %s", s.operation.name)
		}
	}
	b.immediate(opMVI, resultEnd, 1)
	b.here(end)
	for _, at := range keys {
		b.load(2, at)
		b.load(3, 0)
		b.instruction(opSSKE)
		b.emit(0x00, 0x32)
	}
	// The next case finds an idle subchannel.
	b.load(1, k.subchannel)
	scratch := schib
	b.instruction(opSTSCH)
	b.result(scratch)
	b.immediate(opOI, scratch+5, channel.PMCWEnabled)
	b.instruction(opMSCH)
	b.result(scratch)
	b.instruction(opCSCH)
	b.emit(0, 0)
	b.load(7, 10*patience)
	again, idle := b.label(), b.label()
	b.here(again)
	b.instruction(opTSCH)
	b.result(resultScratch)
	b.instruction(opMSCH)
	b.result(scratch)
	b.branch(9, idle)
	b.emit(opBCT, 0x70)
	b.refer(again, true)
	b.here(idle)
	for i, a := range c.areas {
		b.move(k.dumps[i], uint32(a.at), a.size)
	}
	b.emit(0x07, 0xFA) // BR 10
	code, err := b.finish()
	if err != nil {
		return err
	}
	at, err := o.put(code)
	o.blocks = append(o.blocks, at)
	return err
}

// orb is a literal.
func (b *oracleBlock) orb(parameter, control, program uint32) int {
	var p [channel.ORBExtendedSize]byte
	o := channel.ORB{InterruptionParameter: parameter, Control: control, ChannelProgram: program}
	o.Put(p[:])
	return b.literal(p[:])
}

// wait is TEST SUBCHANNEL until it finds a status.
func (b *oracleBlock) wait(irb int) { b.waitFor(irb, patience) }

func (b *oracleBlock) waitFor(irb int, tests uint32) {
	again, done := b.label(), b.label()
	b.load(7, tests)
	b.here(again)
	b.instruction(opTSCH)
	b.result(irb)
	b.branch(11, done)
	b.emit(opBCT, 0x70)
	b.refer(again, true)
	b.here(done)
}

// modify is STORE and MODIFY SUBCHANNEL, as rig.modify. Where there is no such
// subchannel the condition code is the first one's.
func (o *oracleImage) modify(b *oracleBlock, c *Case, schib int, enable bool) {
	done := b.label()
	b.instruction(opSTSCH)
	b.result(schib)
	b.branch(1, done)
	if enable {
		b.immediate(opOI, schib+5, channel.PMCWEnabled)
	} else {
		b.immediate(opNI, schib+5, 0xFF&^channel.PMCWEnabled)
	}
	if c.CSense {
		b.immediate(opOI, schib+27, channel.PMCWConcurrentSense)
	} else {
		b.immediate(opNI, schib+27, 0xFF&^channel.PMCWConcurrentSense)
	}
	b.emit(0xD7, 3) // XC: interruption parameter
	b.result(schib)
	b.result(schib)
	b.instruction(opMSCH)
	b.result(schib)
	b.here(done)
}

// recorded is how an operation names itself in Outcome.CC.
var recorded = map[string]string{"wait": "tsch", "tsch": "tsch1", "disable": "msch-off"}

// outcome reads the results of a case out of a core image after the run.
func (k *oracleCase) outcome(core []byte) (Outcome, error) {
	c := k.c
	r := core[k.results:]
	var out Outcome
	out.CC = append(out.CC, fmt.Sprintf("msch=%d", r[resultModified]))
	program := binary.BigEndian.Uint16(r[resultProgram+2:])
	if r[resultEnd] == 0 && program == 0 {
		return out, fmt.Errorf("case %s: not ended, at operation %d", c.ID, r[resultProgress])
	}
	for i := range c.steps {
		name := c.steps[i].operation.name
		p := r[resultFirst+i*resultSlot:]
		if program != 0 && int(r[resultProgress]) == i+1 {
			what := "operand exception"
			if program != 0x15 {
				what = fmt.Sprintf("program interruption %04X", program)
			}
			out.CC = append(out.CC, name+"="+what)
			break
		}
		said := name
		if n := recorded[name]; n != "" {
			said = n
		}
		switch name {
		case "sense":
			if r[resultSensed] != 0 {
				out.Sense = hex.EncodeToString(r[resultSense : resultSense+32])
			}
			continue
		case "poke", "sske", "subch", "spin":
			continue
		case "wait", "tsch":
			if p[0] != 3 {
				out.IRB = append(out.IRB, presentBytes(p[resultIRB:]))
			}
		case "stsch":
			if p[0] == 0 {
				out.SCHIB = hex.EncodeToString(p[resultIRB : resultIRB+channel.SCHIBSize])
			}
		case "tpi":
			if p[0] == 1 {
				out.Interruption = hex.EncodeToString(r[resultInterrupt : resultInterrupt+12])
			}
		}
		out.CC = append(out.CC, fmt.Sprintf("%s=%d", said, p[0]))
	}
	for i, a := range c.areas {
		if out.Dump == nil {
			out.Dump = make(map[string]string)
		}
		out.Dump[a.name] = hex.EncodeToString(core[k.dumps[i]:][:a.size])
	}
	return out, nil
}

// presentBytes is present for an IRB in storage.
func presentBytes(p []byte) IRB {
	irb := channel.IRB{SCSW: channel.SCSW{
		Flags:      binary.BigEndian.Uint16(p),
		Control:    binary.BigEndian.Uint16(p[2:]),
		CCWAddress: binary.BigEndian.Uint32(p[4:]),
		Unit:       arch.UnitStatus(p[8]),
		Channel:    arch.ChannelStatus(p[9]),
		Residual:   binary.BigEndian.Uint16(p[10:]),
	}}
	copy(irb.ESW[:], p[12:])
	copy(irb.ECW[:], slices.Clone(p[32:64]))
	return present(&irb)
}
