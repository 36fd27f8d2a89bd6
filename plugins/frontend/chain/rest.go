package chain

import "github.com/iosrun/iosrun/abi"

// MaxCCWs is the largest number of CCWs of a program that is analysed; a longer
// program counts as one that cannot be seen as a whole.
const MaxCCWs = 1024

// Rest reads programs that are longer than the frame carries. A detour keeps one
// from call to call, because the storage that it reads into is handed to the host
// and would have to be allocated anew for each call.
type Rest struct {
	// Read copies CCWs of the request's chain from number first on and reports how
	// many it copied; it is guest/chain.Read in a module. Without it, a program
	// that is longer than the frame carries is not whole.
	Read func(first int, into []abi.CCW) int

	ccws [MaxCCWs]abi.CCW
}

// Whole returns the CCWs of a chain, and whether these are all. rest may be nil.
func Whole(c *abi.Chain, rest *Rest) ([]abi.CCW, bool) {
	count, inline := int(c.Count), int(c.Inline)
	whole := c.Flags&abi.ChainTruncated == 0
	if count <= inline && count <= abi.InlineCCWs {
		return c.CCW[:count], whole
	}
	inline = min(inline, count, abi.InlineCCWs)
	if !whole || rest == nil || rest.Read == nil || count > MaxCCWs {
		return c.CCW[:inline], false
	}
	all := rest.ccws[:count]
	for have := copy(all, c.CCW[:inline]); have < count; {
		n := rest.Read(have, all[have:])
		if n <= 0 || n > count-have {
			return all[:have], false
		}
		have += n
	}
	return all, true
}
