package arch

// Sizes of the parameters that positioning commands send, in bytes, and offsets of
// their fields. Tracks are addressed by four bytes CCHH, cylinder and head; numbers
// are big-endian. (3990 storage control reference.)
const (
	SeekSize       = 6 // two bytes of zeros, then CCHH
	SeekAt         = 2
	SearchIDSize   = 5 // CCHH and the record number
	SearchHomeSize = 4 // CCHH

	DefineExtentSize          = 16
	DefineExtentMask          = 0 // file mask, one byte
	DefineExtentAttribute     = 1 // global attributes, one byte
	DefineExtentBlockSize     = 2 // two bytes
	DefineExtentFastWrite     = 4 // identification for cache fast write, two bytes
	DefineExtentFastWriteSize = 2
	DefineExtentFirst         = 8  // first track
	DefineExtentLast          = 12 // last track

	LocateRecordSize      = 16
	LocateRecordOperation = 0  // orientation and operation, one byte
	LocateRecordAuxiliary = 1  // one byte
	LocateRecordCount     = 3  // number of records or tracks, one byte
	LocateRecordTrack     = 4  // to seek
	LocateRecordSearch    = 8  // track of the search argument, CCHH
	LocateRecordRecord    = 12 // record number of the search argument, one byte
	LocateRecordSector    = 13 // one byte
	LocateRecordLength    = 14 // transfer length factor, two bytes

	LocateRecordExtendedSize      = 20 // without the extended parameters, which follow it
	LocateRecordExtendedOperation = 17 // one byte
	LocateRecordExtendedCount     = 18 // bytes of extended parameters, two bytes

	PrefixSize      = 64
	PrefixFormat    = 0  // one byte
	PrefixValidity  = 1  // flags of the parts that are present, one byte
	PrefixBase      = 2  // unit address of the base device, one byte
	PrefixAuxiliary = 3  // one byte
	PrefixExtent    = 12 // the parameters of define extent
	PrefixLocate    = 44 // the parameters of locate record extended
)

// PrefixExtentValid is the bit of a prefix's validity byte that says that it has the
// parameters of define extent.
const PrefixExtentValid = 0x80

// Sizes and offsets of the parameters of fixed-block devices' commands. Blocks are
// addressed by numbers of four bytes. (3370 reference.)
const (
	FBAExtentSize     = 16
	FBAExtentMask     = 0  // file mask, one byte
	FBAExtentPhysical = 4  // the extent's first block on the device
	FBAExtentFirst    = 8  // the number that the program has for it
	FBAExtentLast     = 12 // the number that the program has for the last block

	FBALocateSize        = 8
	FBALocateOperation   = 0 // one byte
	FBALocateReplication = 1 // one byte
	FBALocateCount       = 2 // blocks, two bytes
	FBALocateBlock       = 4
)

// The file mask says what the rest of a channel program may do. It is sent by set
// file mask and by define extent.
const (
	MaskWrite       = 0xC0 // the bits about writes
	MaskWriteNoZero = 0x00 // anything but the home address and record zero
	MaskWriteNone   = 0x40
	MaskWriteUpdate = 0x80 // data and keys, no formatting
	MaskWriteAll    = 0xC0

	MaskReserved = 0x20 // must be zero

	MaskSeek         = 0x18 // the bits about seeks
	MaskSeekAll      = 0x00
	MaskSeekCylinder = 0x08 // to cylinder and head, not with the plain seek
	MaskSeekHead     = 0x10 // to another head alone
	MaskSeekNone     = 0x18 // nor by multitrack

	MaskAuthority  = 0x06 // 00 is normal, 02 device support
	MaskDiagnostic = 0x04
)

// The global attributes of a define extent.
const (
	AttributeECKD        = 0xC0 // both bits must be on
	AttributeConversion  = 0x20 // CKD conversion mode: record lengths may differ
	AttributeCache       = 0x1C // the bits about the cache; none on is normal
	AttributeBypass      = 0x04 // use no cache
	AttributeInhibitLoad = 0x08 // load nothing into the cache
	AttributeSequential  = 0x0C // read ahead
	AttributeFastWrite   = 0x02 // cache fast write: a write ends when it is in the cache
	AttributeInhibitFast = 0x01 // writes do not end before they are on the medium
)

// The operation byte of a locate record: what to stand behind on the track, in its
// two high bits, and what the commands that follow do.
const (
	OrientMask  = 0xC0
	OrientCount = 0x00 // behind the count field of the record that is searched for
	OrientHome  = 0x40 // behind the home address
	OrientData  = 0x80 // behind the record's data
	OrientIndex = 0xC0 // at the beginning of the track

	OperationMask       = 0x3F
	OperationOrient     = 0x00 // nothing follows
	OperationWriteData  = 0x01
	OperationFormat     = 0x03
	OperationReadData   = 0x06
	OperationWriteTrack = 0x0B
	OperationReadTracks = 0x0C
	OperationRead       = 0x16
	OperationExtended   = 0x3F // the extended operation byte holds the operation
)

// The extended operation byte of a locate record extended.
const (
	ExtendedWriteAny       = 0x09 // from whatever record comes first on
	ExtendedReadAny        = 0x0A
	ExtendedReadTrackset   = 0x0E // the tracks that a bit mask selects, a bit a track
	ExtendedWriteFullTrack = 0x11
	ExtendedWriteTrackData = 0x23
)

// The auxiliary byte of a locate record, and the value of its sector byte that names
// no angle.
const (
	AuxiliaryLength = 0x80 // the transfer length factor is there
	AuxiliarySuffix = 0x01 // a read count follows behind the domain
	AnySector       = 0xFF
)

// The operation byte of a fixed-block locate; its other bits have no meaning.
const (
	FBAOperationMask           = 0x0F
	FBAOperationWrite          = 0x01
	FBAOperationReadReplicated = 0x02 // the blocks are there several times over
	FBAOperationFormat         = 0x04 // format a defective block
	FBAOperationWriteVerify    = 0x05
	FBAOperationRead           = 0x06
)
