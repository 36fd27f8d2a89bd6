package abi

import "fmt"

// IntentKind is the kind of action that an intent asks for.
type IntentKind uint8

// The intents. Their rows in IntentTable say which hooks accept them and which
// capability they need; SPEC.md describes the fields.
const (
	IntentNone          IntentKind = iota
	IntentBackEnd                  // point the return address at the back-end detours (108)
	IntentMirror                   // make mirror requests for Mirrors with a recipe (124, 236)
	IntentReject                   // fail the request with IOSCOD Code and return code 8 (130)
	IntentRetry                    // return code 4: leave the request queued, drive it later (122)
	IntentInhibit                  // let the request run with a file mask that inhibits writes (130)
	IntentRoute                    // send this read to mirror Code instead of the primary (192)
	IntentMode                     // set the pair's mode to Code (182, 216, 234)
	IntentFlag                     // set the flags Value in the flag table (229, 298, 302, 308)
	IntentDrop                     // take the mirror requests of Mirrors off the shadow queue (242)
	IntentSchedule                 // run the back-end detour again, enabled, at high priority (270)
	IntentStart                    // STARTIO for the mirror requests of Mirrors (274)
	IntentResume                   // join them to the suspended chain and resume it (254, 256, 258)
	IntentLabel                    // read the VOL1 label of Mirrors first (250)
	IntentRetryMirror              // queue the mirror I/O of Mirrors for another attempt (306)
	IntentDissociate               // dissociate Mirrors; Code is the scope (M4)
	IntentPromote                  // make mirror Code the primary (M3)
	IntentChangedTracks            // copy the tracks that this chain changes once it has ended (199)
	IntentRecord                   // add Value to record number Code of the manifest (since 1.1)
	IntentFail                     // complete the request with IOSCOD Code although the primary I/O ended well (M2; since 1.1)
	intentKinds
)

// IntentKinds is the number of kinds that this version knows, IntentNone included.
const IntentKinds = int(intentKinds)

// The scopes of IntentDissociate.
const (
	ScopeMirror uint8 = iota // the mirrors of the mask
	ScopePair                // every mirror of this primary
	ScopeGroup               // every mirror of every primary of the consistency group
)

// Flags of IntentMirror.
const (
	// MirrorWithError says that no valid chain could be built. The host still puts the
	// request on the shadow queue; the mirror I/O is tried later, or the mirror is
	// dissociated (228).
	MirrorWithError uint8 = 1 << iota
	// MirrorConstantCopy says that this request's completion does not wait for the
	// mirrors of this intent.
	MirrorConstantCopy
)

// Capability is a right that a policy grants to a detour, a bit each.
type Capability uint32

// The capabilities.
const (
	CapMirror     Capability = 1 << iota // make, drop, schedule, start, resume and retry mirror requests
	CapReject                            // fail requests, or inhibit their writes
	CapRetry                             // leave requests queued
	CapRoute                             // send reads to a mirror
	CapMode                              // set a pair's mode
	CapFlag                              // set flags of the flag table
	CapHold                              // hold back completions, or fail requests that have waited
	CapDissociate                        // cut mirrors off
	CapPromote                           // make a mirror the primary
	CapChain                             // read chains that are longer than the frame
	capabilities  = iota
)

// CapabilitiesKnown is the mask of the capabilities of this version.
const CapabilitiesKnown Capability = 1<<capabilities - 1

// CapabilityNames are the names by which manifests and policies call the
// capabilities, in the order of the bits.
var CapabilityNames = [...]string{"mirror", "reject", "retry", "route", "mode", "flag", "hold", "dissociate", "promote", "chain"}

// ParseCapability returns the capability of that name. The error lists the names
// that exist.
func ParseCapability(name string) (Capability, error) {
	for i, n := range CapabilityNames {
		if n == name {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("capability %q is unknown: want one of %v", name, CapabilityNames)
}

// Names lists the capabilities of the mask.
func (c Capability) Names() []string {
	var names []string
	for i, n := range CapabilityNames {
		if c&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// IntentRow holds the properties of one kind of intent: its name, the capability it
// needs, the hooks that accept it.
type IntentRow struct {
	Name  string
	Needs Capability
	Heard [Hooks]bool // the hooks whose responses may contain it
}

// IntentTable has one row for each kind. It must not be changed.
var IntentTable = [IntentKinds]IntentRow{
	IntentNone:          {"none", 0, [Hooks]bool{true, true, true}},
	IntentBackEnd:       {"back-end", 0, [Hooks]bool{FrontEnd: true}},
	IntentMirror:        {"mirror", CapMirror, [Hooks]bool{FrontEnd: true}},
	IntentReject:        {"reject", CapReject, [Hooks]bool{FrontEnd: true}},
	IntentRetry:         {"retry", CapRetry, [Hooks]bool{FrontEnd: true}},
	IntentInhibit:       {"inhibit", CapReject, [Hooks]bool{FrontEnd: true}},
	IntentRoute:         {"route", CapRoute, [Hooks]bool{FrontEnd: true}},
	IntentMode:          {"mode", CapMode, [Hooks]bool{FrontEnd: true, PostStatus: true}},
	IntentFlag:          {"flag", CapFlag, [Hooks]bool{true, true, true}},
	IntentDrop:          {"drop", CapMirror, [Hooks]bool{BackEnd: true, PostStatus: true}},
	IntentSchedule:      {"schedule", CapMirror, [Hooks]bool{BackEnd: true}},
	IntentStart:         {"start", CapMirror, [Hooks]bool{BackEnd: true}},
	IntentResume:        {"resume", CapMirror, [Hooks]bool{BackEnd: true}},
	IntentLabel:         {"label", CapMirror, [Hooks]bool{BackEnd: true}},
	IntentRetryMirror:   {"retry-mirror", CapMirror, [Hooks]bool{PostStatus: true}},
	IntentDissociate:    {"dissociate", CapDissociate, [Hooks]bool{FrontEnd: true, PostStatus: true}},
	IntentPromote:       {"promote", CapPromote, [Hooks]bool{PostStatus: true}},
	IntentChangedTracks: {"changed-tracks", CapMirror, [Hooks]bool{FrontEnd: true}},
	IntentRecord:        {"record", 0, [Hooks]bool{true, true, true}},
	IntentFail:          {"fail", CapHold, [Hooks]bool{PostStatus: true}},
}

func (k IntentKind) String() string {
	if int(k) < len(IntentTable) {
		return IntentTable[k].Name
	}
	return fmt.Sprintf("intent %d", uint8(k))
}
