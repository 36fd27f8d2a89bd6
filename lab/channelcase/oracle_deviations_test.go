package channelcase

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/emulator/channel"
)

// deviation is something in which Hercules 3.13 is not as the architecture
// says, or shows what the architecture leaves open. explains looks at what a
// case gave there and here, and makes theirs like ours where the deviation
// alone is between them.
type deviation struct {
	name, reason string
	explains     func(p *pair)
}

// pair is the two outcomes of a case.
type pair struct {
	c            *Case
	z            bool
	theirs, ours *Outcome
}

// status is an SCSW of an outcome.
type status struct {
	flags, control uint16
	address        uint32
	unit           channel.UnitStatus
	channel        channel.ChannelStatus
	residual       uint16
}

func parseStatus(irb *IRB) status {
	p, err := hex.DecodeString(irb.SCSW)
	if err != nil || len(p) != channel.SCSWSize {
		return status{}
	}
	half := func(at int) uint16 { return uint16(p[at])<<8 | uint16(p[at+1]) }
	return status{half(0), half(2), uint32(half(4))<<16 | uint32(half(6)), channel.UnitStatus(p[8]), channel.ChannelStatus(p[9]), half(10)}
}

func (s status) text() string {
	w := channel.SCSW{Flags: s.flags, Control: s.control, CCWAddress: s.address, Unit: s.unit, Channel: s.channel, Residual: s.residual}
	var p [channel.SCSWSize]byte
	w.Put(p[:])
	return hex.EncodeToString(p[:])
}

// irbs goes through the IRBs that both have, as long as change accepts them.
func (p *pair) irbs(change func(theirs *status, ours status)) {
	for i := range min(len(p.theirs.IRB), len(p.ours.IRB)) {
		t := parseStatus(&p.theirs.IRB[i])
		change(&t, parseStatus(&p.ours.IRB[i]))
		p.theirs.IRB[i].SCSW = t.text()
	}
}

// same makes everything theirs ours.
func (p *pair) same() { *p.theirs = *p.ours }

// ccw is the CCW at an address, as the case put it into storage.
func (p *pair) ccw(at uint32) channel.CCW {
	for _, m := range p.c.memory {
		if o := int(at) - int(m.at); o >= 0 && o+channel.CCWSize <= len(m.bytes) {
			if p.c.control&channel.ORBFormat1 != 0 {
				return channel.ParseCCW1(m.bytes[o:])
			}
			return channel.ParseCCW0(m.bytes[o:])
		}
	}
	return channel.CCW{}
}

// last is the first SCSW with primary status, of both, and the CCW that ours
// ended with.
func (p *pair) last() (theirs, ours status, w channel.CCW) {
	for i := range min(len(p.theirs.IRB), len(p.ours.IRB)) {
		theirs, ours = parseStatus(&p.theirs.IRB[i]), parseStatus(&p.ours.IRB[i])
		if ours.control&channel.StatusPrimary != 0 {
			return theirs, ours, p.ccw(ours.address - channel.CCWSize)
		}
	}
	return status{}, status{}, channel.CCW{}
}

func output(command byte) bool { return command&1 != 0 }

const checks = channel.ProgramCheck | channel.ProtectionCheck | channel.ChainingCheck

// deviations are in the order in which they are looked at.
var deviations = []deviation{
	{
		"a late clear", "a suspended function that the case before left is still being cleared when the subchannel is modified",
		func(p *pair) {
			if p.theirs.CC[0] == "msch=2" {
				p.theirs.CC[0], p.theirs.Interruption = p.ours.CC[0], p.ours.Interruption
			}
		},
	},
	{
		"address of an active program", "the CCW address, the status and the count mean nothing while there is no status pending",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if (t.control|o.control)&channel.StatusPending == 0 && t.control == o.control {
					*t = o
				}
			})
		},
	},
	{
		"S flag of an intermediate status", "a PCI's SCSW lacks the echo of the ORB's S there",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if t.control&channel.StatusIntermed != 0 {
					t.flags |= o.flags & channel.SCSWSuspend
				}
			})
		},
	},
	{
		"transfer in channel as first CCW", "a program check by the Principles of Operation; 3.13 executes it",
		func(p *pair) {
			w := p.ccw(p.c.program)
			if w.Command == channel.TIC || p.c.control&channel.ORBFormat1 == 0 && w.Command&0xF == channel.TIC {
				p.same()
			}
		},
	},
	{
		"bit 0 of a data address", "a program check whether data move or not; 3.13 looks where it needs the address",
		func(p *pair) {
			_, o, w := p.last()
			if w.Address >= 1<<31 && o.channel&channel.ProgramCheck != 0 {
				p.same()
			}
		},
	},
	{
		"length of an immediate command", "format 1 with a count, SLI and the ORB's L off is incorrect length; 3.13 looks at another bit of the ORB",
		func(p *pair) {
			t, o, w := p.last()
			if p.c.control&channel.ORBFormat1 != 0 && w.Command&3 == 3 && o.channel == channel.IncorrectLength && t.channel == 0 && o.residual == w.Count {
				p.same()
			}
		},
	},
	{
		"length of an immediate command otherwise", "none is wrong in format 0 or with L; 3.13 knows it of no-operation only",
		func(p *pair) {
			t, o, _ := p.last()
			if wrong := p.c.control&(channel.ORBFormat1|channel.ORBIncorrectLengthSuppress) == channel.ORBFormat1; wrong {
				return
			}
			if t.channel == channel.IncorrectLength && o.channel == 0 && output(p.ccw(t.address-channel.CCWSize).Command) {
				p.same()
			}
		},
	},
	{
		"long block of a write or control command", "the device would take more than the count: incorrect length; 3.13 never sets it for data that leave storage",
		func(p *pair) {
			t, o, w := p.last()
			if output(w.Command) && o.channel == channel.IncorrectLength && o.residual == 0 && t.channel == 0 {
				p.same()
			}
		},
	},
	{
		"status modifier at the end of a chain", "the CCW address is that of the last CCW used, plus 8: nothing was skipped",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if t.unit&o.unit&channel.StatusModifier != 0 && t.address == o.address+channel.CCWSize {
					t.address = o.address
					if w := p.ccw(o.address - channel.CCWSize); w.Count < 5 {
						t.channel = o.channel
					}
				}
			})
		},
	},
	{
		"count at unit check", "of a command that the device refused: 3.13 leaves all of it and sets incorrect length; model dependent",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if t.unit&o.unit&channel.UnitCheck != 0 {
					t.residual = o.residual
					t.channel = t.channel&^channel.IncorrectLength | o.channel&channel.IncorrectLength
				}
			})
		},
	},
	{
		"data chaining of other commands than reads", "3.13 lets the device refuse it, which cannot see it",
		func(p *pair) {
			t, _, _ := p.last()
			w := p.ccw(t.address - channel.CCWSize)
			if w.Flags&channel.FlagCD != 0 && w.Command&0x13 != 2 && t.unit&channel.UnitCheck != 0 && (p.theirs.Sense == "" || strings.HasPrefix(p.theirs.Sense, "8000000000")) {
				p.same()
			}
		},
	},
	{
		"data fetched ahead", "3.13 fetches all that the count of an output command says, and so finds what the device does not ask for",
		func(p *pair) {
			t, o, w := p.last()
			if output(w.Command) && t.channel&checks != 0 && o.channel&checks == 0 && t.unit == 0 {
				p.same()
			}
		},
	},
	{
		"status with a check of the channel's own", "unit status, incorrect length and count are open where the channel ends the transfer; what was stored before it too",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if t.channel&o.channel&checks != 0 && t.address == o.address {
					t.unit, t.residual = o.unit, o.residual
					t.channel &^= channel.IncorrectLength
					p.theirs.Dump, p.theirs.Sense = p.ours.Dump, p.ours.Sense
				}
			})
		},
	},
	{
		"reserved flags of a MIDAW", "must be zero; 3.13 does not look",
		func(p *pair) {
			if strings.Contains(p.c.ID, "midaw reserved flag") {
				p.same()
			}
		},
	},
	{
		"skip flag of a MIDAW", "the device's bytes are skipped; 3.13 gives them to the next MIDAW",
		func(p *pair) {
			if strings.Contains(p.c.ID, "midaw skip flag") {
				p.same()
			}
		},
	},
	{
		"MIDAWs in ESA/390", "the architecture does not have the ORB's D there: an operand exception; here both architectures are one",
		func(p *pair) {
			if !p.z && p.c.control&channel.ORBModifiedIDAW != 0 {
				p.same()
			}
		},
	},
	{
		"suspended functions", "3.13 starts and does not cancel them, ignores the ORB's U, and halts them late",
		func(p *pair) {
			if p.c.control&channel.ORBSuspend == 0 {
				return
			}
			for _, op := range p.c.Ops {
				if op == "xsch" || op == "hsch" || op == "ssch2" || p.c.control&channel.ORBSuppressSuspended != 0 {
					p.same()
					return
				}
			}
			if strings.Contains(p.c.ID, ": ssch") || strings.Contains(p.c.ID, ": msch") {
				p.same()
			}
		},
	},
	{
		"modify with intermediate status pending", "status pending comes before function in progress",
		func(p *pair) {
			if strings.HasSuffix(p.c.ID, "initial pending: msch") {
				p.same()
			}
		},
	},
	{
		"halt of an idle subchannel", "no status belongs to it; 3.13 leaves the earlier one, and can leave the halt pending",
		func(p *pair) {
			for i := range p.ours.IRB {
				if s := parseStatus(&p.ours.IRB[i]); s.control&0x7000 == channel.FunctionHalt {
					p.same()
					return
				}
			}
		},
	},
	{
		"words of the SCHIB that are open", "masks of last and operational paths, and the path identifiers, are a model's; its SCSW is compared by TEST SUBCHANNEL",
		func(p *pair) { p.theirs.SCHIB = p.ours.SCHIB },
	},
	{
		"identification", "the control unit there is a 3990, here a 2107",
		func(p *pair) {
			_, _, w := p.last()
			switch w.Command {
			case 0xE4, 0x64, 0xFA:
				p.same()
			case 0x44, 0x4B, 0x4E, 0x95, 0xB5, 0xB6, 0xE7: // commands that it does not have
				if strings.HasPrefix(p.theirs.Sense, "8000000000000001") {
					p.same()
				}
			}
		},
	},
	{
		"set path group identifier, set subsystem mode", "devices of their own: 3.13 takes any identifier, counts what comes first differently and has no subsystem modes",
		func(p *pair) {
			for i := range uint32(3) {
				if w := p.ccw(p.c.program + i*channel.CCWSize); w.Command == 0xAF || w.Command == 0x87 {
					p.same()
				}
			}
		},
	},
	{
		"search of nothing", "a search whose count is 0 compares nothing; 3.13 finds that equal",
		func(p *pair) {
			t, _, w := p.last()
			if t.unit&channel.StatusModifier != 0 && w.Count == 0 {
				p.same()
			}
		},
	},
	{
		"track capacity", "a record that does not fit is refused; 3.13 takes what its image has room for",
		func(p *pair) {
			if t, o, _ := p.last(); t.unit&channel.UnitCheck == 0 && strings.HasPrefix(p.ours.Sense, "0040") && t.address == o.address {
				p.same()
			}
		},
	},
	{
		"sense without unit check", "zeros; 3.13 shows where the arm is",
		func(p *pair) {
			const none = 4 // bytes 0 to 3 are zero, whatever follows
			for _, a := range p.c.Dump {
				if t, o := p.theirs.Dump[a.Address], p.ours.Dump[a.Address]; len(t) == len(o) && len(o) == 64 && strings.HasPrefix(o, strings.Repeat("0", 2*27)+"80") && t[:2*none] == o[:2*none] {
					p.theirs.Dump[a.Address] = o
				}
			}
			if strings.HasPrefix(p.ours.Sense, strings.Repeat("0", 2*27)) && strings.HasPrefix(p.theirs.Sense, strings.Repeat("0", 2*none)) {
				p.theirs.Sense = p.ours.Sense
			}
		},
	},
	{
		"prefix", "the control unit there does not have it",
		func(p *pair) {
			if p.ccw(p.c.program).Command == 0xE7 && strings.HasPrefix(p.theirs.Sense, "8000") {
				p.same()
			}
		},
	},
	{
		"parameters that are not valid", "record 0, a home address, an extent and a block's locate are checked at the command that gives them; 3.13 takes some, and reports some at the next command",
		func(p *pair) {
			parameter := len(p.ours.Sense) == 64 && (p.ours.Sense[14:16] == "04" || p.c.Suite == "fba")
			if strings.HasPrefix(p.ours.Sense, "8000") && parameter && (p.theirs.Sense == "" || p.theirs.Sense[:4] == "8000" && p.theirs.Sense[14:16] == "04" ||
				strings.HasPrefix(p.c.ID, "extent ")) {
				p.same()
			}
		},
	},
	{
		"additional attributes of an extent", "a 2107 has them in byte 6; a 3990 rejects them",
		func(p *pair) {
			if strings.HasPrefix(p.c.ID, "extent byte 6 ") {
				p.same()
			}
		},
	},
	{
		"read multiple of an empty track", "there is no record to be found; 3.13 ends it without one",
		func(p *pair) {
			if strings.HasPrefix(p.c.ID, "11 at record 0,") {
				p.irbs(func(t *status, o status) {
					if o.unit&channel.UnitCheck != 0 && t.unit == channel.ChannelEnd|channel.DeviceEnd && t.address == o.address {
						*t = o
					}
				})
			}
		},
	},
	{
		"intermediate status apart", "a PCI or initial status that has not been tested is shown with the status that joins it: 3.13 keeps a PCI apart, shows one for two in a row, and the initial status with the next one; by Hercules 4 that comes first",
		func(p *pair) {
			intermediate := p.c.control&channel.ORBInitialStatus != 0
			ends := func(list []IRB) (ends []status) {
				for i := range list {
					s := parseStatus(&list[i])
					intermediate = intermediate || s.channel&channel.PCI != 0
					s.channel &^= channel.PCI
					s.control &^= channel.StatusIntermed
					s.flags &^= channel.SCSWZero
					if s.control&channel.StatusPrimary != 0 {
						ends = append(ends, s)
					}
				}
				return ends
			}
			t, o := ends(p.theirs.IRB), ends(p.ours.IRB)
			if n := min(len(t), len(o)); intermediate && slices.Equal(t[:n], o[:n]) {
				p.theirs.IRB, p.theirs.CC, p.theirs.Interruption = p.ours.IRB, p.ours.CC, p.ours.Interruption
			}
		},
	},
}

// compare is what no deviation explains. It counts in used those that do.
func (p *pair) compare(used map[string]int) []Difference {
	k := *p.c
	find := func() []Difference {
		k.Expect = *p.theirs
		d := k.Check(p.ours)
		if p.theirs.Sense == "" && p.ours.Sense != "" {
			d = append(d, Difference{"sense", "", p.ours.Sense})
		}
		return d
	}
	d := find()
	for i := 0; d != nil && i < len(deviations); i++ {
		deviations[i].explains(p)
		now := find()
		if !slices.Equal(now, d) {
			used[deviations[i].name]++
		}
		d = now
	}
	return d
}
