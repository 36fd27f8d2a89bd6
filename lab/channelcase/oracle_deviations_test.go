package channelcase

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// deviation is something in which Hercules 3.13 is not as the architecture
// says, or shows what the architecture leaves open. explains looks at what a
// case gave there and here, and makes theirs like ours where the deviation
// alone is between them.
type deviation struct {
	name, reason string
	source       string // the manual's words, or where else it stands
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
	unit           arch.UnitStatus
	channel        arch.ChannelStatus
	residual       uint16
}

func parseStatus(irb *IRB) status {
	w := parseSCSW(irb.SCSW)
	return status{w.Flags, w.Control, w.CCWAddress, w.Unit, w.Channel, w.Residual}
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
	w, _ := p.c.ccw(at)
	return w
}

// last is the first SCSW with primary status, of both, and the CCW that ours
// ended with.
func (p *pair) last() (theirs, ours status, w channel.CCW) {
	for i := range min(len(p.theirs.IRB), len(p.ours.IRB)) {
		theirs, ours = parseStatus(&p.theirs.IRB[i]), parseStatus(&p.ours.IRB[i])
		if ours.control&arch.StatusPrimary != 0 {
			return theirs, ours, p.ccw(ours.address - arch.CCWSize)
		}
	}
	return status{}, status{}, channel.CCW{}
}

func output(command byte) bool { return command&1 != 0 }

const checks = arch.ProgramCheck | arch.ProtectionCheck | arch.ChainingCheck

// deviations are in the order in which they are looked at.
var deviations = []deviation{
	{
		"a late clear", "a suspended function that the case before left is still being cleared when the subchannel is modified",
		"a matter of Hercules' threads: the clear function of the case before is under way",
		func(p *pair) {
			if p.theirs.CC[0] == "msch=2" {
				p.theirs.CC[0], p.theirs.Interruption = p.ours.CC[0], p.ours.Interruption
			}
		},
	},
	{
		"address of an active program", "the CCW address, the status and the count mean nothing while there is no status pending",
		"PoO, SCSW: the contents of the address, status and count fields have meaning only with status pending (recalled)",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if (t.control|o.control)&arch.StatusPending == 0 && t.control == o.control {
					*t = o
				}
			})
		},
	},
	{
		"S flag of an intermediate status", "a PCI's SCSW lacks the echo of the ORB's S there",
		"PoO, SCSW word 0, suspend control: the S of the ORB, of the start function (recalled)",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if t.control&arch.StatusIntermed != 0 {
					t.flags |= o.flags & arch.SCSWSuspend
				}
			})
		},
	},
	{
		"transfer in channel as first CCW", "a program check by the Principles of Operation; 3.13 executes it",
		"PoO: \"The first CCW designated by the CAW may not specify transfer in channel\", a program check (GA22-7000-4); of the ORB the same",
		func(p *pair) {
			w := p.ccw(p.c.program)
			if w.Command == arch.CommandTransfer || p.c.control&channel.ORBFormat1 == 0 && w.Command&0xF == arch.CommandTransfer {
				p.same()
			}
		},
	},
	{
		"bit 0 of a data address", "a program check whether data move or not; 3.13 looks where it needs the address",
		"PoO, CCW of format 1: bit 32 must be zero, otherwise a program check (recalled)",
		func(p *pair) {
			_, o, w := p.last()
			if w.Address >= 1<<31 && o.channel&arch.ProgramCheck != 0 {
				p.same()
			}
		},
	},
	{
		"length of an immediate command", "format 1 with a count, SLI and the ORB's L off is incorrect length; 3.13 looks at another bit of the ORB",
		"PoO, Incorrect Length: with a count other than zero, SLI zero and the ORB's L zero it is indicated for an immediate operation of format 1 (recalled); Hercules 4 does so since 2017 (3989e2b6)",
		func(p *pair) {
			t, o, w := p.last()
			if p.c.control&channel.ORBFormat1 != 0 && w.Command&3 == 3 && o.channel == arch.IncorrectLength && t.channel == 0 && o.residual == w.Count {
				p.same()
			}
		},
	},
	{
		"length of an immediate command otherwise", "none is wrong in format 0 or with L; 3.13 knows it of no-operation only",
		"PoO: \"The SLI flag is ignored on immediate operations, in which case the incorrect-length indication is suppressed\" (GA22-7000-4, format 0); with L the same in format 1; Hercules 4 does so since 2017 (f7bee13f, 3989e2b6)",
		func(p *pair) {
			t, o, _ := p.last()
			if wrong := p.c.control&(channel.ORBFormat1|channel.ORBIncorrectLengthSuppress) == channel.ORBFormat1; wrong {
				return
			}
			if t.channel == arch.IncorrectLength && o.channel == 0 && output(p.ccw(t.address-arch.CCWSize).Command) {
				p.same()
			}
		},
	},
	{
		"long block of a write or control command", "the device would take more than the count: incorrect length; 3.13 never sets it for data that leave storage",
		"PoO, Incorrect Length, \"long block on output\": the device requests more than the count (recalled)",
		func(p *pair) {
			t, o, w := p.last()
			if output(w.Command) && o.channel == arch.IncorrectLength && o.residual == 0 && t.channel == 0 {
				p.same()
			}
		},
	},
	{
		"status modifier at the end of a chain", "the CCW address is that of the last CCW used, plus 8: nothing was skipped",
		"PoO, SCSW, CCW address: that of the last CCW used, plus 8 (recalled)",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if t.unit&o.unit&arch.StatusModifier != 0 && t.address == o.address+arch.CCWSize {
					t.address = o.address
					if w := p.ccw(o.address - arch.CCWSize); w.Count < 5 {
						t.channel = o.channel
					}
				}
			})
		},
	},
	{
		"count at unit check", "of a command that the device refused: 3.13 leaves all of it and sets incorrect length; model dependent",
		"PoO, SCSW, count: model-dependent where the device refuses a command (recalled)",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if t.unit&o.unit&arch.UnitCheck != 0 {
					t.residual = o.residual
					t.channel = t.channel&^arch.IncorrectLength | o.channel&arch.IncorrectLength
				}
			})
		},
	},
	{
		"data chaining of other commands than reads", "3.13 lets the device refuse it, which cannot see it",
		"PoO, Data Chaining: the channel's affair, for every command; Hercules 4 still allows it for reads only, of Read Track since 2022 (5ac6ac98)",
		func(p *pair) {
			t, _, _ := p.last()
			w := p.ccw(t.address - arch.CCWSize)
			if w.Flags&arch.FlagCD != 0 && w.Command&0x13 != 2 && t.unit&arch.UnitCheck != 0 && (p.theirs.Sense == "" || strings.HasPrefix(p.theirs.Sense, "8000000000")) {
				p.same()
			}
		},
	},
	{
		"data fetched ahead", "3.13 fetches all that the count of an output command says, and so finds what the device does not ask for",
		"PoO, CCW: data are fetched as the device asks for them; what is found ahead and not asked for is no check (recalled)",
		func(p *pair) {
			t, o, w := p.last()
			if output(w.Command) && t.channel&checks != 0 && o.channel&checks == 0 && t.unit == 0 {
				p.same()
			}
		},
	},
	{
		"status with a check of the channel's own", "unit status, incorrect length and count are open where the channel ends the transfer; what was stored before it too",
		"PoO, Channel-Status Field: what was transferred before the check is unpredictable, and so is the count (recalled)",
		func(p *pair) {
			p.irbs(func(t *status, o status) {
				if t.channel&o.channel&checks != 0 && t.address == o.address {
					t.unit, t.residual = o.unit, o.residual
					t.channel &^= arch.IncorrectLength
					p.theirs.Dump, p.theirs.Sense = p.ours.Dump, p.ours.Sense
				}
			})
		},
	},
	{
		"reserved flags of a MIDAW", "must be zero; 3.13 does not look",
		"PoO, MIDAW: reserved bits must be zeros, otherwise a program check (recalled)",
		func(p *pair) {
			if strings.Contains(p.c.ID, "midaw reserved flag") {
				p.same()
			}
		},
	},
	{
		"skip flag of a MIDAW", "the device's bytes are skipped; 3.13 gives them to the next MIDAW",
		"PoO, MIDAW, skip flag: the data of its area are not transferred to storage (recalled)",
		func(p *pair) {
			if strings.Contains(p.c.ID, "midaw skip flag") {
				p.same()
			}
		},
	},
	{
		"MIDAWs in ESA/390", "the architecture does not have the ORB's D there: an operand exception; here both architectures are one",
		"PoO: the modified-CCW-indirect-data-addressing facility is of z/Architecture",
		func(p *pair) {
			if !p.z && p.c.control&channel.ORBModifiedIDAW != 0 {
				p.same()
			}
		},
	},
	{
		"suspended functions", "3.13 starts and does not cancel them, ignores the ORB's U, and halts them late",
		"PoO, START SUBCHANNEL and CANCEL SUBCHANNEL: condition code 2 and 0 for a suspended subchannel; ORB, suppress-suspended-interruption control (recalled)",
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
		"PoO, MODIFY SUBCHANNEL: condition code 1 with status pending comes before 2 (recalled)",
		func(p *pair) {
			if strings.HasSuffix(p.c.ID, "initial pending: msch") {
				p.same()
			}
		},
	},
	{
		"halt of an idle subchannel", "no status belongs to it; 3.13 leaves the earlier one, and can leave the halt pending",
		"PoO, Halt Function: with status pending alone where no start function is there (recalled)",
		func(p *pair) {
			for i := range p.ours.IRB {
				if s := parseStatus(&p.ours.IRB[i]); s.control&0x7000 == arch.FunctionHalt {
					p.same()
					return
				}
			}
		},
	},
	{
		"words of the SCHIB that are open", "masks of last and operational paths, and the path identifiers, are a model's; its SCSW is compared by TEST SUBCHANNEL",
		"PoO, PMCW: path masks and identifiers are the installation's",
		func(p *pair) { p.theirs.SCHIB = p.ours.SCHIB },
	},
	{
		"identification", "the control unit there is a 3990, here a 2107",
		"the control unit of a 3390 is a 2107 here, a 3990 in Hercules 3.13; what each sends was captured from Hercules 4.9 and 3.13",
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
		"SA22-1025-00, Set Path Group ID and Set Subsystem Mode; values recalled",
		func(p *pair) {
			for i := range uint32(3) {
				if w := p.ccw(p.c.program + i*arch.CCWSize); w.Command == 0xAF || w.Command == 0x87 {
					p.same()
				}
			}
		},
	},
	{
		"search of nothing", "a search whose count is 0 compares nothing; 3.13 finds that equal",
		"nothing that was compared is equal; no source",
		func(p *pair) {
			t, _, w := p.last()
			if t.unit&arch.StatusModifier != 0 && w.Count == 0 {
				p.same()
			}
		},
	},
	{
		"track capacity", "a record that does not fit is refused; 3.13 takes what its image has room for",
		"\"An attempt to write a record beyond the end of a track will result in Invalid Track Format\" (SA22-1025-00, Write Commands); capacity by the device's formula",
		func(p *pair) {
			if t, o, _ := p.last(); t.unit&arch.UnitCheck == 0 && strings.HasPrefix(p.ours.Sense, "0040") && t.address == o.address {
				p.same()
			}
		},
	},
	{
		"sense without unit check", "zeros; 3.13 shows where the arm is",
		"zeros, as both levels of Hercules give where the arm has not moved (measured)",
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
		"SA22-1025-00 has Prefix; the 3990 has not",
		func(p *pair) {
			if p.ccw(p.c.program).Command == 0xE7 && strings.HasPrefix(p.theirs.Sense, "8000") {
				p.same()
			}
		},
	},
	{
		"parameters that are not valid", "record 0, a home address, an extent and a block's locate are checked at the command that gives them; 3.13 takes some, and reports some at the next command",
		"\"If the control unit detects an exception condition in more than one parameter ..., it reports only the first exception\": they are checked at the command (SA22-1025-00, Locate Record)",
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
		"Linux' driver sets them for a 2105 and later",
		func(p *pair) {
			if strings.HasPrefix(p.c.ID, "extent byte 6 ") {
				p.same()
			}
		},
	},
	{
		"read multiple of an empty track", "there is no record to be found; 3.13 ends it without one",
		"\"If the track does not have a user data record, ... No Record Found\" (SA22-1025-00, Read Commands)",
		func(p *pair) {
			if strings.HasPrefix(p.c.ID, "11 at record 0,") {
				p.irbs(func(t *status, o status) {
					if o.unit&arch.UnitCheck != 0 && t.unit == arch.ChannelEnd|arch.DeviceEnd && t.address == o.address {
						*t = o
					}
				})
			}
		},
	},
	{
		"file mask of fixed blocks", "one bit is reserved; 3.13 refuses what it has no use for",
		"VM's control block DXDA (IBM): write control, seek control, authorisation and PCI fetch mode, \"Mask byte, bit 2 (not used)\"; ICKDSF formats with 48; Hercules 4 takes all but 20 since 2024 (49168e8d)",
		func(p *pair) {
			t, _, _ := p.last()
			w := p.ccw(p.c.program)
			mask := p.c.bytes(w.Address, 1)
			refused := p.c.Suite == "fba" && w.Command == 0x63 && t.address == p.c.program+arch.CCWSize && strings.HasPrefix(p.theirs.Sense, "8000")
			if refused && mask != nil && mask[0]&0x20 == 0 && (mask[0]&0x1B != 0 || mask[0]&0xC0 == 0x80) {
				p.same()
			}
		},
	},
	{
		"write track of record zero", "a domain of one command leaves no record behind record zero; 3.13 leaves them",
		"\"After the last record is written on the track, the remainder of the track is erased\" (SA22-1025-00, Write Track); Hercules 4 does so since 2024 (337ad61a)",
		func(p *pair) {
			_, o, w := p.last()
			before := p.ccw(o.address - 2*arch.CCWSize)
			if l := p.c.bytes(before.Address, 4); w.Command == 0x05 && o.unit == arch.ChannelEnd|arch.DeviceEnd && before.Command == 0x47 && l != nil && l[0] == 0x0B && l[3] == 1 {
				p.theirs.Dump = p.ours.Dump
			}
		},
	},
	{
		known[0].Name, known[0].Reason, known[0].Source,
		func(p *pair) {
			if known[0].between(p.c, p.theirs, p.ours) {
				p.same()
			}
		},
	},
	{
		"intermediate status apart", "a PCI or initial status that has not been tested is shown with the status that joins it: 3.13 keeps a PCI apart, shows one for two in a row, and the initial status with the next one; by Hercules 4 that comes first",
		"PoO, Intermediate Interruption Condition: it is shown together with what joins it before TEST SUBCHANNEL (recalled)",
		func(p *pair) {
			intermediate := p.c.control&channel.ORBInitialStatus != 0
			ends := func(list []IRB) (ends []status) {
				for i := range list {
					s := parseStatus(&list[i])
					intermediate = intermediate || s.channel&arch.PCI != 0
					s.channel &^= arch.PCI
					s.control &^= arch.StatusIntermed
					s.flags &^= arch.SCSWZero
					if s.control&arch.StatusPrimary != 0 {
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
