package dasd

import (
	"encoding/hex"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Sense bytes 0 to 7 of each type of device, of a drive 3 that stands at a
// cylinder and head, after a record was not found and at the end of a cylinder.
func TestSensePlaces(t *testing.T) {
	for _, c := range []struct {
		model          string
		cylinder, head int
		bits           arch.Sense
		want           string
	}{
		{"2305-2", 40, 7, arch.SenseNoRecord, "0008004000000000"},
		{"2311", 100, 9, arch.SenseNoRecord, "000800c800000000"},
		{"2311", 100, 9, arch.SenseEndOfCylinder, "002000cc00000000"},
		{"2314", 100, 19, arch.SenseEndOfCylinder, "0020004400000000"},
		{"3330", 0x102, 18, arch.SenseNoRecord, "0008000023025200"},
		{"3330-11", 0x302, 18, arch.SenseNoRecord, "0008000023027200"},
		{"3340-70", 0x202, 11, arch.SenseNoRecord, "0008820010024b00"},
		{"3350", 0x202, 29, arch.SenseNoRecord, "0008000010025d00"},
		{"3375", 0x302, 11, arch.SenseNoRecord, "000800000302cb00"},
		{"3380-K", 0xA02, 14, arch.SenseNoRecord, "000800000302ae00"},
		{"3390-3", 0xD02, 14, arch.SenseNoRecord, "000800000002de00"},
		{"3390-9", 0x2702, 14, arch.SenseNoRecord, "00080000" + "00ffff00"},
		{"9345", 0x502, 14, arch.SenseNoRecord, "0008000000025e00"},
	} {
		g, err := media.Lookup(c.model)
		require.NoError(t, err)
		d := &Device{number: 0x0123, geometry: g, unit: usualUnit(g)}
		s := &session{device: d}
		s.check(c.bits, messageNone, c.cylinder*g.Heads+c.head)
		assert.Equal(t, c.want, hex.EncodeToString(s.sense[:8]), c.model)
	}
}
