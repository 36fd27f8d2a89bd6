package hooks

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
)

// Native is a detour that is linked into the host: the same logic as in a
// module, called directly. It contains nothing: a panic in it is a panic of the
// host, so it is for the project's own detours, for comparison and for tests.
type Native struct {
	frame abi.Frame
	hooks [abi.Hooks]func(*abi.Frame)
}

// NewNative makes a detour of the given functions; a nil one is a hook that the
// detour does not implement.
func NewNative(frontEnd, backEnd, postStatus func(*abi.Frame)) *Native {
	n := &Native{hooks: [abi.Hooks]func(*abi.Frame){frontEnd, backEnd, postStatus}}
	n.frame.Settings.Size = uint32(len(n.frame.Settings.Value))*8 + 8
	return n
}

// Set gives the detour its settings, in the order of its manifest.
func (n *Native) Set(values []int64) error {
	if len(values) > abi.MaxSettings {
		return fmt.Errorf("settings: %d values: at most %d", len(values), abi.MaxSettings)
	}
	n.frame.Settings.Count = uint32(copy(n.frame.Settings.Value[:], values))
	return nil
}

// Frame returns the detour's frame.
func (n *Native) Frame() *abi.Frame { return &n.frame }

// Call calls the function for the hook.
func (n *Native) Call(h abi.Hook) error {
	if h >= abi.Hooks || n.hooks[h] == nil {
		return fmt.Errorf("native detour: hook %s is not implemented", h)
	}
	n.hooks[h](&n.frame)
	return nil
}

// Renew clears the frame but for the settings.
func (n *Native) Renew() error {
	s := n.frame.Settings
	n.frame = abi.Frame{Settings: s}
	return nil
}

// Close does nothing.
func (n *Native) Close() error { return nil }
