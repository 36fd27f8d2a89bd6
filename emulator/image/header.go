package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The device header that every format but raw FBA begins with. Its fields are
// little-endian; offsets in bytes: 0 identifier, 8 heads, 12 track size, 16 low
// byte of the device type, 17 file sequence, 18 highest cylinder in the file.
const (
	headerSize     = 512
	identifierSize = 8
)

// kind is the kind of units of which a volume consists.
type kind uint8

const (
	kindCKD kind = iota
	kindFBA
)

// unit returns the name of the units, for messages.
func (k kind) unit() string {
	if k == kindFBA {
		return "block group"
	}
	return "track"
}

// container is the way in which a file holds a volume's units.
type container uint8

const (
	containerPlain container = iota
	containerCompressed
	containerShadow
)

// signature is the meaning of an identifier.
type signature struct {
	id        string
	kind      kind
	container container
	wide      bool // 64-bit offsets
}

// signatures lists the identifiers of Hercules 3 (370) and 4 (064). A raw FBA
// image has no header, so FBA_P370 never stands in a file.
var signatures = [...]signature{
	{"CKD_P370", kindCKD, containerPlain, false},
	{"CKD_C370", kindCKD, containerCompressed, false},
	{"CKD_S370", kindCKD, containerShadow, false},
	{"CKD_P064", kindCKD, containerPlain, true},
	{"CKD_C064", kindCKD, containerCompressed, true},
	{"CKD_S064", kindCKD, containerShadow, true},
	{"FBA_C370", kindFBA, containerCompressed, false},
	{"FBA_S370", kindFBA, containerShadow, false},
	{"FBA_C064", kindFBA, containerCompressed, true},
	{"FBA_S064", kindFBA, containerShadow, true},
}

func signatureFor(k kind, c container, wide bool) signature {
	for _, s := range signatures {
		if s.kind == k && s.container == c && s.wide == wide {
			return s
		}
	}
	panic(fmt.Sprintf("image: no signature for kind %d, container %d", k, c))
}

// header is the device header.
type header struct {
	signature
	heads        uint32
	trackSize    uint32
	deviceType   byte
	sequence     byte   // 0 is the only file, 1 the first of several
	highCylinder uint16 // 0 in the last or only file
}

// nearIdentifier is the largest number of wrong bytes in an identifier with which
// a file is still taken for a damaged image with a header, not for raw blocks.
const nearIdentifier = 2

// identify finds the signature of a header. A file that begins with nothing like
// an identifier has none (nil). A file whose identifier is nearly right, or begins
// with CKD_ or FBA_, is damaged.
func identify(p []byte) (*signature, error) {
	if len(p) < identifierSize {
		return nil, nil
	}
	nearest, wrong := 0, identifierSize+1
	for i := range signatures {
		n := 0
		for k := range identifierSize {
			if p[k] != signatures[i].id[k] {
				n++
			}
		}
		if n < wrong {
			nearest, wrong = i, n
		}
	}
	s := signatures[nearest]
	switch {
	case wrong == 0:
		return &s, nil
	case wrong <= nearIdentifier:
		return nil, fmt.Errorf("identifier is %q, should be %s or another of CKD_P370, CKD_C370, CKD_S370, FBA_C370, FBA_S370 and their 064 forms", p[:identifierSize], s.id)
	case bytes.HasPrefix(p, []byte("CKD_")) || bytes.HasPrefix(p, []byte("FBA_")):
		return nil, fmt.Errorf("identifier %q is none of CKD_P370, CKD_C370, CKD_S370, FBA_C370, FBA_S370 and their 064 forms", p[:identifierSize])
	}
	return nil, nil
}

// decodeHeader decodes the device header p of headerSize bytes whose signature
// is s.
func decodeHeader(p []byte, s signature) header {
	return header{
		signature:    s,
		heads:        binary.LittleEndian.Uint32(p[8:]),
		trackSize:    binary.LittleEndian.Uint32(p[12:]),
		deviceType:   p[16],
		sequence:     p[17],
		highCylinder: binary.LittleEndian.Uint16(p[18:]),
	}
}

// encode returns the header's headerSize bytes.
func (h *header) encode() []byte {
	p := make([]byte, headerSize)
	copy(p, h.id)
	binary.LittleEndian.PutUint32(p[8:], h.heads)
	binary.LittleEndian.PutUint32(p[12:], h.trackSize)
	p[16] = h.deviceType
	p[17] = h.sequence
	binary.LittleEndian.PutUint16(p[18:], h.highCylinder)
	return p
}
