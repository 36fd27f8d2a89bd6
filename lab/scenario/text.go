package scenario

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Text returns the text of a scenario's file, with a line for each action. Parse
// makes the same scenario of it.
func (s *Scenario) Text() ([]byte, error) {
	var n yaml.Node
	if err := n.Encode(s); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch value := n.Content[i+1]; {
		case n.Content[i].Value == "play":
			for _, action := range value.Content {
				action.Style = yaml.FlowStyle
			}
		case value.Kind == yaml.MappingNode:
			value.Style = yaml.FlowStyle
		}
	}
	return yaml.Marshal(&n)
}

// MarshalYAML writes a duration as UnmarshalYAML reads it.
func (d Duration) MarshalYAML() (any, error) { return time.Duration(d).String(), nil }

// MarshalYAML writes two hexadecimal digits.
func (c Code) MarshalYAML() (any, error) {
	// The digits are quoted because YAML could read them as a number.
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: fmt.Sprintf("%02X", uint8(c))}, nil
}

// A run of bytes is written as XX*N when its pattern has at most patternBytes and
// the run at least runBytes.
const (
	patternBytes = 8
	runBytes     = 16
)

// MarshalYAML writes the bytes as UnmarshalYAML reads them.
func (b Bytes) MarshalYAML() (any, error) {
	var out strings.Builder
	separate := true // the next digits begin a new word
	for i := 0; i < len(b); {
		size, times := pattern(b[i:])
		if size != 0 {
			if i > 0 {
				out.WriteByte(' ')
			}
			fmt.Fprintf(&out, "%X*%d", []byte(b[i:i+size]), times)
			i += size * times
			separate = true
			continue
		}
		if separate && i > 0 {
			out.WriteByte(' ')
		}
		fmt.Fprintf(&out, "%02X", b[i])
		i++
		separate = i%4 == 0
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: out.String()}, nil
}

// pattern returns the length of a pattern that the bytes begin with several times,
// and the number of times; 0 when such a run is too short for a word of its own.
func pattern(b []byte) (size, times int) {
	for size = 1; size <= patternBytes && size <= len(b); size++ {
		n := size
		for n < len(b) && b[n] == b[n-size] {
			n++
		}
		if n/size*size >= runBytes && n >= 2*size {
			return size, n / size
		}
	}
	return 0, 0
}
