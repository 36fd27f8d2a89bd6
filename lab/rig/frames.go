package rig

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
)

// shown is a detour whose frame is passed to a function before and after each call.
type shown struct {
	hooks.Detour
	to func(*abi.Frame)
}

// Call shows the frame, calls the detour and shows the frame again.
func (s shown) Call(h abi.Hook) error {
	s.to(s.Frame())
	err := s.Detour.Call(h)
	if err == nil {
		s.to(s.Frame())
	}
	return err
}

// UseChain gives the detour the reader of long chains, if it uses one.
func (s shown) UseChain(r hooks.ChainReader) {
	if u, ok := s.Detour.(hooks.ChainUser); ok {
		u.UseChain(r)
	}
}

// show makes the frames of all detours of a policy be passed to a function before
// and after each call.
func show(sequences [hooks.Slots][]*hooks.Attachment, to func(*abi.Frame)) {
	for _, c := range sequences {
		for _, a := range c {
			a.Detour = shown{a.Detour, to}
		}
	}
}
