package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Sizes in a track image, in bytes.
const (
	homeAddressSize = 5
	countSize       = 8
	recordZeroData  = 8
	// maximumRecords is the largest number of records of a track, not counting record
	// zero.
	maximumRecords = 255
)

// NullFormat names the content of a track that no file stores. The formats are
// those of compressed images, in which a lookup entry contains one instead of an
// offset.
type NullFormat uint8

// The null formats.
const (
	// NullEndOfFile tracks have a standard record zero and an end-of-file record 1.
	NullEndOfFile NullFormat = iota
	// NullEmpty tracks have a standard record zero only.
	NullEmpty
	// NullLinux tracks have a standard record zero and twelve records of 4096 zeros,
	// as the Linux formatter leaves a 3390.
	NullLinux

	nullFormats = 3
)

// The records of a NullLinux track.
const (
	linuxRecords = 12
	linuxLength  = 4096
)

func (f NullFormat) String() string {
	switch f {
	case NullEndOfFile:
		return "end of file"
	case NullEmpty:
		return "empty"
	case NullLinux:
		return "linux"
	}
	return fmt.Sprintf("null format %d", uint8(f))
}

// size returns the length of a null track's image in bytes.
func (f NullFormat) size() int {
	n := homeAddressSize + countSize + recordZeroData + countSize
	switch f {
	case NullEndOfFile:
		n += countSize
	case NullLinux:
		n += linuxRecords * (countSize + linuxLength)
	}
	return n
}

// appendHome appends a home address and a standard record zero to p.
func appendHome(p []byte, cylinder, head int) []byte {
	p = append(p, 0)
	p = appendAddress(p, cylinder, head)
	p = appendCount(p, cylinder, head, 0, 0, recordZeroData)
	return append(p, make([]byte, recordZeroData)...)
}

func appendAddress(p []byte, cylinder, head int) []byte {
	p = binary.BigEndian.AppendUint16(p, uint16(cylinder))
	return binary.BigEndian.AppendUint16(p, uint16(head))
}

func appendCount(p []byte, cylinder, head, record, key, data int) []byte {
	p = append(appendAddress(p, cylinder, head), byte(record), byte(key))
	return binary.BigEndian.AppendUint16(p, uint16(data))
}

// appendEnd appends the end mark to p.
func appendEnd(p []byte) []byte {
	return append(p, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
}

// appendNull appends the image of a null track to p.
func (f NullFormat) appendNull(p []byte, cylinder, head int) []byte {
	p = appendHome(p, cylinder, head)
	switch f {
	case NullEndOfFile:
		p = appendCount(p, cylinder, head, 1, 0, 0)
	case NullLinux:
		for r := 1; r <= linuxRecords; r++ {
			p = appendCount(p, cylinder, head, r, 0, linuxLength)
			p = append(p, make([]byte, linuxLength)...)
		}
	}
	return appendEnd(p)
}

// nullFormatOf reports whether the track image is a null track, and returns its
// format.
func nullFormatOf(image []byte) (NullFormat, bool) {
	for f := range NullFormat(nullFormats) {
		if len(image) == f.size() && f.matches(image) {
			return f, true
		}
	}
	return 0, false
}

// matches reports whether image, which has the right length, is the null track of
// its own home address.
func (f NullFormat) matches(image []byte) bool {
	address := image[1:homeAddressSize]
	count := func(at, record, data int) bool {
		p := image[at:]
		return bytes.Equal(p[:4], address) && int(p[4]) == record && p[5] == 0 &&
			int(binary.BigEndian.Uint16(p[6:])) == data
	}
	if image[0] != 0 || !count(homeAddressSize, 0, recordZeroData) || !isEnd(image[len(image)-countSize:]) {
		return false
	}
	at := homeAddressSize + countSize
	if !isZero(image[at : at+recordZeroData]) {
		return false
	}
	at += recordZeroData
	switch f {
	case NullEndOfFile:
		return count(at, 1, 0)
	case NullLinux:
		for r := 1; r <= linuxRecords; r++ {
			if !count(at, r, linuxLength) || !isZero(image[at+countSize:at+countSize+linuxLength]) {
				return false
			}
			at += countSize + linuxLength
		}
	}
	return true
}

func isEnd(p []byte) bool { return binary.BigEndian.Uint64(p) == ^uint64(0) }

func isZero(p []byte) bool {
	for len(p) >= 8 {
		if binary.LittleEndian.Uint64(p) != 0 {
			return false
		}
		p = p[8:]
	}
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// trackFault names the offset in a track image at which the parse failed, and the
// reason.
type trackFault struct {
	at   int
	what string
}

func (f *trackFault) Error() string { return f.what }

// parseTrack walks the records of the track image at the start of p, whose home
// address must be cylinder and head, and returns the image's length up to and
// including the end mark.
func parseTrack(p []byte, cylinder, head int) (int, *trackFault) {
	if len(p) < homeAddressSize+countSize {
		return 0, &trackFault{0, fmt.Sprintf("%d bytes cannot hold a home address and an end mark, %d could", len(p), homeAddressSize+countSize)}
	}
	if c, h := int(binary.BigEndian.Uint16(p[1:])), int(binary.BigEndian.Uint16(p[3:])); c != cylinder || h != head {
		return 0, &trackFault{1, fmt.Sprintf("home address is cylinder %d head %d, should be cylinder %d head %d", c, h, cylinder, head)}
	}
	for at, records := homeAddressSize, 0; ; records++ {
		if records > maximumRecords {
			return 0, &trackFault{at, fmt.Sprintf("more than %d records, a record number counts no further", maximumRecords)}
		}
		if at+countSize > len(p) {
			return 0, &trackFault{at, fmt.Sprintf("records run to byte %d of the track without an end mark (8 bytes FF), the track has %d bytes", at, len(p))}
		}
		if records == 0 && p[at+4] != 0 {
			return 0, &trackFault{at, fmt.Sprintf("first record is number %d, should be record zero", p[at+4])}
		}
		if isEnd(p[at:]) {
			return at + countSize, nil
		}
		at += countSize + int(p[at+5]) + int(binary.BigEndian.Uint16(p[at+6:]))
	}
}
