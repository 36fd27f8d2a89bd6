// Package standard is the post-status detour of synchronous mirroring: the
// application learns that its write is done when the primary and every mirror
// have it, unless the request is one of constant copy. (FIG. 16.)
package standard

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/poststatus/engine"
)

// PostStatus answers for SRBEP. Its settings are engine's.
func PostStatus(f *abi.Frame) { engine.Variant{}.PostStatus(f) }
