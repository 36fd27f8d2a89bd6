package image

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/emulator/media"
)

// Limits of the values in a header, before a device's geometry is found.
const (
	maximumHeads     = 64
	maximumTrackSize = 1 << 16
	// maximumCylinders is the largest number of cylinders that home addresses and
	// count fields of these formats can number: they have 16 bits for the cylinder.
	maximumCylinders = 1 << 16
)

// Offsets in the device header, in bytes.
const (
	headerHeads     = 8
	headerTrackSize = 12
	headerType      = 16
)

// checkShape checks that a device of the header's type has the header's heads and
// track size. For an error it also returns the offset of the wrong field in the
// header.
func checkShape(h header) (at int64, err error) {
	switch {
	case h.heads == 0 || h.heads > maximumHeads:
		return headerHeads, fmt.Errorf("%d heads, should be 1 to %d", h.heads, maximumHeads)
	case h.trackSize == 0 || h.trackSize > maximumTrackSize:
		return headerTrackSize, fmt.Errorf("track size %d, should be 512 to %d bytes", h.trackSize, maximumTrackSize)
	}
	var like *media.Geometry
	for _, g := range media.Models() {
		if g.FBA() || byte(g.Type) != h.deviceType {
			continue
		}
		if g.Heads == int(h.heads) && g.TrackSize == int(h.trackSize) {
			return 0, nil
		}
		like = g
	}
	switch {
	case like == nil:
		return headerType, fmt.Errorf("device type %02X, should be the last two digits of a device's, such as 90 for a 3390", h.deviceType)
	case like.Heads != int(h.heads):
		return headerHeads, fmt.Errorf("%d heads, should be %d on a %04x", h.heads, like.Heads, like.Type)
	}
	return headerTrackSize, fmt.Errorf("track size %d, should be %d bytes on a %04x", h.trackSize, like.TrackSize, like.Type)
}

// ckdGeometry finds the device of a CKD header, which must be of the type of the
// named device when one is named.
func ckdGeometry(h header, cylinders int64, device string) (*media.Geometry, error) {
	if cylinders < 1 || cylinders > maximumCylinders {
		return nil, fmt.Errorf("%d cylinders, should be 1 to %d", cylinders, maximumCylinders)
	}
	g, err := media.ForType(h.deviceType, int(cylinders), int(h.heads), int(h.trackSize))
	if err != nil || device == "" {
		return g, err
	}
	named, err := media.Lookup(device)
	if err != nil {
		return nil, err
	}
	if named.Type != g.Type {
		return nil, fmt.Errorf("device is a %s, should be a %s", g.Name, device)
	}
	return g, nil
}

// checkFBAType checks that a compressed image of blocks names a device that has
// blocks, or none: Hercules 3 leaves the byte zero.
func checkFBAType(low byte) error {
	var types []string
	for _, g := range media.Models() {
		if !g.FBA() {
			continue
		}
		if low == 0 || byte(g.Type) == low {
			return nil
		}
		if t := fmt.Sprintf("%02X", byte(g.Type)); !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return fmt.Errorf("device type %02X, should be 00 or the last two digits of a fixed-block device's: %s", low, strings.Join(types, ", "))
}

// fbaGeometry finds the device with that many blocks: of the type device if it is
// given, else of the type that ends in the two digits low, if that is not 0.
func fbaGeometry(blocks int64, low byte, device string) (*media.Geometry, error) {
	switch {
	case device != "":
	case low != 0:
		return media.ForBlocksOfType(low, blocks)
	default:
		return media.ForBlocks(blocks)
	}
	g, err := media.Lookup(device)
	if err != nil {
		return nil, err
	}
	return g.ResizeBlocks(blocks)
}

// linuxType is the only device type that has volumes in the Linux format.
const linuxType = 0x3390
