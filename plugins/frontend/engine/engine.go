package engine

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/internal/pair"
)

// Variant holds the choices in which front-end detours differ.
type Variant struct {
	// ConstantCopy says that no application waits for a mirror.
	ConstantCopy bool
	// Inhibit lets an unauthorised request to a mirror run with its writes inhibited.
	// Otherwise it is rejected (130).
	Inhibit bool
	// CopyInterrupting asks the host to copy the tracks changed by a chain that is not
	// mirrored because of a program-controlled interruption (184).
	CopyInterrupting bool
	// Choose returns the index of the mirror that a read goes to, one of the mask, or
	// Primary. The mask is never empty and has only mirrors that can serve the read.
	// Without it reads stay with the primary (186, 188).
	Choose func(f *abi.Frame, mirrors uint8) int
	// Rest reads long chains; nil where they cannot be read.
	Rest *chain.Rest
}

// Primary is the answer of Variant.Choose for the primary device.
const Primary = -1

// FrontEnd answers for the DDTSIO slot, before a request is started.
func (v Variant) FrontEnd(f *abi.Frame) {
	if !v.plain(f) {
		v.general(f)
	}
}

// general answers for any request. (FIG. 5.)
func (v Variant) general(f *abi.Frame) {
	f.Took(step.AskWhetherPrimary)
	switch f.Target.Role {
	case abi.RolePrimary:
		v.primary(f)
	case abi.RoleMirror:
		f.Took(step.AskWhetherMirror)
		v.mirror(f)
	default:
		f.Took(step.AskWhetherMirror)
		bypass(f)
	}
}

// bypass goes on with DDTSIO, the I/O supervisor's routine behind the slot, and
// leaves the return address alone.
func bypass(f *abi.Frame) {
	f.Took(step.BypassBackEnd)
	f.Took(step.ContinueWithDDTSIO)
}

// intercept goes on with DDTSIO and asks for the back-end detour, which then gets
// the condition code.
func intercept(f *abi.Frame) {
	f.Took(step.CallBackEnd)
	f.Response.Ask(abi.IntentBackEnd)
	f.Took(step.ContinueWithDDTSIO)
}

// mirror judges a request to a mirror device. (FIG. 6.)
func (v Variant) mirror(f *abi.Frame) {
	if f.Head.Flags&abi.Tracing == 0 && (f.Target.Origin == abi.OriginMirror || f.Target.Origin == abi.OriginSync) {
		return // the answer of step 126 makes no difference: 106, 100
	}
	f.Took(step.AskWhetherUnauthorisedWrite)
	var p chain.Program
	p.Judge(f, v.Rest)
	f.Took(step.LetReadThrough)
	if p.OnlyReads() {
		bypass(f)
		return
	}
	f.Took(step.LetMirrorIOThrough)
	if f.Target.Origin == abi.OriginMirror || f.Target.Origin == abi.OriginSync {
		bypass(f)
		return
	}
	f.Took(step.RejectWrite)
	if v.Inhibit {
		f.Response.Ask(abi.IntentInhibit)
		bypass(f)
		return
	}
	f.Response.Ask(abi.IntentReject).Code = abi.CompletionRejected
	f.Response.Verdict = abi.Return
	f.Took(step.ReturnToIOSVSSCH)
}

// primary judges a request to a primary device. (FIG. 5, right-hand side.)
func (v Variant) primary(f *abi.Frame) {
	f.Took(step.AskWhetherRedrive)
	to := writable(f)
	// A mirror that is cut off does not count: it gets no new request that could
	// overtake an earlier one, and the earlier one may never end.
	if f.Pair.Active&to != 0 {
		f.Took(step.LeaveQueued)
		f.Response.Ask(abi.IntentRetry)
		f.Response.Verdict = abi.Return
		f.Took(step.ReturnToIOSVSSCH)
		return
	}
	f.Took(step.CreateMirrorRequest)
	var r request // filled field by field, because a literal would be copied
	r.frame, r.variant, r.mirrors, r.valid = f, v, to, true
	if v.ConstantCopy {
		r.flags = abi.MirrorConstantCopy
	}
	r.create()
}

// writable returns the mask of the mirrors that must get a write: those in sync with
// the primary, and those that are synchronising.
func writable(f *abi.Frame) (mask uint8) {
	all := pair.Mirrors(&f.Pair)
	for i := range all {
		if pair.Follows(&all[i]) {
			mask |= 1 << i
		}
	}
	return mask
}
