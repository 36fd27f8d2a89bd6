package engine

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
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
		r.frame.Took(step.DuplicateWithoutReads)
		r.wanted, r.duplicate = true, true
	case chain.ReadsWritesSpecial:
		r.specialReadsWrites()
	case chain.Neither:
		r.neither()
	}
}

// same asks for the same chain on the mirrors, or for a duplicate if the same chain
// would store into main storage or interrupt a second time.
func (r *request) same() {
	r.wanted = true
	r.duplicate = r.program.Kinds&chain.Stores != 0 || r.program.Interrupts()
}

// writes decides about chains that only write. Cache fast write is handled where the
// chains are made, for each mirror on its own (173, 174).
func (r *request) writes() {
	r.frame.Took(step.AskWhetherCacheFastWrite)
	r.same()
	if r.valid = r.build(); r.valid {
		r.frame.Took(step.MirrorSameChain)
	}
}

func (r *request) specialWrites() {
	f := r.frame
	f.Took(step.AskWhetherWriteInterrupts)
	if r.program.Interrupts() {
		f.Took(step.SkipInterruptingWrite)
		if r.variant.CopyInterrupting {
			r.changedTracks()
		}
		return
	}
	f.Took(step.AskWhetherWriteSuspends)
	if r.program.Suspends() {
		f.Took(step.SetConstantCopy)
		r.unsuspended()
	}
	if r.program.Self.Any() {
		r.selfModifying()
	}
}

// unsuspended asks for the chain on the mirrors as if it did not suspend itself, in
// constant copy: it follows as soon as it can, and no application waits for it.
func (r *request) unsuspended() {
	r.constantCopy()
	r.wanted, r.duplicate = true, true
	r.clear |= arch.FlagS
	r.flags |= abi.MirrorConstantCopy
}

// reads decides about chains that only read, with special features or without. (FIG.
// 9.)
func (r *request) reads() {
	f := r.frame
	f.Took(step.AskWhetherReadsSelected)
	if r.variant.Choose == nil {
		f.Took(step.ReadFromPrimary)
		return
	}
	f.Took(step.ChooseReadDevice)
	choice := Primary
	if m := pair.Readable(&f.Pair); m != 0 && f.Target.Origin == abi.OriginApplication && r.program.Routable() {
		choice = r.variant.Choose(f, m)
	}
	f.Took(step.SendReadToOne)
	if choice != Primary {
		f.Response.Ask(abi.IntentRoute).Code = uint8(choice)
		r.routed = true
	}
}

// specialReadsWrites decides about chains that read and write with a special
// feature. (FIG. 11.)
func (r *request) specialReadsWrites() {
	f := r.frame
	f.Took(step.AskWhetherInterrupts)
	if r.program.Whole && r.program.Interrupts() {
		f.Took(step.CopyTracksOfChain)
		r.changedTracks()
		return
	}
	f.Took(step.AskWhetherModifiesItself)
	if r.program.Whole && r.program.Self.Any() {
		r.selfModifying()
		return
	}
	f.Took(step.AskWhetherSuspends)
	if r.program.Whole && r.program.Suspends() {
		f.Took(step.ConstantCopyForSuspending)
		r.unsuspended()
		return
	}
	f.Took(step.PostError)
	r.valid = false
}

// selfModifying duplicates a chain that modifies itself. The chain does not modify
// the duplicate's CCWs, so the mirror gets the chain as it was before the
// modification. Where that makes a difference, only the primary's tracks show the
// data that it has written, so they are copied, too.
func (r *request) selfModifying() {
	f := r.frame
	switch self := &r.program.Self; {
	case self.CCWs && self.Data:
		f.Took(step.ModifiesBoth)
	case self.CCWs:
		f.Took(step.ModifiesCCWs)
	default:
		f.Took(step.ModifiesData)
	}
	r.wanted, r.duplicate = true, true
	if r.program.Self.Data {
		f.Took(step.DuplicateChainAndData)
		r.private = true
	} else {
		f.Took(step.DuplicateChain)
	}
	f.Took(step.SendBothChains)
	r.changedTracks()
}

func (r *request) changedTracks() {
	if r.mirrors != 0 {
		r.frame.Response.Ask(abi.IntentChangedTracks).Mirrors = r.mirrors
	}
}

// neither decides about chains that neither read nor write.
func (r *request) neither() {
	f := r.frame
	f.Took(step.AskWhetherStateChanges)
	if r.program.Kinds&chain.State == 0 {
		f.Took(step.MirrorNothing)
		return
	}
	f.Took(step.MirrorStateChange)
	r.same()
}
