package channel

// IRBSize is the size of an IRB in storage, without extended measurement.
const IRBSize = SCSWSize + 20 + 32

// The bytes of the extended-status word that are in use: the last-path-used mask,
// and the concurrent-sense flag and count of the extended-report word.
const (
	eswLPUM       = 1
	eswReport     = 4
	eswSenseCount = 5

	reportSense = 0x01
	senseCount  = 0x3F
)

// Put stores i into the first IRBSize bytes of p.
func (i *IRB) Put(p []byte) {
	_ = p[IRBSize-1]
	i.SCSW.Put(p)
	copy(p[SCSWSize:], i.ESW[:])
	copy(p[SCSWSize+len(i.ESW):], i.ECW[:])
}

// Sense returns the concurrent sense bytes, nil when there are none. The slice is
// the IRB's own memory.
func (i *IRB) Sense() []byte {
	if i.ESW[eswReport]&reportSense == 0 {
		return nil
	}
	return i.ECW[:min(int(i.ESW[eswSenseCount]&senseCount), len(i.ECW))]
}
