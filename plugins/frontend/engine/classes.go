package engine

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/internal/pair"
)

// decide runs the procedure of the program's class. (FIG. 8.)
func (r *request) decide() {
	class := r.program.Class()
	r.frame.Took(uint16(class))
	switch class {
	case chain.WritesPlain:
		r.writes()
	case chain.WritesSpecial:
		r.specialWrites()
	case chain.ReadsPlain, chain.ReadsSpecial:
		r.reads()
	case chain.ReadsWritesPlain:
		r.frame.Took(194)
		r.wanted, r.duplicate = true, true
	case chain.ReadsWritesSpecial:
		r.specialReadsWrites()
	case chain.Neither:
		r.neither()
	}
}

// same asks for the same chain on the mirrors, or for a duplicate if the same
// one would put something into main storage or interrupt a second time.
func (r *request) same() {
	r.wanted = true
	r.duplicate = r.program.Kinds&chain.Stores != 0 || r.program.Interrupts()
}

// writes is for chains that only write. What cache fast write needs is settled
// where the chains are made, for each mirror by itself (173, 174).
func (r *request) writes() {
	r.frame.Took(172)
	r.same()
	if r.valid = r.build(); r.valid {
		r.frame.Took(176)
	}
}

func (r *request) specialWrites() {
	f := r.frame
	f.Took(178)
	if r.program.Interrupts() {
		f.Took(184)
		if r.variant.CopyInterrupting {
			r.changedTracks()
		}
		return
	}
	f.Took(180)
	if r.program.Suspends() {
		f.Took(182)
		r.unsuspended()
	}
	if r.program.Self.Any() {
		r.selfModifying()
	}
}

// unsuspended has the mirrors get the chain as if it did not suspend itself, as
// soon as they can, and nobody wait for it.
func (r *request) unsuspended() {
	r.constantCopy()
	r.wanted, r.duplicate = true, true
	r.clear |= arch.FlagS
	r.flags |= abi.MirrorConstantCopy
}

// reads is for chains that only read, special features or not. (FIG. 9.)
func (r *request) reads() {
	f := r.frame
	f.Took(186)
	if r.variant.Choose == nil {
		f.Took(188)
		return
	}
	f.Took(190)
	choice := Primary
	if m := pair.Readable(&f.Pair); m != 0 && f.Target.Origin == abi.OriginApplication && r.program.Routable() {
		choice = r.variant.Choose(f, m)
	}
	f.Took(192)
	if choice != Primary {
		f.Response.Ask(abi.IntentRoute).Code = uint8(choice)
		r.routed = true
	}
}

// specialReadsWrites is for chains that read and write with a special feature.
// (FIG. 11.)
func (r *request) specialReadsWrites() {
	f := r.frame
	f.Took(198)
	if r.program.Whole && r.program.Interrupts() {
		f.Took(199)
		r.changedTracks()
		return
	}
	f.Took(200)
	if r.program.Whole && r.program.Self.Any() {
		r.selfModifying()
		return
	}
	f.Took(214)
	if r.program.Whole && r.program.Suspends() {
		f.Took(216)
		r.unsuspended()
		return
	}
	f.Took(218)
	r.valid = false
}

// selfModifying duplicates a chain that modifies itself. The duplicate's CCWs
// are out of the chain's reach, so the chain that the mirror gets is the one
// before the modification; where that makes a difference, only the tracks can
// tell what the primary has written, so they are copied, too.
func (r *request) selfModifying() {
	f := r.frame
	switch self := &r.program.Self; {
	case self.CCWs && self.Data:
		f.Took(206)
	case self.CCWs:
		f.Took(202)
	default:
		f.Took(204)
	}
	r.wanted, r.duplicate = true, true
	if r.program.Self.Data {
		f.Took(212)
		r.private = true
	} else {
		f.Took(208)
	}
	f.Took(210)
	r.changedTracks()
}

func (r *request) changedTracks() {
	if r.mirrors != 0 {
		r.frame.Response.Ask(abi.IntentChangedTracks).Mirrors = r.mirrors
	}
}

// neither is for chains that neither read nor write.
func (r *request) neither() {
	f := r.frame
	f.Took(220)
	if r.program.Kinds&chain.State == 0 {
		f.Took(222)
		return
	}
	f.Took(224)
	r.same()
}
