package settings

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/policy/catalog"
)

// gather gives the settings of a file, if there is one, and of variables.
func gather(path string, variables ...string) (*experiment.Config, error) {
	s, err := New()
	if err != nil {
		return nil, err
	}
	if path != "" {
		if err := s.File(path); err != nil {
			return nil, err
		}
	}
	if err := s.Environment(variables); err != nil {
		return nil, err
	}
	return s.Config()
}

// checked is the experiment of what was gathered, and the first error that is found
// before anything runs.
func checked(cfg *experiment.Config, err error) (*description.Experiment, error) {
	if err != nil {
		return nil, err
	}
	cfg.Policies = []string{"none"}
	x, err := cfg.Parse()
	if err == nil {
		if err = x.CheckWorkload(); err == nil {
			err = x.CheckImages()
		}
	}
	return x, err
}

// odd are numbers that a setting may be given, as text.
var odd = []string{
	"nan", "inf", "-inf", "-0", "-0.0", "-1", "1.5", "0", "1", "1e300", "-1e300", "1e-300", "4294967296", "9223372036854775807",
	"-9223372036854775808", "18446744073709551615", "18446744073709551616", "99999999999999999999999", "0x10", "1e3", "", "  7 ", "1_000",
}

var yamlNumbers = strings.NewReplacer("nan", ".nan", "inf", ".inf")

// TestEveryNumber: whatever a number is, it is refused before anything runs, with
// where it was given, or the experiment can be run.
func TestEveryNumber(t *testing.T) {
	exp := filepath.Join(t.TempDir(), "e.yaml")
	played := 0
	try := func(key, value, where, path string, variables ...string) {
		t.Helper()
		what := fmt.Sprintf("%s %q in %s", key, value, where)
		x, err := checked(gather(path, variables...))
		if err != nil {
			assert.Contains(t, err.Error(), where, what)
			assert.NotContains(t, err.Error(), "\n", what)
			return
		}
		defer x.Close()
		require.NotContains(t, []string{"nan", "inf", "-inf", "1.5x"}, value, what)
		x.Machine.Native = true
		plan, err := experiment.PrepareParsed(t.Context(), x, &catalog.Loader{})
		require.NoError(t, err, what)
		_, err = plan.Run(t.Context(), 0, experiment.Options{})
		assert.NoError(t, err, what)
		played++
	}
	known := settingKeys()
	numbers := 0
	for _, key := range slices.Sorted(func(yield func(string) bool) {
		for k := range known {
			if !yield(k) {
				return
			}
		}
	}) {
		v := reflect.New(known[key]).Elem()
		if !v.CanFloat() && !v.CanInt() && !v.CanUint() || strings.Contains(key, "*") {
			continue
		}
		numbers++
		for _, value := range odd {
			if big := strings.HasPrefix(value, "922") || strings.HasPrefix(value, "184") || strings.HasPrefix(value, "429"); big && key == "workload.generator.count" {
				continue // would be played
			}
			group, name := "", key
			if i := strings.LastIndexByte(key, '.'); i >= 0 {
				group, name = key[:i], key[i+1:]
			}
			// The file, in which every group that there is has a line of its own.
			text := "model: 3390-1\nworkload:\n  generator:\n    count: 3\n    sizes: [{bytes: 4096, weight: 1}]\n"
			line := name + ": " + yamlNumbers.Replace(value) + "\n"
			if value == "" {
				continue
			}
			at := 0
			switch group {
			case "":
				text, at = line+text, 1
			case "workload":
				text, at = text+"  "+line, 6
			case "workload.generator":
				text = strings.Replace(text, "    count: 3\n", "", 1)
				if name != "count" {
					text += "    count: 3\n"
				}
				text, at = text+"    "+line, strings.Count(text, "\n")+1
			default:
				for i, g := range strings.Split(group, ".") {
					text += strings.Repeat("  ", i) + g + ":\n"
				}
				text += strings.Repeat("  ", strings.Count(group, ".")+1) + line
				at = strings.Count(text, "\n")
			}
			require.NoError(t, os.WriteFile(exp, []byte(text), 0o600))
			try(key, value, fmt.Sprintf("line %d", at), exp)
		}
		// The environment: whatever the file says.
		require.NoError(t, os.WriteFile(exp, []byte("model: 3390-1\nworkload: {generator: {count: 3, sizes: [{bytes: 4096, weight: 1}]}}\n"), 0o600))
		for _, value := range []string{"nan", "-inf", "-0", "1e300", "-1", "1.5", "fast", ""} {
			try(key, value, variable(key), exp, variable(key)+"="+value)
		}
	}
	assert.Greater(t, numbers, 30)
	assert.Greater(t, played, 100)
}

// TestWhereASettingIsWrong: errors about a file name it and the line, others the
// variable.
func TestWhereASettingIsWrong(t *testing.T) {
	exp := filepath.Join(t.TempDir(), "e.yaml")
	for _, c := range []struct{ file, want string }{
		{"colour: red\n", `experiment E line 1: key "colour" is unknown: want one of expect, faults, mirror, mirrors, model, name,`},
		{"workload:\n  trace: redis\n  sped: 2\n", `experiment E line 3: key "workload.sped" is unknown: want one of cylinders, first-cylinder,`},
		{"workload: {sped: 2}\n", `did you mean "speed"?`},
		{"mirror.link: ficon\n", `experiment E line 1: key "mirror.link" is unknown: want one of expect,`},
		{"mirrors:\n- {}\n- kilometers: 5\n", `experiment E line 3: key "mirrors.1.kilometers" is unknown`},
		{"mirrors:\n- {}\n- kilometres: -5\n", "experiment E line 3: link of -5 kilometres: want 0 to 40000"},
		{"mirror:\n  link: string\n", `experiment E line 2: link type "string": want ficon`},
		{"\n\nmodel: 3391\n", `experiment E line 3: device type "3391": unknown`},
		{"seed: [1]\n", "experiment E line 1: seed: "},
		{"seed: yes\n", `experiment E line 1: seed: "yes": want a whole number from 0 to 18446744073709551615`},
		{"native: 1\n", "experiment E line 1: native: 1: want true or false"},
		{"patience: 5\n", "experiment E line 1: patience: 5: want a time with its unit, such as 5s or 200ms"},
		{"patience: 5 seconds\n", `experiment E line 1: patience: "5 seconds": want a time with its unit`},
		{"mirror: ficon\n", `experiment E line 1: mirror is "ficon": want keys with their values: aliases,`},
		{"mirror:\n", "experiment E line 1: mirror has no value"},
		{"mirrors: {link: ficon}\n", `experiment E line 1: mirrors: want a list, with a "-" in front of each entry`},
		{"workload:\n  generator:\n    rate: .nan\n    count: 5\n", "experiment E line 3: generator: rate of NaN requests a second"},
		{"workload:\n  generator:\n    count: 5\n    sizes:\n    - {bytes: 5, weight: 1}\n", "experiment E line 4: generator: size 1 of 5 bytes"},
		{"workload:\n  trace: none.csv\n", "experiment E line 2: trace none.csv: no such file"},
		{"workload: {trace: redis}\nfaults: [1s=mirror9:gone]\n", `experiment E line 2: fault "1s=mirror9:gone": there are 1 mirrors`},
		{"workload: {trace: redis}\nswaps: [soon]\n", `experiment E line 2: swap "soon": want TIME=POLICY`},
		{"workload: {trace: redis}\nswaps: [9000h=sync]\n", "its time is above 8784h0m0s"},
		{"workload: {trace: redis}\nfaults: [9000h=mirror1:gone]\n", "its time is above 8784h0m0s"},
		{"seed: 1\nseed: 2\n", `experiment E: yaml: unmarshal errors:`},
		{"a: [\n", "experiment E: yaml: line 1:"},
		{"- a\n", "experiment E line 1: want keys with their values"},
		{"", "experiment E: is empty"},
		{"seed: 1\n---\nseed: 2\n", "experiment E: holds more than one document"},
		{"a: &a {b: *a}\n", "anchor 'a' value contains itself"},
		{strings.Repeat("# long\n", MaxFile/7+1), "experiment E: has 1048579 bytes: want a file or a pipe of at most 1048576 bytes"},
	} {
		require.NoError(t, os.WriteFile(exp, []byte(c.file), 0o600))
		_, err := checked(gather(exp))
		require.ErrorContains(t, err, strings.Replace(c.want, "experiment E", "experiment "+exp, 1))
	}
	_, err := checked(gather("/dev/zero"))
	assert.ErrorContains(t, err, "experiment /dev/zero: is a device")
	_, err = checked(gather(t.TempDir()))
	assert.ErrorContains(t, err, "is a folder")

	for variable, want := range map[string]string{
		"IOSRUN_WORKLOAD_SPED=2":                         `environment: IOSRUN_WORKLOAD_SPED is no setting's variable; did you mean "IOSRUN_WORKLOAD_SPEED"?`,
		"IOSRUN_WORKLOAD_SPEED=fast":                     `environment: IOSRUN_WORKLOAD_SPEED: "fast": want a number`,
		"IOSRUN_WORKLOAD_SPEED=nan":                      "environment: IOSRUN_WORKLOAD_SPEED: workload.speed is NaN",
		"IOSRUN_WORKLOAD_SKIP__BAD=-1":                   "environment: IOSRUN_WORKLOAD_SKIP__BAD: workload.skip-bad is -1",
		"IOSRUN_MIRROR=x":                                "environment: IOSRUN_MIRROR: a variable sets a single value",
		"IOSRUN_MIRROR_CFWID=65536":                      `environment: IOSRUN_MIRROR_CFWID: "65536": want a whole number from 0 to 65535`,
		"IOSRUN_EXPECT_FAILED__REQUESTS=perhaps":         `environment: IOSRUN_EXPECT_FAILED__REQUESTS: "perhaps": want true or false`,
		"IOSRUN_PATIENCE=5":                              `environment: IOSRUN_PATIENCE: "5": want a time with its unit`,
		"IOSRUN_SYNCHRONISE_STREAMS=99":                  "environment: IOSRUN_SYNCHRONISE_STREAMS: synchronise.streams is 99",
		"IOSRUN_SYNCHRONISE_TRACKS__PER__SECOND=1000000": "",
	} {
		_, err := checked(gather("", variable))
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}

// TestEveryKeyHasAVariable: also those with an underline.
func TestEveryKeyHasAVariable(t *testing.T) {
	exp := filepath.Join(t.TempDir(), "e.yaml")
	require.NoError(t, os.WriteFile(exp, []byte("workload: {generator: {rate: 5}}\npolicies: sync, none\nmodel: 3390\npatience: 200ms\nmirrors: [{}, {aliases: 3}]\n"), 0o600))
	cfg, err := gather(exp, "IOSRUN_WORKLOAD_GENERATOR_READ_SHARE=0.25", "IOSRUN_WORKLOAD_GENERATOR_COUNT=7", "IOSRUN_WORKLOAD_TRACE=")
	require.NoError(t, err)
	assert.Equal(t, 0.25, cfg.Workload.Generator.ReadShare)
	assert.EqualValues(t, 7, cfg.Workload.Generator.Count)
	assert.Equal(t, []string{"sync", " none"}, cfg.Policies)
	assert.Equal(t, "3390", cfg.Model)
	assert.Equal(t, 200*time.Millisecond, cfg.Patience)
	assert.Equal(t, 3, cfg.Mirrors[1].Aliases)
	seen := make(map[string]string)
	for key := range settingKeys() {
		assert.Empty(t, seen[variable(key)], key)
		seen[variable(key)] = key
	}
	_, err = whole(reflect.TypeFor[int64](), uint64(math.MaxUint64))
	assert.Error(t, err)
}

// TestPut: what is put there takes the place of what the file says, and is told
// apart from it.
func TestPut(t *testing.T) {
	exp := filepath.Join(t.TempDir(), "e.yaml")
	require.NoError(t, os.WriteFile(exp, []byte("seed: 5\nmodel: 3390-1\nmirrors: [{aliases: 3}, {aliases: 4}]\n"), 0o600))
	s, err := New()
	require.NoError(t, err)
	require.NoError(t, s.File(exp))
	require.NoError(t, s.Environment([]string{"IOSRUN_SEED=6", "IOSRUN_OTHER=1", "HOME=x"}, "IOSRUN_OTHER"))
	require.NoError(t, s.Put(
		map[string]any{"seed": "7", "mirrors": []any{map[string]any{}}, "workload.generator": map[string]any{"rate": 9.0}},
		map[string]string{"seed": "--seed", "mirrors": "--mirrors"},
	))
	cfg, err := s.Config()
	require.NoError(t, err)
	assert.EqualValues(t, 7, cfg.Seed)
	assert.Len(t, cfg.Mirrors, 1)
	assert.Equal(t, 9.0, cfg.Workload.Generator.Rate)
	assert.EqualValues(t, 4096, cfg.Workload.Generator.AlignBytes, "the default")
	assert.Nil(t, cfg.Policies)
	for key, want := range map[string]string{"seed": "--seed", "mirrors.0.aliases": "--mirrors", "model": "experiment " + exp + " line 2", "patience": ""} {
		assert.Equal(t, want, cfg.Origin(key), key)
	}
}
