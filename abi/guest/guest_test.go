package guest_test

import (
	"testing"
	"unsafe"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/abi/guest/chain"
	"github.com/stretchr/testify/assert"
)

func TestFrame(t *testing.T) {
	assert.Same(t, guest.Frame(), guest.Frame())
	assert.Zero(t, uintptr(unsafe.Pointer(guest.Frame()))%8)
}

// TestChainWithoutHost: the package builds everywhere, and finds nothing where
// there is no host.
func TestChainWithoutHost(t *testing.T) {
	var into [2]abi.CCW
	assert.Zero(t, chain.Read(0, into[:]))
	assert.Zero(t, chain.Read(-1, into[:]))
	assert.Zero(t, chain.Read(0, nil))
}
