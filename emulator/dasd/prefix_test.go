package dasd

import (
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/stretchr/testify/assert"
)

// prefixed is a prefix of format 2: the define extent given, or none, and an
// order.
func prefixed(extent, order string) step {
	valid, parameters := "00", fill(0, 50)
	if extent != "" {
		valid, parameters = "80", extent+fill(0, 34)
	}
	return step{code: 0xE7, data: "02" + valid + fill(0, 10) + parameters + order}
}

// A prefix of format 2 is a define extent and a perform subsystem function.
func TestPrefixWithSubsystemFunction(t *testing.T) {
	const (
		paths    = "18 0000000000 00 0000000000"
		features = "18 0000000000 41 0000000000"
		node     = "B001 0000"
	)
	for name, order := range map[string]struct {
		order string
		count int
	}{
		"path status": {paths, 16}, "features": {features, 256}, "node descriptor": {node, 32},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			want := b.ok(step{code: 0x27, data: order.order}, step{code: 0x3E, count: order.count}).data[1]
			for _, extent := range []string{"", dxRead} {
				r := b.ok(prefixed(extent, order.order), step{code: 0x3E, count: order.count})
				assert.Equal(t, want, r.data[1])
			}
		})
	}

	b := newBench(t)
	// The extent holds for the commands that follow.
	const cylinder1 = "40C0 1000 00000000 00010000 0001000E"
	characterize := "1D" + fill(0, 65)
	locate := "06 00 00 01 00020000 0002000001 FF 0000"
	assert.Equal(t, "000400", b.run(prefixed(cylinder1, characterize), step{code: 0x47, data: locate}).sense)
	assert.Equal(t, done, b.run(prefixed(dxRead, characterize), step{code: 0x47, data: locate}, step{code: 0x86, count: 4096}).unit)
	assert.Equal(t, "800002", b.run(prefixed("", characterize), step{code: 0x47, data: locate}).sense, "no extent")
	assert.Equal(t, done, b.run(prefixed("", "1B00")).unit, "an order of two bytes")

	// The length is that of both.
	r := b.run(prefixed(dxRead, characterize+"00000000"))
	assert.Equal(t, done, r.unit)
	assert.Equal(t, arch.IncorrectLength, r.channel)
	assert.Equal(t, 4, r.residual)

	// Errors are those of the two commands.
	for name, c := range map[string]struct {
		step  step
		sense string
	}{
		"bad extent":            {prefixed("60C0 1000 00000000 00000000 0009000E", paths), "800004"},
		"bad order":             {prefixed(dxRead, "99"+fill(0, 11)), "800004"},
		"bad function":          {prefixed(dxRead, "18 0000000000 77 0000000000"), "800004"},
		"order too short":       {prefixed(dxRead, "18 0000000000"), "800003"},
		"no order":              {prefixed(dxRead, ""), "800003"},
		"format that is no one": {step{code: 0xE7, data: "03" + fill(0, 63)}, "800004"},
	} {
		r = b.run(c.step)
		assert.Equal(t, c.sense, r.sense, name)
	}
	assert.Equal(t, "800002", b.run(prefixed("", "1B00"), step{code: 0x03}).sense, "set special intercept condition is last")
	assert.Equal(t, "800002", b.run(prefixed(dxRead, paths), step{code: 0x03}).sense, "the read must follow")
}
