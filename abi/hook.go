package abi

import "fmt"

// Hook is a function that a detour implements. The host calls it at one of the three
// points at which detours get control. The point itself, a pointer of the I/O
// supervisor on which detours are put, is a slot; there is one for each hook.
type Hook uint8

// The hooks.
const (
	FrontEnd   Hook = iota // before a request is started
	BackEnd                // after its start
	PostStatus             // after its status has come, before its end is reported
	Hooks                  // number of hooks
)

// HookRow holds the names of a hook and of its slot.
type HookRow struct {
	// Name is the hook's name in policies, messages and documentation.
	Name string
	// Export is the name of the hook's function in a module and in a manifest.
	Export string
	// Slot is the name of the pointer on which detours with the hook are put.
	Slot string
	// Actor is the name of a detour with the hook in the table of the method's steps.
	Actor string
	// Report is the hook's name in the JSON of reports, and the folder of shipped
	// detours with the hook.
	Report string
}

// HookTable has one row for each hook and is the only place for these names. It must
// not be changed.
var HookTable = [Hooks]HookRow{
	FrontEnd:   {"front-end", "front_end", "DDTSIO", "front-end detour", "frontend"},
	BackEnd:    {"back-end", "back_end", "return address", "back-end detour", "backend"},
	PostStatus: {"post-status", "post_status", "SRBEP", "post-status detour", "poststatus"},
}

// Export returns the name of the module's export for h, or an empty string when h is
// no hook.
func (h Hook) Export() string {
	if h < Hooks {
		return HookTable[h].Export
	}
	return ""
}

func (h Hook) String() string {
	if h < Hooks {
		return HookTable[h].Name
	}
	return fmt.Sprintf("hook %d", uint8(h))
}
