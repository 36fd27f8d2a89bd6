package constantcopy

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/poststatus/engine"
)

// PostStatus answers for SRBEP. Its settings are engine's.
func PostStatus(f *abi.Frame) { engine.Variant{ConstantCopy: true}.PostStatus(f) }
