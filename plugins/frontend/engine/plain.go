package engine

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/internal/pair"
)

// plain answers the most frequent requests: short chains to a primary that only
// write or only read, without special features or cache fast write. It returns false
// for any other request, and has then done nothing.
//
// It gives the same answer as general. It exists because calls and taken branches
// cost time in a module: with few of them the answer takes a sixth of the time.
func (v *Variant) plain(f *abi.Frame) bool {
	c := &f.Chain
	n := int(c.Count)
	if f.Target.Role != abi.RolePrimary || f.Pair.Active != 0 ||
		n != int(c.Inline) || n > abi.InlineCCWs || c.Flags != 0 {
		return false
	}
	table := chain.Commands(f.Target.Class)
	var kinds chain.Kind
	var flags uint8
	ccws := c.CCW[:n]
	for i := range ccws {
		kinds |= table[ccws[i].Command]
		flags |= ccws[i].Flags
	}
	if flags&(arch.FlagCD|arch.FlagPCI|arch.FlagS) != 0 {
		return false
	}
	switch kinds &^ (chain.Extent | chain.Sends) {
	case chain.Writes:
		return v.plainWrite(f, ccws, table, kinds)
	case chain.Reads | chain.Stores:
		return v.plainRead(f, ccws, table)
	}
	return false
}

var plainWriteSteps = [...]uint16{
	step.AskWhetherPrimary, step.AskWhetherRedrive, step.CreateMirrorRequest, step.BuildMirrorChain, step.ClassWrites,
	step.AskWhetherCacheFastWrite, step.MirrorSameChain, step.AskWhetherMirrorChainValid,
	step.AskWhetherMirrorChainNeeded, step.AskWhetherMirrorChainSuspends, step.HoldOnShadowQueue, step.CallBackEnd,
	step.ContinueWithDDTSIO,
}

// plainWrite answers for a chain that writes, and whose first command is the
// define extent if it has one.
func (v *Variant) plainWrite(f *abi.Frame, ccws []abi.CCW, table *chain.Table, kinds chain.Kind) bool {
	if kinds&chain.Extent != 0 {
		c := &f.Chain
		if table[ccws[0].Command]&chain.Extent == 0 || ccws[0].Parameter != 1 || c.Parameters == 0 ||
			c.Parameter[0][arch.DefineExtentAttribute]&arch.AttributeFastWrite != 0 {
			return false
		}
	}
	var mirrors uint8
	all := pair.Mirrors(&f.Pair)
	for i := range all {
		if pair.Follows(&all[i]) {
			mirrors |= 1 << i
		}
	}
	if mirrors == 0 {
		return false
	}
	r := &f.Response
	r.Intents = 2
	r.Intent[0] = abi.Intent{Kind: abi.IntentMirror, Mirrors: mirrors}
	r.Intent[1] = abi.Intent{Kind: abi.IntentBackEnd}
	if v.ConstantCopy {
		r.Intent[0].Flags = abi.MirrorConstantCopy
	}
	if f.Head.Flags&abi.Tracing != 0 {
		r.Steps = uint16(copy(r.Step[:], plainWriteSteps[:]))
	}
	return true
}

var (
	plainReadSteps = [...]uint16{
		step.AskWhetherPrimary, step.AskWhetherRedrive, step.CreateMirrorRequest, step.BuildMirrorChain, step.ClassReads,
		step.AskWhetherReadsSelected, step.ReadFromPrimary, step.AskWhetherMirrorChainValid,
		step.AskWhetherMirrorChainNeeded, step.CallBackEnd, step.ContinueWithDDTSIO,
	}
	keptReadSteps = [...]uint16{
		step.AskWhetherPrimary, step.AskWhetherRedrive, step.CreateMirrorRequest, step.BuildMirrorChain, step.ClassReads,
		step.AskWhetherReadsSelected, step.ChooseReadDevice, step.SendReadToOne, step.AskWhetherMirrorChainValid,
		step.AskWhetherMirrorChainNeeded, step.CallBackEnd, step.ContinueWithDDTSIO,
	}
	sentReadSteps = [...]uint16{
		step.AskWhetherPrimary, step.AskWhetherRedrive, step.CreateMirrorRequest, step.BuildMirrorChain, step.ClassReads,
		step.AskWhetherReadsSelected, step.ChooseReadDevice, step.SendReadToOne, step.BypassBackEnd,
		step.ContinueWithDDTSIO,
	}
)

// plainRead answers for a chain that reads, if all that it stores lies on one
// side of its CCWs and of all that it sends, so that it cannot modify itself.
func (v *Variant) plainRead(f *abi.Frame, ccws []abi.CCW, table *chain.Table) bool {
	if !chain.StoresApart(ccws, table) {
		return false
	}
	r := &f.Response
	steps := plainReadSteps[:]
	if v.Choose != nil {
		steps = keptReadSteps[:]
		if m := pair.Readable(&f.Pair); m != 0 && f.Target.Origin == abi.OriginApplication {
			if choice := v.Choose(f, m); choice != Primary {
				r.Intents = 1
				r.Intent[0] = abi.Intent{Kind: abi.IntentRoute, Code: uint8(choice)}
				if f.Head.Flags&abi.Tracing != 0 {
					r.Steps = uint16(copy(r.Step[:], sentReadSteps[:]))
				}
				return true
			}
		}
	}
	r.Intents = 1
	r.Intent[0] = abi.Intent{Kind: abi.IntentBackEnd}
	if f.Head.Flags&abi.Tracing != 0 {
		r.Steps = uint16(copy(r.Step[:], steps))
	}
	return true
}
