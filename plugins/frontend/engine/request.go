package engine

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
)

// request is one request to a primary device, with the decisions about its mirror
// I/O.
type request struct {
	frame   *abi.Frame
	variant Variant
	program chain.Program
	// mirrors is the mask of the mirrors that must get the request.
	mirrors uint8

	// The decisions of the classes' procedures (FIGs. 8 to 11).

	valid     bool  // false: no mirror chain can be made (218)
	wanted    bool  // a mirror chain is to be made
	duplicate bool  // the mirrors need a duplicate of the chain
	private   bool  // the data areas that it modifies are duplicated, too (212)
	routed    bool  // a read that a mirror serves (192)
	clear     uint8 // flags that the CCWs of the duplicate lose
	flags     uint8 // flags of the mirror intents

	asked uint16 // number of intents in the response before those for the mirror chains
	built bool   // the intents for the mirror chains are in the response
}

// create creates the mirror I/O request. (FIG. 7.)
func (r *request) create() {
	f := r.frame
	f.Took(step.BuildMirrorChain)
	r.program.Judge(f, r.variant.Rest)
	r.decide()
	if r.routed {
		bypass(f)
		return
	}
	if r.mirrors == 0 {
		r.valid, r.wanted = true, false
	}
	if r.valid && r.wanted && !r.built {
		r.valid = r.build()
	}
	f.Took(step.AskWhetherMirrorChainValid)
	if !r.valid {
		f.Took(step.QueueWithoutMirrorChain)
		n := f.Response.Ask(abi.IntentMirror)
		n.Mirrors, n.Flags = r.mirrors, r.flags|abi.MirrorWithError
		f.Took(step.SetCCWError)
		f.Response.SetFlags(abi.FlagCCWError)
		intercept(f)
		return
	}
	f.Took(step.AskWhetherMirrorChainNeeded)
	if r.wanted {
		r.hold()
	}
	intercept(f)
}

// hold leaves the mirror request on the shadow queue, unless its chain suspends
// itself. Nobody would resume such a chain, so it is abandoned and the pair falls
// back to constant copy.
func (r *request) hold() {
	r.frame.Took(step.AskWhetherMirrorChainSuspends)
	if (r.program.Flags&^r.clear)&arch.FlagS == 0 {
		r.frame.Took(step.HoldOnShadowQueue)
		return
	}
	r.frame.Took(step.DisableSynchronous)
	r.abandon()
	r.constantCopy()
}

func (r *request) constantCopy() {
	r.frame.Response.Ask(abi.IntentMode).Code = uint8(abi.ModeConstantCopy)
}
