// Package constantcopy is the post-status detour of constant copy: the
// application learns that its write is done when the primary has it. (FIG. 16
// without step 312.)
package constantcopy

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/poststatus/engine"
)

// PostStatus answers for SRBEP. Its settings are engine's.
func PostStatus(f *abi.Frame) { engine.Variant{ConstantCopy: true}.PostStatus(f) }
