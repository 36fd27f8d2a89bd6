package wasm

import "bytes"

// Edit describes the changes that Rewrite makes to a module.
type Edit struct {
	// MemoryMax, when not 0, is the maximum in pages for a memory that declares
	// none. A table that declares no maximum gets its minimum as one.
	MemoryMax uint32
	// Section and Data are a custom section to put at the end of the module, in
	// place of any of that name.
	Section string
	Data    []byte
}

// Rewrite returns a copy of the module with the changes of the edit. The same module
// and edit give the same bytes.
func Rewrite(b []byte, e Edit) ([]byte, error) {
	m, err := Parse(b)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(b)+len(e.Data)+64)
	out = append(out, preamble...)
	custom := 0
	for _, s := range m.Sections {
		body := b[s.Offset : s.Offset+s.Size]
		switch {
		case s.ID == SectionCustom:
			name := m.Customs[custom].Name
			custom++
			if e.Section != "" && name == e.Section {
				continue
			}
		case s.ID == secMemory && e.MemoryMax != 0:
			if body, err = bound(b, s, m.Memories, e.MemoryMax); err != nil {
				return nil, err
			}
		case s.ID == secTable && e.MemoryMax != 0:
			if body, err = bound(b, s, m.Tables, 0); err != nil {
				return nil, err
			}
		}
		out = AppendSection(out, s.ID, body)
	}
	if e.Section != "" {
		var c bytes.Buffer
		c.Write(AppendU32(nil, uint32(len(e.Section))))
		c.WriteString(e.Section)
		c.Write(e.Data)
		out = AppendSection(out, SectionCustom, c.Bytes())
	}
	return out, nil
}

// bound returns the contents of section s with a maximum for each of its limits that
// has none: limit, or the minimum when limit is 0.
func bound(b []byte, s Section, all []Limits, limit uint32) ([]byte, error) {
	var out []byte
	from := s.Offset
	for _, l := range all {
		if l.HasMax {
			continue
		}
		top := limit
		if top == 0 {
			top = l.Min
		}
		if l.Min > top {
			return nil, &Error{l.Offset, "memory with a minimum above the maximum that it is to get"}
		}
		out = append(out, b[from:l.Offset]...)
		out = append(out, b[l.Offset]|1)
		out = AppendU32(AppendU32(out, l.Min), top)
		r := reader{b: b, at: l.Offset + 1, end: len(b)}
		r.u32("a minimum")
		from = r.at
	}
	return append(out, b[from:s.Offset+s.Size]...), nil
}

// AppendSection appends a section with its id and its size.
func AppendSection(out []byte, id byte, body []byte) []byte {
	out = AppendU32(append(out, id), uint32(len(body)))
	return append(out, body...)
}

// AppendU32 appends v as an unsigned LEB128 number.
func AppendU32(out []byte, v uint32) []byte {
	for v >= 0x80 {
		out = append(out, byte(v)|0x80)
		v >>= 7
	}
	return append(out, byte(v))
}
