package guest

import "github.com/iosrun/iosrun/abi"

// frame is the one frame of the module. It is a package variable because its
// address is the contract: the host lays its own view over it once, before the
// first call, and it must neither move nor be freed. Go aligns it to 8 bytes,
// as the contract wants, because it has 64-bit fields.
var frame abi.Frame

// Frame returns the frame that the host fills before each call of a hook, and in
// which the hook leaves its response. The address is the same in every call.
func Frame() *abi.Frame { return &frame }
