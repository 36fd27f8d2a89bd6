package standard

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/poststatus/engine"
)

// PostStatus answers for SRBEP, the pointer to the routine that gets an I/O's
// status. Package engine lists the settings.
func PostStatus(f *abi.Frame) { engine.Variant{}.PostStatus(f) }
