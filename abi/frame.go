package abi

import "github.com/iosrun/iosrun/abi/arch"

// Version of the contract. A module of another major version is refused; a
// minor version only adds: fields in reserved bytes, intents, flags, manifest keys.
const (
	Major = 1
	Minor = 1
)

// Limits of the frame.
const (
	// MaxMirrors is the largest number of mirrors of a primary.
	MaxMirrors = 8
	// InlineCCWs is the number of CCWs of a chain that the frame carries. A detour
	// reads the rest of a longer chain with the host function chain_read.
	InlineCCWs = 64
	// InlineParameters is the number of parameter blocks of a chain's commands (define
	// extent, locate record, prefix) that the frame carries.
	InlineParameters = 4
	// ParameterSize is the size of a parameter block in bytes; a longer parameter
	// (prefix) takes as many blocks, one after the other, as it needs.
	ParameterSize = 32
	// MaxIntents is the largest number of intents in a response.
	MaxIntents = 16
	// MaxRecipe is the largest number of CCWs in all recipes of a response together.
	MaxRecipe = 80
	// MaxResponseParameters is the largest number of parameter blocks in a response.
	MaxResponseParameters = 8
	// MaxSteps is the largest number of steps that a response can report.
	MaxSteps = 48
	// MaxSettings is the largest number of settings of a detour.
	MaxSettings = 32
	// MaxRecords is the largest number of records that a detour can declare (since
	// 1.1).
	MaxRecords = 32
	// ScratchSize is the size of the scratch area in bytes.
	ScratchSize = 64
)

// MarkerExport is the name of the export that makes a module a detour of this major
// version: a function without parameters that returns the offset of the frame in the
// module's memory.
const MarkerExport = "iosrun_abi_1"

// HostModule is the name under which the host's functions are imported.
const HostModule = "iosrun"

// Frame is the memory that host and detour share: the sections of the request,
// written by the host before a call, and the response, written by the detour. The
// host sets the response's verdict and counts to zero before a call; entries beyond
// the counts still hold the values of earlier calls. The frame lies in the detour's
// memory, on a multiple of 8. Every section of the request begins with its size in
// bytes; a section that a later minor version makes longer uses the reserved bytes
// behind it, so that no offset ever moves.
type Frame struct {
	Head     Head
	Target   Target
	Status   Status
	Pair     Pair
	Chain    Chain
	Settings Settings
	// Scratch stays with the I/O: a later call for the same I/O, of this or another
	// detour, finds what an earlier one left here. It is zero at the first call for an
	// I/O.
	Scratch  [ScratchSize]byte
	Response Response
}

// Head describes the call: its hook, its I/O and its circumstances.
type Head struct {
	Size       uint32 // size of this section in bytes
	FrameSize  uint32 // size of the whole frame in bytes
	Minor      uint16 // minor version that the host speaks
	Hook       Hook
	Flags      HeadFlags
	Generation uint32 // number of the slots' generation that this I/O keeps
	Now        int64  // virtual time, nanoseconds
	IO         uint64 // identity of the I/O; a mirror I/O has the identity of its primary I/O
	Random     uint64 // seeded, the same in every run of the same experiment
	Call       uint32 // number of earlier calls of this hook for this I/O; calls for its mirror I/Os do not count
	_          [20]byte
}

// HeadFlags describe the circumstances of a call, a bit each.
type HeadFlags uint8

const (
	// Disabled says that the processor runs in disabled mode: a STARTIO, the call that
	// hands a request to the I/O supervisor, must not be issued now (steps 270, 272).
	Disabled HeadFlags = 1 << iota
	// Tracing says that somebody wants to see the steps of the method: the detour
	// reports them in Response.Step. Without this flag the host ignores them.
	Tracing
)

// Role is the part that a device plays in mirroring: primary, mirror or none.
type Role uint8

// The roles (steps 114 and 116).
const (
	RoleNone Role = iota
	RolePrimary
	RoleMirror
)

// Origin says who made an I/O request.
type Origin uint8

// The origins. A write request with OriginApplication to a mirror device is
// unauthorised: it would make the mirror differ from its primary.
const (
	OriginApplication Origin = iota
	OriginMirror             // a mirror I/O that the detours asked for (step 128)
	OriginRouted             // an application's read that was routed to a mirror
	OriginSync               // the mirror process: synchronisation, label
)

// DeviceClass is the class of a device.
type DeviceClass uint8

// The device classes.
const (
	ClassECKD DeviceClass = iota
	ClassFBA
)

// Target describes the device and the request's I/O supervisor block (IOSB), the
// control block that a requester fills for the I/O supervisor.
type Target struct {
	Size           uint32
	Subchannel     uint32 // subsystem-identification word
	Device         uint16 // device number
	Role           Role
	Class          DeviceClass
	Origin         Origin
	DriverID       uint8  // IOSDVRID
	CompletionCode uint8  // IOSCOD: CompletionNone and so on
	Retries        uint8  // number of times that error recovery has started it again on this device
	FirstTrack     uint32 // first track (FBA: group of blocks) of the chain's extent
	LastTrack      uint32 // last track of the chain's extent
	DataLength     uint32 // bytes that the chain transfers, as its counts say
	_              [20]byte
}

// The values of Target.CompletionCode (IOSCOD). At post-status processing a started
// I/O has no code yet: Status holds its end, and IECVPST, the I/O supervisor's
// post-status routine, derives the code from that.
const (
	CompletionNone        uint8 = arch.CompletionNone        // not ended, or started and not judged yet
	CompletionPermanent   uint8 = arch.CompletionPermanent   // permanent I/O error
	CompletionExtent      uint8 = arch.CompletionExtent      // outside the extent
	CompletionIntercepted uint8 = arch.CompletionIntercepted // held back after an earlier error
	CompletionPurged      uint8 = arch.CompletionPurged      // purged
	CompletionRejected    uint8 = arch.CompletionRejected    // write to a mirror device refused (130)
	CompletionNoPath      uint8 = arch.CompletionNoPath      // no path, or ended by missing-interrupt handling
	CompletionNormal      uint8 = arch.CompletionNormal      // ended well
)

// FlagTable is the flag table's entry of one I/O (steps 229, 298, 302, 308; M1).
type FlagTable uint32

// The flags of an I/O.
const (
	FlagCCWError         FlagTable = 1 << iota // no valid mirror chain could be built (229)
	FlagPrimaryError                           // the primary I/O failed (298)
	FlagBothComplete                           // primary and mirror I/O are complete (302)
	FlagMirrorIncomplete                       // the mirror I/O is under way (308)
	FlagPrimaryComplete                        // the primary I/O is complete
	FlagMirrorComplete                         // every mirror I/O of this request has ended (284)
	FlagMirrorError                            // at least one of them ended with an error
	FlagConstantCopy                           // this request does not wait for its mirror I/O (182, 216)
	FlagTimedOut                               // the monitor gave up waiting (M2)
	flagsKnown           = iota
)

// FlagsKnown is the mask of the flags that this version defines.
const FlagsKnown FlagTable = 1<<flagsKnown - 1

// Status holds the result of the start, or of the I/O.
type Status struct {
	Size      uint32
	Flags     FlagTable
	CC        uint8 // condition code of start subchannel (SSCH) at the back-end, deferred one at post-status, else 0
	SenseSize uint8
	OK        uint8 // 1: the I/O ended with channel end and device end alone
	_         uint8
	SCSW      [12]byte // big-endian, as the channel stores it
	Sense     [32]byte
	_         [8]byte
}

// PairMode is the way in which a pair of a primary and its mirrors mirrors writes.
type PairMode uint8

// The modes (steps 182, 216, 234).
const (
	ModeSynchronous  PairMode = iota // the application waits for primary and mirrors
	ModeConstantCopy                 // the application waits for the primary alone
)

// MirrorState is the state of a mirror, as far as the host knows it.
type MirrorState uint8

// The states of a mirror.
const (
	MirrorNone          MirrorState = iota
	MirrorSynchronising             // being made identical (FIG. 2)
	MirrorInSync                    // follows the primary
	MirrorSuspended                 // dissociated: takes no writes; what it misses is marked
	MirrorFailed                    // the device does not work
)

// MirrorFlags are facts about a mirror.
type MirrorFlags uint8

const (
	// MirrorHasSuspendedChain says that a mirror chain that ended in a suspended CCW
	// waits on the mirror's queue (step 252).
	MirrorHasSuspendedChain MirrorFlags = 1 << iota
	// MirrorTracksInSync says that every track of this I/O is the same on the mirror,
	// by the host's own account, and that no write to one of them is under way.
	MirrorTracksInSync
	// MirrorWasSynchronising says that the mirror was synchronising when this mirror
	// request was made (step 248).
	MirrorWasSynchronising
	// MirrorLabelRead says that the mirror's volume label (VOL1) has been read for
	// this request (step 250). MirrorWasSynchronising is then still set if the label
	// says so.
	MirrorLabelRead
)

// MirrorIO is the state of this request's I/O on one mirror.
type MirrorIO uint8

// The states of a mirror I/O request.
const (
	MirrorIONone      MirrorIO = iota
	MirrorIOShadow             // on the shadow queue (236, 228)
	MirrorIOScheduled          // the back-end detour will run for it again (270)
	MirrorIOBegun              // started, or joined to a resumed chain (262)
	MirrorIOFailed             // could not be started (264), or ended with an error
	MirrorIOComplete           // ended well
	MirrorIODropped            // taken off the shadow queue (242)
)

// Mirror describes one mirror of the pair.
type Mirror struct {
	Device       uint16
	CFWID        uint16
	State        MirrorState
	Flags        MirrorFlags
	IO           MirrorIO
	_            uint8
	Queue        uint32 // requests on its unit control block, started ones included
	ReadLatency  uint32 // estimate, nanoseconds
	WriteLatency uint32 // estimate, nanoseconds
	OutOfSync    uint32 // tracks marked out of sync
	AtRisk       uint32 // writes acknowledged to an application that this mirror lacks now
	LastTrack    uint32 // track at which its last request ended
	_            [16]byte
}

// Pair describes the primary and its mirrors, for a request whose target is one of
// them.
type Pair struct {
	Size         uint32
	ID           uint32
	Group        uint32 // consistency group, 0: none
	Mirrors      uint8  // number of entries of Mirror in use
	Mode         PairMode
	Active       uint8 // mask: mirrors with a mirror I/O of this request under way (120)
	Self         uint8 // index of the mirror that the target is, when the target is a mirror
	CFWID        uint16
	_            uint16
	Queue        uint32 // of the primary
	ReadLatency  uint32 // estimate for the primary, nanoseconds
	WriteLatency uint32
	LastTrack    uint32
	AtRisk       uint32 // writes acknowledged to an application that some mirror lacks now
	_            [24]byte
	Mirror       [MaxMirrors]Mirror
}

// CCW is one channel-command word of the request's chain: an instruction of its
// channel program. Its fields are in format 1, whatever its format in storage.
type CCW struct {
	Command   uint8
	Flags     uint8
	Count     uint16
	Address   uint32 // data address
	Location  uint32 // address of the CCW itself in main storage
	Parameter uint8  // 1 + index of its first parameter block in Chain.Parameter; 0: none
	_         [3]byte
}

// ChainFlags are facts about a chain, a bit each.
type ChainFlags uint32

// ChainTruncated says that the host followed only the beginning of the chain,
// because of its limit or because an address leads to no storage: the chain cannot
// be judged as a whole.
const ChainTruncated ChainFlags = 1

// Chain describes the channel program of the request, with its first CCWs.
type Chain struct {
	Size       uint32
	Flags      ChainFlags
	Count      uint16 // CCWs in the chain
	Inline     uint16 // number of these in CCW
	Parameters uint16 // blocks in use in Parameter
	_          uint16
	_          [16]byte
	CCW        [InlineCCWs]CCW
	Parameter  [InlineParameters][ParameterSize]byte
}

// Settings are the detour's settings, in the order of its manifest. The host
// writes them once, when it makes the instance.
type Settings struct {
	Size  uint32
	Count uint32
	Value [MaxSettings]int64
}

// Verdict says who gets control after the detour.
type Verdict uint32

// The verdicts. An unknown verdict means Continue.
const (
	// Continue passes control to the next detour of the sequence, and after the last
	// one to the conventional target: the I/O supervisor's own routine (DDTSIO, the
	// return to IOSVSSCH, IECVPST).
	Continue Verdict = iota
	// Return passes over the rest of the sequence and the conventional target. On the
	// DDTSIO slot the request goes back to IOSVSSCH with the return code that an
	// intent gives; on SRBEP the unit of work goes back to the dispatcher and no
	// completion is reported; on the return address it ends the sequence of detours.
	Return
)

// Response is the detour's answer.
type Response struct {
	Verdict    Verdict
	Intents    uint16 // in use in Intent
	Recipes    uint16 // in use in Recipe
	Parameters uint16 // in use in Parameter
	Steps      uint16 // in use in Step
	_          uint32
	Intent     [MaxIntents]Intent
	Recipe     [MaxRecipe]RecipeCCW
	Parameter  [MaxResponseParameters][ParameterSize]byte
	Step       [MaxSteps]uint16
}

// Intent is one thing that the detour asks the host to do. The host checks it
// against the slot, the state and the capabilities, and carries it out or
// refuses it, visibly.
type Intent struct {
	Kind    IntentKind
	Mirrors uint8  // mask of mirrors that it is about
	Code    uint8  // by kind
	Flags   uint8  // by kind
	First   uint16 // first CCW of a recipe in Response.Recipe
	Count   uint16 // CCWs of the recipe; 0: the same chain
	Value   uint64 // by kind
}

// RecipeKind says how the host makes a CCW of a recipe.
type RecipeKind uint8

const (
	// RecipeCopy copies CCW number Source of the primary chain, data address and
	// all, with Command, Flags and Count of the recipe in place of its own.
	RecipeCopy RecipeKind = iota
	// RecipeParameter has parameter block Parameter of the response as its data.
	RecipeParameter
	// RecipePrivate is RecipeCopy with a private copy of the data area, as it is
	// when the primary chain is started.
	RecipePrivate
	// RecipeTransfer is a TIC to the CCW of the same recipe that is number Source in
	// Response.Recipe.
	RecipeTransfer
	// RecipeControl is a command without data.
	RecipeControl
)

// RecipeCCW is one CCW of a mirror chain, in terms of the primary chain.
type RecipeCCW struct {
	Kind      RecipeKind
	Command   uint8
	Flags     uint8
	Parameter uint8 // index in Response.Parameter
	Source    uint16
	Count     uint16
}
