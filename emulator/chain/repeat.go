package chain

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// Repeats reports whether the recipe of n (the CCWs that a detour wants a mirror
// I/O to have) does the same on a mirror as the chain does on the primary: the
// same commands in the same order, with the same data. The recipe may leave out
// program-controlled interruptions and suspensions, store nothing, and have
// another identification for cache fast write. The account trusts a mirror chain
// only if this check holds.
func (g *Program) Repeats(resp *abi.Response, n *abi.Intent) bool {
	if int(n.Count) != len(g.CCWs) || g.Branches || g.Flags&abi.ChainTruncated != 0 {
		return false
	}
	for i := range g.CCWs {
		s, c := &g.CCWs[i], &resp.Recipe[int(n.First)+i]
		if s.Command == arch.CommandTransfer {
			if c.Kind != abi.RecipeTransfer || g.CCWs[c.Source-n.First].Location != s.Address {
				return false
			}
			continue
		}
		free := channel.Flags(arch.FlagS | arch.FlagPCI | arch.FlagIDA | arch.FlagMIDA)
		if eckdRoles[s.Command]&IsInput != 0 { // input is input on every device
			free |= arch.FlagSkip
		}
		if c.Command != s.Command || c.Count != s.Count || channel.Flags(c.Flags^s.Flags)&^free != 0 {
			return false
		}
		switch c.Kind {
		case abi.RecipeCopy, abi.RecipePrivate:
			if int(c.Source) != i {
				return false
			}
		case abi.RecipeParameter:
			if !g.sameExtent(s, resp, c.Parameter) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// sameExtent reports whether the parameters of a define extent or prefix equal the
// parameters in the response from block number block on, except for the
// identification.
func (g *Program) sameExtent(s *abi.CCW, resp *abi.Response, block uint8) bool {
	free := arch.DefineExtentFastWrite
	switch s.Command {
	case arch.CommandDefineExtent:
	case arch.CommandPrefix:
		free += arch.PrefixExtent
	default:
		return false
	}
	if s.Parameter == 0 || channel.Flags(s.Flags)&arch.FlagCD != 0 {
		return false
	}
	for i := range int(s.Count) {
		k, at := i/abi.ParameterSize, i%abi.ParameterSize
		if i >= free && i < free+arch.DefineExtentFastWriteSize {
			continue
		}
		if g.Parameters[int(s.Parameter)-1+k][at] != resp.Parameter[int(block)+k][at] {
			return false
		}
	}
	return true
}
