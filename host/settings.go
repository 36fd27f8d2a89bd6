package host

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/iosrun/iosrun/abi"
)

// Settings turns the settings of a policy into the values of the frame, in the
// manifest's order, with the manifest's defaults for those that are not given. A
// value is a whole number within the setting's range, or one of its names.
func Settings(m *abi.Manifest, given map[string]string) ([]int64, error) {
	values := make([]int64, len(m.Settings))
	known := make([]string, len(m.Settings))
	for i := range m.Settings {
		s := &m.Settings[i]
		values[i], known[i] = s.Default, s.Name
		text, ok := given[s.Name]
		if !ok {
			continue
		}
		v, err := settingValue(s, text)
		if err != nil {
			return nil, fmt.Errorf("%s: setting %s: %w", m.Name, s.Name, err)
		}
		values[i] = v
	}
	var unknown []string
	for name := range given {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) != 0 {
		sort.Strings(unknown)
		return nil, fmt.Errorf("%s: setting %q is unknown: it has %s", m.Name, unknown[0], orNone(known))
	}
	return values, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func settingValue(s *abi.Setting, text string) (int64, error) {
	if len(s.Names) != 0 {
		if i := slices.Index(s.Names, text); i >= 0 {
			return int64(i), nil
		}
		return 0, fmt.Errorf("%q: want one of %s", text, strings.Join(s.Names, ", "))
	}
	v, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q: want a whole number from %d to %d", text, s.Min, s.Max)
	}
	if v < s.Min || v > s.Max {
		return 0, fmt.Errorf("%d: want %d to %d", v, s.Min, s.Max)
	}
	return v, nil
}

// FillSettings writes the settings section of a frame. It drops values beyond
// abi.MaxSettings, which only a manifest that did not pass its check can have.
func FillSettings(s *abi.Settings, values []int64) {
	*s = abi.Settings{Size: settingsSize, Count: uint32(len(values))}
	copy(s.Value[:], values)
}
