package step

// M is the base of the steps that the figures give no number: M1 is M + 1.
const M = 1000

// Making a pair identical. (FIG. 2.)
const (
	ClearChangedTracks   = 72 // mirror process: clear the changed-track mask of the primary device
	CopyEveryTrack       = 74 // mirror process: copy every track of the primary to the mirror while applications go on writing
	ReadChangedTracks    = 76 // mirror process: read the mask: how many tracks changed during the copy
	CompareWithThreshold = 78 // mirror process: compare that count with the threshold
	CopyChangedTracks    = 80 // mirror process: above the threshold: copy the changed tracks again, writes still allowed
	SuspendWrites        = 82 // mirror process: at or below the threshold: suspend writes to the primary
	CopyLastTracks       = 84 // mirror process: copy the last changed tracks, nothing can change meanwhile
	ResumeWrites         = 86 // mirror process: resume writes; the pair is now identical
)

// The way of a request to the device. (FIG. 3.)
const (
	IssueStartIO        = 88  // access method: issue STARTIO with an IOSB that points at the channel program
	BuildIOQ            = 90  // IOSVSSCQ: notice the STARTIO and build an IOQ for it
	QueueIOQ            = 92  // IOSVSSCQ: call IOSVSSCH, which puts the IOQ on the unit's queue
	CallDDTSIO          = 94  // IOSVSSCH: call through the first pointer (DDTSIO slot): conventional target DDTSIO, hooked target the front-end detour
	IssueSSCH           = 96  // IOSVSCP: issue SSCH for the channel program
	ReturnConditionCode = 104 // IOSVSCP: return the condition code through the return address
)

// The front-end detour. (FIG. 5.)
const (
	ContinueWithDDTSIO          = 100 // front-end detour: continue with the DDTSIO module that the slot pointed to before
	ReturnToIOSVSSCH            = 102 // front-end detour: return to IOSVSSCH instead
	BypassBackEnd               = 106 // front-end detour: leave the return address alone: bypass the back-end detour
	CallBackEnd                 = 108 // front-end detour: point the return address at the back-end detour
	LeaveBackEnd                = 112 // back-end detour: return to IOSVSSCH
	AskWhetherPrimary           = 114 // front-end detour: is the target a primary device?
	AskWhetherMirror            = 116 // front-end detour: is the target a mirror device?
	AskWhetherUnauthorisedWrite = 118 // front-end detour: mirror device: is this an unauthorised write?
	AskWhetherRedrive           = 120 // front-end detour: primary device: is an earlier mirror I/O of this request still active (re-drive)?
	LeaveQueued                 = 122 // front-end detour: yes: return code 4, the request stays queued and is retried later
	CreateMirrorRequest         = 124 // front-end detour: no: create the mirror I/O request (chain, IOSB, IOQ)
)

// A request to a mirror device. (FIG. 6.)
const (
	LetReadThrough     = 126 // front-end detour: mirror device: request only reads, let it through
	LetMirrorIOThrough = 128 // front-end detour: mirror device: request is the detours' own mirror I/O, let it through
	RejectWrite        = 130 // front-end detour: any other write to a mirror: reject with IOSCOD 4A and return code 8 (alternative: a defined extent or file mask that inhibits the write)
)

// Building the mirror request. (FIG. 7.)
const (
	BuildMirrorChain              = 132 // front-end detour: classify the primary chain and build the mirror chain if one is needed
	AskWhetherMirrorChainValid    = 226 // front-end detour: was a valid mirror chain built?
	QueueWithoutMirrorChain       = 228 // front-end detour: no: put the mirror request on the shadow queue all the same
	SetCCWError                   = 229 // front-end detour: no: set the CCW-error flag in the flag table
	AskWhetherMirrorChainNeeded   = 230 // front-end detour: does the mirror chain need handling at all?
	AskWhetherMirrorChainSuspends = 232 // front-end detour: does the mirror chain suspend itself?
	DisableSynchronous            = 234 // front-end detour: yes: disable synchronous mirroring for this primary
	HoldOnShadowQueue             = 236 // front-end detour: no: build the mirror IOSB and hold the request on the shadow queue
)

// The classes of channel programs, and those that write. (FIG. 8.)
const (
	ClassWrites               = 158 // front-end detour: class: writes only, no special feature
	ClassWritesSpecial        = 160 // front-end detour: class: writes only, special feature
	ClassReads                = 162 // front-end detour: class: reads only, no special feature
	ClassReadsSpecial         = 164 // front-end detour: class: reads only, special feature
	ClassReadsWrites          = 166 // front-end detour: class: reads and writes, no special feature
	ClassReadsWritesSpecial   = 168 // front-end detour: class: reads and writes, special feature
	ClassNeither              = 170 // front-end detour: class: neither reads nor writes
	AskWhetherCacheFastWrite  = 172 // front-end detour: cache fast write (CFW) set?
	CompareCFWID              = 173 // front-end detour: do both subsystems have the same CFWID?
	DuplicateWithCFWID        = 174 // front-end detour: no: copy the define-extent parameters into the IOQ, set the mirror's CFWID: a duplicate chain
	MirrorSameChain           = 176 // front-end detour: the primary chain goes to the primary; the mirror chain is the same chain (or the duplicate made in 174)
	AskWhetherWriteInterrupts = 178 // front-end detour: PCI set?
	AskWhetherWriteSuspends   = 180 // front-end detour: chain suspends itself?
	SetConstantCopy           = 182 // front-end detour: set the mode flag to constant copy: the application is told after the primary alone, the mirror write follows as soon as it can
	SkipInterruptingWrite     = 184 // front-end detour: PCI: do not write this data to the mirror
	AskWhetherStateChanges    = 220 // front-end detour: does the chain change the state of the storage subsystem?
	MirrorNothing             = 222 // front-end detour: no: nothing to mirror
	MirrorStateChange         = 224 // front-end detour: yes: build a mirror chain that changes the mirror subsystem in the same way
)

// Channel programs that read. (FIG. 9.)
const (
	AskWhetherReadsSelected = 186 // front-end detour: is read selection by metrics configured?
	ReadFromPrimary         = 188 // front-end detour: no: read from the primary
	ChooseReadDevice        = 190 // front-end detour: yes: choose primary or mirror by the metrics
	SendReadToOne           = 192 // front-end detour: send the chain to the chosen subsystem only
)

// Channel programs that read and write. (FIG. 10.)
const (
	DuplicateWithoutReads = 194 // front-end detour: duplicate the chain and keep the duplicate from reading
)

// Channel programs that read and write, with a special feature. (FIG. 11.)
const (
	AskWhetherInterrupts      = 198 // front-end detour: PCI set?
	CopyTracksOfChain         = 199 // front-end detour: yes: find the changed tracks and copy only those to the mirror
	AskWhetherModifiesItself  = 200 // front-end detour: self-modifying chain?
	ModifiesCCWs              = 202 // front-end detour: modifies its CCWs only
	ModifiesData              = 204 // front-end detour: modifies its data areas only
	ModifiesBoth              = 206 // front-end detour: modifies both
	DuplicateChain            = 208 // front-end detour: CCWs only: duplicate the chain, share the data areas
	SendBothChains            = 210 // front-end detour: primary chain to the primary, mirror chain to the shadow queue
	DuplicateChainAndData     = 212 // front-end detour: data areas modified: duplicate the chain, and the data areas as far as they overlap
	AskWhetherSuspends        = 214 // front-end detour: not self-modifying: does it suspend itself?
	ConstantCopyForSuspending = 216 // front-end detour: yes: constant copy
	PostError                 = 218 // front-end detour: no: post an error
)

// The back-end detour. (FIG. 12.)
const (
	LookOnShadowQueue       = 238 // back-end detour: is a mirror request for this primary request waiting on the shadow queue?
	AskWhetherPrimaryFailed = 240 // back-end detour: did the primary SSCH fail?
	DropMirrorRequest       = 242 // back-end detour: failed: take the mirror request off the shadow queue
	MoveToMirrorQueue       = 246 // back-end detour: succeeded: move it to the mirror queue (FIG. 13)
)

// Starting the mirror I/O. (FIG. 13.)
const (
	AskWhetherSynchronising  = 248 // back-end detour: was the mirror synchronising when the mirror request was made?
	ReadLabel                = 250 // back-end detour: yes: read the mirror's VOL1 label (record 3) to learn whether it still is
	AskWhetherSuspendedChain = 252 // back-end detour: is a suspended mirror chain on the mirror's queue already?
	JoinSuspendedChain       = 254 // back-end detour: yes: put a TIC to the new chain into the suspended CCW
	ClearSuspendBit          = 256 // back-end detour: clear its suspend bit
	ResumeSubchannel         = 258 // back-end detour: call IOSVRSUM: resume the subchannel
	AskWhetherMirrorStarted  = 260 // back-end detour: did the mirror I/O start?
	MarkBegun                = 262 // back-end detour: yes: mark it begun on the shadow queue
	MarkFailed               = 264 // back-end detour: no: mark it failed
	EndBackEnd               = 266 // back-end detour: return to IOSVSSCH, or end
	TieMirrorIOSB            = 268 // back-end detour: no suspended chain: tie the mirror IOSB to the mirror chain
	ScheduleBackEnd          = 270 // back-end detour: running disabled: schedule itself on the dispatch queue, at high priority
	AskWhetherDisabled       = 272 // back-end detour: running disabled?
	MirrorStartIO            = 274 // back-end detour: running enabled: issue the mirror STARTIO
)

// The way of the status. (FIG. 14.)
const (
	HandleInterruption = 276 // SLIH: handle the I/O interrupt
	TestSubchannel     = 278 // IOSVSLIH: TSCH: get the IRB with the subchannel status word
	CallIRBRoutine     = 284 // SLIH: call the IRB routine the IOSB names; for a mirror I/O it sets the mirror-completion flag
	ScheduleSRB        = 286 // SLIH: schedule the SRB whose entry point SRBEP points, conventionally, at IECVPST, hooked, at the post-status detour
	EndRequest         = 288 // IECVPST: re-drive the request, or tell the access method that it completed or failed
)

// The post-status detour. (FIG. 15 and 16.)
const (
	EnterPostStatus            = 290 // post-status detour: gets control in place of IECVPST
	AskWhetherNotPrimary       = 292 // post-status detour: is the target a device other than a primary?
	YieldToIECVPST             = 294 // post-status detour: yield to IECVPST
	AskWhetherPrimaryEndedWell = 296 // post-status detour: did the primary I/O succeed?
	SetPrimaryError            = 298 // post-status detour: no: set the primary-error flag
	AskWhetherMirrorEndedWell  = 300 // post-status detour: did the mirror I/O succeed?
	SetBothComplete            = 302 // post-status detour: yes: set the both-complete flag
	AskWhetherCCWError         = 304 // post-status detour: no: is the CCW-error flag set?
	RetryMirrorIO              = 306 // post-status detour: set: queue the mirror I/O for another attempt (alternative: dissociate the mirror)
	SetMirrorIncomplete        = 308 // post-status detour: not set: the mirror I/O is still under way; set the mirror-incomplete flag
	ReturnToDispatcher         = 312 // post-status detour: yield to the dispatcher, not to IECVPST: no completion is reported yet
)

// What the figures do not show.
const (
	PostStatusAgain   = M + 1 // mirror process: on mirror completion, if the primary is complete too, schedule the post-status detour for the primary again
	EndWaiting        = M + 2 // monitor: a request whose mirror never answers does not hang for ever: a periodic check posts an error
	PromoteMirror     = M + 3 // post-status detour: on primary failure, a mirror becomes the new primary; with several mirrors one is chosen and stays mirrored by the rest
	DissociateMirror  = M + 4 // post-status detour: on mirror failure, dissociate that mirror; or every mirror of that primary; or every mirror of every primary of the application (consistency group)
	UseSeveralMirrors = M + 5 // intercept process: several mirrors, each with its own subchannel and unit control block, each given its own chain
	RunInParallel     = M + 6 // host: primary and mirror I/O run in parallel; mirror on the same subsystem, a near one or a far one
	WriteLabel        = M + 7 // mirror process: the VOL1 label's reserved area after the owner field carries the synchronisation state
)
