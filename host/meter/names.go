package meter

import "github.com/iosrun/iosrun/host/wasm"

// The compiler reads the custom section "name" and makes room for as many names as
// it claims before it reads them, so a few bytes can claim gigabytes. So the claimed
// numbers are checked against the size of the section here.

const nameSection = "name"

// The parts of the section that the compiler reads.
const (
	functionNames = 1
	localNames    = 2
)

func (m *module) names(c wasm.Custom) error {
	d := &decoder{code: m.code, at: c.Offset, end: c.Offset + len(c.Data)}
	for d.err == nil && d.at < d.end {
		id := d.byte(nameSection)
		at := d.at
		size := int(d.u32(nameSection))
		if d.err == nil && size > d.end-d.at {
			d.fail(at, "custom section name has a part of %d bytes in %d", size, d.end-d.at)
			break
		}
		part := &decoder{code: m.code, at: d.at, end: d.at + size, err: d.err}
		switch id {
		case 0: // name of the module
			part.name()
		case functionNames:
			part.nameMap()
		case localNames:
			for range part.count() {
				part.u32(nameSection)
				part.nameMap()
			}
		default:
			part.at = part.end
		}
		if part.err == nil && part.at != part.end {
			part.fail(part.at, "custom section name has %d bytes behind a part's end", part.end-part.at)
		}
		d.err = part.err
		d.at = part.end
	}
	return d.err
}

// count reads the length of a vector whose items take two bytes at least.
func (d *decoder) count() int {
	at := d.at
	n := d.u32(nameSection)
	if d.err == nil && uint64(n)*2 > uint64(d.end-d.at) {
		d.fail(at, "custom section name claims %d names in %d bytes", n, d.end-d.at)
		return 0
	}
	return int(n)
}

func (d *decoder) name() {
	n := d.u32(nameSection)
	d.skip(int(n), nameSection)
}

func (d *decoder) nameMap() {
	for range d.count() {
		if d.err != nil {
			return
		}
		d.u32(nameSection)
		d.name()
	}
}
