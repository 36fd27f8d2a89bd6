package arch

// The completion codes of an I/O request. Post-status processing leaves the code in
// IOSCOD, a field of the request's I/O supervisor block (IOSB), and passes it to the
// requester. (z/OS MVS documentation of the event control block's I/O completion
// codes; CompletionRejected is this project's own choice among the free ones.)
const (
	CompletionNone        = 0    // not ended, or started and not judged yet
	CompletionPermanent   = 0x41 // permanent I/O error
	CompletionExtent      = 0x42 // outside the extent
	CompletionIntercepted = 0x44 // held back after an earlier error
	CompletionPurged      = 0x48 // taken off its queue
	CompletionRejected    = 0x4A // an application's write to a mirror device, refused
	CompletionNoPath      = 0x51 // no path, or ended by missing-interruption handling
	CompletionNormal      = 0x7F // ended well
)
