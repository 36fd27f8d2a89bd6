package image

// Format is the format of a volume's files.
type Format string

// The formats.
const (
	FormatCKD  Format = "ckd"  // plain tracks
	FormatCCKD Format = "cckd" // compressed tracks
	FormatFBA  Format = "fba"  // plain blocks
	FormatCFBA Format = "cfba" // compressed blocks
)

// Compressed reports whether the format has lookup tables.
func (f Format) Compressed() bool { return f == FormatCCKD || f == FormatCFBA }

// FBA reports whether the format holds fixed blocks.
func (f Format) FBA() bool { return f == FormatFBA || f == FormatCFBA }

// File is one file of a volume.
type File struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// Info holds the contents of the headers of an open volume. The files are in
// order: the parts of a plain image, or the base and then its shadow files.
type Info struct {
	Format      Format `json:"format"`
	Wide        bool   `json:"wide,omitempty"` // 64-bit offsets
	BigEndian   bool   `json:"bigEndian,omitempty"`
	Compression string `json:"compression,omitempty"`
	Opened      bool   `json:"opened,omitempty"` // the OPENED bit is on in one of the files
	Files       []File `json:"files"`
	Shadows     int    `json:"shadows,omitempty"`
	// Used and Free are the numbers of used and free bytes in the files.
	Used       int64 `json:"used"`
	Free       int64 `json:"free,omitempty"`
	FreeSpaces int   `json:"freeSpaces,omitempty"`
	// UnitsStored is the number of tracks or block groups that a compressed volume's
	// files hold; the others are null.
	UnitsStored int `json:"unitsStored,omitempty"`
	// Notes lists oddities that are no damage, such as space that is neither used nor
	// listed as free.
	Notes []string `json:"notes,omitempty"`
}
