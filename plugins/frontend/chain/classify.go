package chain

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
)

// Class is a class of FIG. 8. Its value is the step number that the figure gives
// the class.
type Class uint16

// The classes.
const (
	WritesPlain        Class = step.ClassWrites
	WritesSpecial      Class = step.ClassWritesSpecial
	ReadsPlain         Class = step.ClassReads
	ReadsSpecial       Class = step.ClassReadsSpecial
	ReadsWritesPlain   Class = step.ClassReadsWrites
	ReadsWritesSpecial Class = step.ClassReadsWritesSpecial
	Neither            Class = step.ClassNeither
)

// Program is a channel program with the properties that decide about mirroring.
type Program struct {
	// CCWs are the channel-command words of the program in the order in which the
	// channel meets them. They lie in the frame or in the Rest, and are valid until
	// the detour returns.
	CCWs []abi.CCW
	// Commands is the table for the device's class.
	Commands *Table
	// Kinds has the kinds of all its commands together.
	Kinds Kind
	// Flags has the flags of all its CCWs together.
	Flags uint8
	// Whole says that CCWs has the whole program. A program that is not whole is
	// assumed to read and to write.
	Whole bool
	// Extent is the index of its define extent or prefix, or -1.
	Extent int
	// Self says how it modifies itself.
	Self Modification
}

// Judge fills p, a zero Program, for the chain of f. It allocates nothing. rest
// may be nil.
func (p *Program) Judge(f *abi.Frame, rest *Rest) {
	p.CCWs, p.Whole = Whole(&f.Chain, rest)
	p.Commands = Commands(f.Target.Class)
	p.Extent = -1
	p.scan()
	if p.Kinds&Stores != 0 {
		p.Self = modification(p.CCWs, p.Commands)
	}
}

// scan is the only pass over the CCWs that every request needs.
func (p *Program) scan() {
	var (
		kinds, kind, before Kind
		flags               uint8
		chained             bool // continued by data chaining: the command code has no meaning
		table               = p.Commands
		ccws                = p.CCWs
	)
	for i := range ccws {
		c := &ccws[i]
		k := table[c.Command]
		if k&(Transfer|Extent|Prefix) != 0 {
			if isTransfer(c, k, chained) {
				if before&Search != 0 && leavesPath(ccws, i) {
					p.Whole = false
				}
				continue
			}
			if !chained && p.Extent < 0 {
				p.Extent = i
			}
		}
		if !chained {
			kind = k
			kinds |= k
		}
		before = kind
		flags |= c.Flags
		chained = c.Flags&arch.FlagCD != 0
	}
	p.Kinds, p.Flags = kinds, flags
}

// isTransfer reports whether c, of kind k by its code, is a transfer in channel. In
// the middle of data chaining a command code has no other meaning, and only the
// exact code of a transfer counts: the byte may hold anything else.
func isTransfer(c *abi.CCW, k Kind, chained bool) bool {
	return k&Transfer != 0 && (!chained || c.Command == arch.CommandTransfer)
}

// leavesPath reports whether the transfer in channel i, right behind a search, leads
// away from the CCW behind it. A satisfied search goes on with that CCW, which is
// then missing in ccws, because ccws follow the transfer.
func leavesPath(ccws []abi.CCW, i int) bool {
	return i+1 < len(ccws) && ccws[i+1].Location != ccws[i].Location+8
}

// Special reports whether the program has a special feature of FIG. 8:
// program-controlled interruption, suspension of itself, modification of
// itself, or a part that cannot be seen.
func (p *Program) Special() bool {
	return p.Flags&(arch.FlagPCI|arch.FlagS) != 0 || p.Self.Any() || !p.Whole
}

// Suspends reports whether the program suspends its own execution (180, 214).
func (p *Program) Suspends() bool { return p.Flags&arch.FlagS != 0 }

// Interrupts reports whether the program asks for a program-controlled
// interruption (178, 198).
func (p *Program) Interrupts() bool { return p.Flags&arch.FlagPCI != 0 }

// Class returns the class of the program. A program that cannot be seen as a whole
// may do anything: it reads and writes, with a special feature. (Steps 158 to 170.)
func (p *Program) Class() Class {
	if !p.Whole {
		return ReadsWritesSpecial
	}
	var c Class
	switch p.Kinds & (Reads | Writes) {
	case Writes:
		c = WritesPlain
	case Reads:
		c = ReadsPlain
	case Reads | Writes:
		c = ReadsWritesPlain
	default:
		return Neither
	}
	if p.Special() {
		c += WritesSpecial - WritesPlain
	}
	return c
}

// OnlyReads reports whether the program cannot write to the device: it has no
// such command, and cannot come to have one by storing into its own CCWs. (Step
// 126.)
func (p *Program) OnlyReads() bool {
	return p.Whole && p.Kinds&Writes == 0 && !p.Self.CCWs
}

// Routable reports whether another device with the same data can run the program in
// this one's place: it only reads data, and neither its result nor its effects
// belong to the device that ran it. A program that suspends itself is not routable:
// it is resumed on the subchannel it was started on.
func (p *Program) Routable() bool {
	return p.OnlyReads() && p.Kinds&Reads != 0 && p.Kinds&(Own|State) == 0 && !p.Suspends() && !p.Self.Any()
}

// Target returns the index of the CCW that the transfer in channel i leads to, and
// whether that CCW belongs to the program.
func (p *Program) Target(i int) (int, bool) {
	to := p.CCWs[i].Address
	if i+1 < len(p.CCWs) && p.CCWs[i+1].Location == to {
		return i + 1, true
	}
	for j := range i {
		if p.CCWs[j].Location == to {
			return j, true
		}
	}
	return 0, false
}
