package arch

// Sense holds the first two sense bytes, byte 0 in the high half. They say why a
// device has presented unit check. (3990 storage control reference, "Sense Bytes".)
type Sense uint16

// The bits of sense byte 0.
const (
	SenseCommandReject    Sense = 0x8000 // the command, its place in the program or its parameters are invalid
	SenseIntervention     Sense = 0x4000 // intervention required: the device is not ready
	SenseBusOutCheck      Sense = 0x2000 // a command or data came with wrong parity
	SenseEquipmentCheck   Sense = 0x1000 // the hardware does not work
	SenseDataCheck        Sense = 0x0800 // the data read from the medium has an error that could not be corrected
	SenseOverrun          Sense = 0x0400 // the channel was too slow
	SenseIncompleteDomain Sense = 0x0100 // the program ended within a locate record's domain
)

// The bits of sense byte 1.
const (
	SensePermanentError Sense = 0x0080
	SenseInvalidFormat  Sense = 0x0040 // the records do not fit the track
	SenseEndOfCylinder  Sense = 0x0020 // a multitrack command came to the end of the cylinder
	SenseMessage        Sense = 0x0010 // message to the operator
	SenseNoRecord       Sense = 0x0008 // the record searched for is not on the track
	SenseFileProtected  Sense = 0x0004 // outside the extent, or against the file mask
	SenseWriteInhibited Sense = 0x0002 // the volume is read-only
	SenseIncomplete     Sense = 0x0001 // an operation is incomplete; on a 3830 an overflow record
)

// SenseSize is the largest number of sense bytes that a control unit gives.
const SenseSize = 32

// SenseOf returns the first two of a unit check's sense bytes.
func SenseOf(p *[SenseSize]byte) Sense { return Sense(p[0])<<8 | Sense(p[1]) }
