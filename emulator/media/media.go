package media

import "github.com/iosrun/iosrun/emulator/machine"

// Mode says how a medium may be used.
type Mode uint8

// The modes. CopyOnWrite keeps changes in memory; the image stays untouched.
const (
	ReadWrite Mode = iota
	ReadOnly
	CopyOnWrite
)

// CKD is a medium of tracks. Tracks are numbered cylinder*heads + head. A
// medium belongs to one machine and is used from its event loop only.
type CKD interface {
	Geometry() *Geometry
	// Track returns track n for reading. It must not be changed, and is valid until
	// the next call of a method of the medium.
	Track(n int) (*Track, error)
	// Update returns track n for changing in place; the medium keeps the change. It
	// fails with ErrReadOnly on a medium opened read-only.
	Update(n int) (*Track, error)
	// Flush makes every change durable where the medium is a file.
	Flush() error
	// Close flushes and releases the medium.
	Close() error
}

// FBA is a medium of fixed 512-byte blocks.
type FBA interface {
	Geometry() *Geometry
	// ReadBlocks reads len(p)/512 blocks from block first on.
	ReadBlocks(first int64, p []byte) error
	// WriteBlocks writes len(p)/512 blocks from block first on.
	WriteBlocks(first int64, p []byte) error
	// ReadTags fills tags with the content of len(tags) blocks from block first
	// on, and reports false when any of them is not synthetic (then tags is
	// undefined, and ReadBlocks has the content).
	ReadTags(first int64, tags []machine.Tag) bool
	// WriteTags writes synthetic content to len(tags) blocks from block first on.
	WriteTags(first int64, tags []machine.Tag) error
	Flush() error
	Close() error
}

// Track is the content of one CKD track, in one of two forms.
//
// An image has the form that other emulators store: the home address (flag
// byte, CC, HH), then records, each a count field (CC HH R KL DL, 8 bytes), key
// and data, then eight bytes FF. A uniform track is N records 1..N without key,
// all of DataLength bytes (a multiple of 512), behind a standard record zero;
// their content is N*DataLength/512 tags. Materialize turns the second form
// into the first.
type Track struct {
	Cylinder, Head int

	// Image is the track image, or nil when the track is uniform. Its length is the
	// part in use, up to and including the end mark; its capacity is the device's
	// track size.
	Image []byte

	// Records, DataLength and Tags describe a uniform track.
	Records    int
	DataLength int
	Tags       []machine.Tag
}
