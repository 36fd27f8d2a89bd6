package ios

import "github.com/iosrun/iosrun/abi/arch"

// The names that packages have which do not take them from arch yet.
const (
	CodeNormal      = arch.CompletionNormal
	CodePermanent   = arch.CompletionPermanent
	CodeExtent      = arch.CompletionExtent
	CodeIntercepted = arch.CompletionIntercepted
	CodePurged      = arch.CompletionPurged
	CodeRejected    = arch.CompletionRejected
	CodeNoPath      = arch.CompletionNoPath
)
