package engine

import (
	"encoding/binary"
	"math/bits"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
)

// build makes the mirror chains and asks for them: one for the mirrors that can use
// the program's define extent as it is, and with cache fast write one for each other
// identification of cache fast write (CFWID) among the mirrors. It reports whether
// all could be made; if not, it has asked for none.
func (r *request) build() bool {
	r.asked, r.built = r.frame.Response.Intents, true
	if r.mirrors == 0 {
		return true
	}
	fast := r.fastWrite()
	if fast == notFast {
		return r.chain(r.mirrors, r.duplicate, notFast, 0) || r.abandon()
	}
	r.frame.Took(step.CompareCFWID)
	pair := &r.frame.Pair
	alike := withID(pair, r.mirrors, pair.CFWID)
	if alike != 0 && !r.chain(alike, r.duplicate, notFast, 0) {
		return r.abandon()
	}
	left := r.mirrors &^ alike
	if left != 0 {
		r.frame.Took(step.DuplicateWithCFWID)
	}
	for left != 0 {
		id := pair.Mirror[bits.TrailingZeros8(left)].CFWID
		alike = withID(pair, left, id)
		if !r.chain(alike, true, fast, id) {
			return r.abandon()
		}
		left &^= alike
	}
	return true
}

// abandon takes the mirror chains back. It always returns false, as the result of
// build.
func (r *request) abandon() bool {
	out := &r.frame.Response
	out.Intents, out.Recipes, out.Parameters = r.asked, 0, 0
	return false
}

// chain makes a mirror chain for the mirrors of the mask and asks for it.
func (r *request) chain(mask uint8, duplicate bool, fast fastWrite, id uint16) bool {
	n := r.frame.Response.Ask(abi.IntentMirror)
	n.Mirrors, n.Flags = mask, r.flags
	if !duplicate {
		return true
	}
	n.First, n.Count = r.frame.Response.Recipes, uint16(len(r.program.CCWs))
	return r.recipe(n.First, fast, id)
}

// withID returns those mirrors of the mask whose fast-write identification is id.
func withID(pair *abi.Pair, mask uint8, id uint16) (alike uint8) {
	for m := mask; m != 0; m &= m - 1 {
		if i := bits.TrailingZeros8(m); pair.Mirror[i].CFWID == id {
			alike |= 1 << i
		}
	}
	return alike
}

// fastWrite is the offset of the fast-write identification in a program's
// parameters, or one of the constants below.
type fastWrite int8

const (
	notFast   fastWrite = 0  // no cache fast write
	unseen    fastWrite = -1 // it may be cache fast write: the parameters are not in the frame
	inExtent  fastWrite = arch.DefineExtentFastWrite
	inPrefix  fastWrite = arch.PrefixExtent + arch.DefineExtentFastWrite
	attribute           = arch.DefineExtentFastWrite - arch.DefineExtentAttribute
)

// fastWrite finds the cache fast write bit (172).
func (r *request) fastWrite() fastWrite {
	p := &r.program
	if p.Extent < 0 {
		return notFast
	}
	w := &p.CCWs[p.Extent]
	b := r.frame.Chain.ParameterBlock(w)
	if b == nil {
		return unseen
	}
	at := inExtent
	if p.Commands[w.Command]&chain.Prefix != 0 {
		if b[arch.PrefixValidity]&arch.PrefixExtentValid == 0 {
			return notFast
		}
		at = inPrefix
	}
	if b[at-attribute]&arch.AttributeFastWrite == 0 {
		return notFast
	}
	return at
}

// recipe makes a duplicate of the program that stores nothing outside private areas.
// When fast is an offset its define extent has the fast-write identification id. It
// reports whether the program can be duplicated and the response has room.
func (r *request) recipe(first uint16, fast fastWrite, id uint16) bool {
	p, out := &r.program, &r.frame.Response
	if int(first)+len(p.CCWs) > abi.MaxRecipe {
		return false
	}
	var walk chain.Walk
	for i := range p.CCWs {
		c := &p.CCWs[i]
		kind := walk.Next(c, p.Commands)
		w := abi.RecipeCCW{Kind: abi.RecipeCopy, Command: c.Command, Flags: c.Flags &^ (r.clear | arch.FlagPCI), Source: uint16(i), Count: c.Count}
		switch {
		case kind == chain.Transfer:
			to, ok := p.Target(i)
			if !ok {
				return false
			}
			w = abi.RecipeCCW{Kind: abi.RecipeTransfer, Command: arch.CommandTransfer, Source: first + uint16(to)}
		case fast != notFast && i == p.Extent:
			block, ok := r.extent(c, fast, id)
			if !ok {
				return false
			}
			w.Kind, w.Parameter, w.Source = abi.RecipeParameter, block, 0
			w.Flags &^= arch.FlagIDA | arch.FlagMIDA
		case r.private && p.Self.Shared.Has(i):
			if c.Flags&arch.FlagMIDA != 0 {
				return false // the host makes no private copy of such an area
			}
			w.Kind = abi.RecipePrivate
		case kind&chain.Stores != 0:
			w.Flags |= arch.FlagSkip
		}
		out.Add(w)
	}
	return true
}

// extent copies the parameters of define extent or prefix into the response, with
// another fast-write identification, and returns the index of the block (174).
func (r *request) extent(c *abi.CCW, at fastWrite, id uint16) (block uint8, ok bool) {
	from := &r.frame.Chain
	blocks := (int(c.Count) + abi.ParameterSize - 1) / abi.ParameterSize
	index := int(c.Parameter) - 1
	inFrame := min(int(from.Parameters), abi.InlineParameters)
	switch {
	case at == unseen, c.Flags&arch.FlagCD != 0, int(c.Count) < int(at)+2:
		return 0, false
	case index+blocks > inFrame, int(r.frame.Response.Parameters)+blocks > abi.MaxResponseParameters:
		return 0, false
	}
	for i := range blocks {
		b, n := r.frame.Response.Block()
		*b = from.Parameter[index+i]
		if i == 0 {
			block = n
			binary.BigEndian.PutUint16(b[at:], id)
		}
	}
	return block, true
}
