package abi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:generate go test -run TestSpecTables -update .

var update = flag.Bool("update", false, "rewrite the tables of SPEC.md, keeping what they say a field means")

// layouts are the structs of the frame, in the order of SPEC.md.
var layouts = []any{
	abi.Frame{}, abi.Head{}, abi.Target{}, abi.Status{}, abi.Pair{}, abi.Mirror{}, abi.Chain{}, abi.CCW{},
	abi.Settings{}, abi.Response{}, abi.Intent{}, abi.RecipeCCW{},
}

type value struct {
	name  string
	value uint64
}

// values are the numbers that fields hold, by the type of the field.
var values = map[string][]value{
	"Hook":        {{"FrontEnd", uint64(abi.FrontEnd)}, {"BackEnd", uint64(abi.BackEnd)}, {"PostStatus", uint64(abi.PostStatus)}},
	"HeadFlags":   {{"Disabled", uint64(abi.Disabled)}, {"Tracing", uint64(abi.Tracing)}},
	"Role":        {{"RoleNone", uint64(abi.RoleNone)}, {"RolePrimary", uint64(abi.RolePrimary)}, {"RoleMirror", uint64(abi.RoleMirror)}},
	"Origin":      {{"OriginApplication", uint64(abi.OriginApplication)}, {"OriginMirror", uint64(abi.OriginMirror)}, {"OriginRouted", uint64(abi.OriginRouted)}, {"OriginSync", uint64(abi.OriginSync)}},
	"DeviceClass": {{"ClassECKD", uint64(abi.ClassECKD)}, {"ClassFBA", uint64(abi.ClassFBA)}},
	"CompletionCode": {{"CompletionNone", uint64(abi.CompletionNone)}, {"CompletionPermanent", uint64(abi.CompletionPermanent)}, {"CompletionExtent", uint64(abi.CompletionExtent)},
		{"CompletionIntercepted", uint64(abi.CompletionIntercepted)}, {"CompletionPurged", uint64(abi.CompletionPurged)}, {"CompletionRejected", uint64(abi.CompletionRejected)},
		{"CompletionNoPath", uint64(abi.CompletionNoPath)}, {"CompletionNormal", uint64(abi.CompletionNormal)}},
	"FlagTable": {{"FlagCCWError", uint64(abi.FlagCCWError)}, {"FlagPrimaryError", uint64(abi.FlagPrimaryError)}, {"FlagBothComplete", uint64(abi.FlagBothComplete)},
		{"FlagMirrorIncomplete", uint64(abi.FlagMirrorIncomplete)}, {"FlagPrimaryComplete", uint64(abi.FlagPrimaryComplete)}, {"FlagMirrorComplete", uint64(abi.FlagMirrorComplete)},
		{"FlagMirrorError", uint64(abi.FlagMirrorError)}, {"FlagConstantCopy", uint64(abi.FlagConstantCopy)}, {"FlagTimedOut", uint64(abi.FlagTimedOut)}},
	"PairMode": {{"ModeSynchronous", uint64(abi.ModeSynchronous)}, {"ModeConstantCopy", uint64(abi.ModeConstantCopy)}},
	"MirrorState": {{"MirrorNone", uint64(abi.MirrorNone)}, {"MirrorSynchronising", uint64(abi.MirrorSynchronising)}, {"MirrorInSync", uint64(abi.MirrorInSync)},
		{"MirrorSuspended", uint64(abi.MirrorSuspended)}, {"MirrorFailed", uint64(abi.MirrorFailed)}},
	"MirrorFlags": {{"MirrorHasSuspendedChain", uint64(abi.MirrorHasSuspendedChain)}, {"MirrorTracksInSync", uint64(abi.MirrorTracksInSync)},
		{"MirrorWasSynchronising", uint64(abi.MirrorWasSynchronising)}, {"MirrorLabelRead", uint64(abi.MirrorLabelRead)}},
	"MirrorIO": {{"MirrorIONone", uint64(abi.MirrorIONone)}, {"MirrorIOShadow", uint64(abi.MirrorIOShadow)}, {"MirrorIOScheduled", uint64(abi.MirrorIOScheduled)},
		{"MirrorIOBegun", uint64(abi.MirrorIOBegun)}, {"MirrorIOFailed", uint64(abi.MirrorIOFailed)}, {"MirrorIOComplete", uint64(abi.MirrorIOComplete)}, {"MirrorIODropped", uint64(abi.MirrorIODropped)}},
	"ChainFlags": {{"ChainTruncated", uint64(abi.ChainTruncated)}},
	"Verdict":    {{"Continue", uint64(abi.Continue)}, {"Return", uint64(abi.Return)}},
	"RecipeKind": {{"RecipeCopy", uint64(abi.RecipeCopy)}, {"RecipeParameter", uint64(abi.RecipeParameter)}, {"RecipePrivate", uint64(abi.RecipePrivate)},
		{"RecipeTransfer", uint64(abi.RecipeTransfer)}, {"RecipeControl", uint64(abi.RecipeControl)}},
	"Scope":      {{"ScopeMirror", uint64(abi.ScopeMirror)}, {"ScopePair", uint64(abi.ScopePair)}, {"ScopeGroup", uint64(abi.ScopeGroup)}},
	"MirrorFlag": {{"MirrorWithError", uint64(abi.MirrorWithError)}, {"MirrorConstantCopy", uint64(abi.MirrorConstantCopy)}},
	"Limits": {{"MaxMirrors", abi.MaxMirrors}, {"InlineCCWs", abi.InlineCCWs}, {"InlineParameters", abi.InlineParameters}, {"ParameterSize", abi.ParameterSize},
		{"MaxIntents", abi.MaxIntents}, {"MaxRecipe", abi.MaxRecipe}, {"MaxResponseParameters", abi.MaxResponseParameters}, {"MaxSteps", abi.MaxSteps},
		{"MaxSettings", abi.MaxSettings}, {"MaxRecords", abi.MaxRecords}, {"ScratchSize", abi.ScratchSize}, {"MaxManifest", abi.MaxManifest}, {"MaxName", abi.MaxName},
		{"MaxUnit", abi.MaxUnit}},
}

// field is a field as the tables and the fingerprint show it.
type field struct {
	name, kind   string
	offset, size uintptr
}

func fields(v any) []field {
	t := reflect.TypeOf(v)
	var all []field
	reserved := 0
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Name
		if name == "_" {
			if name = "reserved"; reserved > 0 {
				name = fmt.Sprintf("reserved %d", reserved+1)
			}
			reserved++
		}
		all = append(all, field{name, typeName(f.Type), f.Offset, f.Type.Size()})
	}
	return all
}

func typeName(t reflect.Type) string {
	basic := map[reflect.Kind]string{reflect.Uint8: "u8", reflect.Uint16: "u16", reflect.Uint32: "u32", reflect.Uint64: "u64", reflect.Int64: "i64"}
	switch {
	case t.Kind() == reflect.Array:
		return fmt.Sprintf("%s[%d]", typeName(t.Elem()), t.Len())
	case t.Kind() == reflect.Struct:
		return t.Name()
	case t.PkgPath() != "":
		return basic[t.Kind()] + " " + t.Name()
	}
	return basic[t.Kind()]
}

// TestLayoutHasNoHoles: every byte of the frame is in a field, and every field
// lies on a multiple of its alignment, in any language's reading of the tables.
func TestLayoutHasNoHoles(t *testing.T) {
	for _, v := range layouts {
		at := uintptr(0)
		for _, f := range fields(v) {
			assert.Equal(t, at, f.offset, "%T.%s", v, f.name)
			at += f.size
		}
		assert.Equal(t, reflect.TypeOf(v).Size(), at, "%T", v)
	}
	assert.Zero(t, reflect.TypeOf(abi.Frame{}).Size()%8)
}

// releases are the minor versions, each with a fingerprint of what it has added to
// the one before. A new one gets a row of its own, and a row changes only where a
// later version has put a field in place of reserved bytes.
var releases = []struct {
	minor       int
	fingerprint string
	write       func(io.Writer)
}{
	// The layout, the intents up to changed-tracks and the capabilities.
	{0, "0628be23ab7f2c11dec8295039a7b448ae4d84ed8aeb2496448de1aaa0685670", func(w io.Writer) {
		fmt.Fprintf(w, "%d.%d %s %s\n", abi.Major, 0, abi.MarkerExport, abi.HostModule)
		for _, v := range layouts {
			for _, f := range fields(v) {
				fmt.Fprintf(w, "%T.%s %s %d %d\n", v, f.name, f.kind, f.offset, f.size)
			}
		}
		intents(w, 0, int(abi.IntentChangedTracks))
		fmt.Fprintln(w, abi.CapabilityNames)
	}},
	// Records; the completion of what has waited in vain.
	{1, "5a3617a5ba393b332c6437186f04be55b11a951665a84f72d1c2e4fbe4705b01", func(w io.Writer) {
		fmt.Fprintf(w, "%d.%d\n", abi.Major, 1)
		intents(w, int(abi.IntentRecord), int(abi.IntentFail))
		fmt.Fprintln(w, "MaxRecords", abi.MaxRecords, "MaxUnit", abi.MaxUnit)
		keys(w, abi.RecordRow{}, "Name", "Summary", "Unit")
		keys(w, abi.Manifest{}, "Name", "Version", "ABI", "Hooks", "Capabilities", "Settings", "Records", "Summary")
		keys(w, abi.Setting{}, "Name", "Summary", "Default", "Min", "Max", "Names")
	}},
}

// intents writes the rows of the intents from the first to the last.
func intents(w io.Writer, first, last int) {
	for i, row := range abi.IntentTable[first : last+1] {
		fmt.Fprintf(w, "%d %s %d %v\n", first+i, row.Name, row.Needs, row.Heard)
	}
}

// keys writes the keys of a JSON object that are those fields, and what they
// hold.
func keys(w io.Writer, object any, names ...string) {
	t := reflect.TypeOf(object)
	for _, name := range names {
		f, _ := t.FieldByName(name)
		fmt.Fprintln(w, t.Name(), f.Tag.Get("json"), f.Type)
	}
}

// TestReleasesAreFrozen holds every minor version's part of the contract against
// its release: names, types, offsets and sizes of fields, intents, capabilities,
// manifest keys. A minor version only adds.
func TestReleasesAreFrozen(t *testing.T) {
	require.Len(t, releases, abi.Minor+1)
	for i, r := range releases {
		assert.Equal(t, i, r.minor)
		h := sha256.New()
		r.write(h)
		assert.Equal(t, r.fingerprint, hex.EncodeToString(h.Sum(nil)), "of %d.%d", abi.Major, r.minor)
	}
	assert.Equal(t, int(abi.IntentFail)+1, abi.IntentKinds, "an intent that no release has")
}

var block = regexp.MustCompile(`(?s)<!-- table (\w+)(?: (\w+))? -->\n(.*?)<!-- end -->`)

// TestSpecTables holds the tables of SPEC.md against the Go structs and
// constants. With -update it rewrites them; only their last column is written by
// hand, and it must say something in every row.
func TestSpecTables(t *testing.T) {
	spec, err := os.ReadFile("SPEC.md")
	require.NoError(t, err)
	seen := map[string]bool{}
	out := block.ReplaceAllFunc(spec, func(whole []byte) []byte {
		m := block.FindSubmatch(whole)
		kind, name := string(m[1]), string(m[2])
		seen[kind+" "+name] = true
		table := table(t, kind, name, meanings(string(m[3])))
		return fmt.Appendf(nil, "<!-- table %s -->\n%s<!-- end -->", strings.TrimSpace(kind+" "+name), table)
	})
	for _, v := range layouts {
		assert.True(t, seen["layout "+reflect.TypeOf(v).Name()], "SPEC.md has no table of %T", v)
	}
	for name := range values {
		assert.True(t, seen["values "+name], "SPEC.md has no table of the values of %s", name)
	}
	assert.True(t, seen["intents "] && seen["capabilities "], "SPEC.md has no table of intents or capabilities")
	if *update {
		require.NoError(t, os.WriteFile("SPEC.md", out, 0o644))
		return
	}
	assert.True(t, bytes.Equal(spec, out), "SPEC.md differs from the Go source: run go generate ./abi and read what changed")
}

// meanings gives the last column of a table by the row's name, which stands in
// backquotes.
func meanings(table string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for _, c := range cells {
			if c = strings.TrimSpace(c); strings.HasPrefix(c, "`") {
				all[strings.Trim(c, "`")] = strings.TrimSpace(cells[len(cells)-1])
				break
			}
		}
	}
	return all
}

func table(t *testing.T, kind, name string, meaning map[string]string) string {
	var b strings.Builder
	row := func(name, format string, a ...any) {
		fmt.Fprintf(&b, format+" | %s |\n", append(a, meaning[name])...)
		assert.NotEmpty(t, meaning[name], "SPEC.md does not say what %s of table %s means", name, kind)
	}
	switch kind {
	case "layout":
		b.WriteString("| offset | size | type | field | meaning |\n|---:|---:|---|---|---|\n")
		for _, v := range layouts {
			if reflect.TypeOf(v).Name() != name {
				continue
			}
			for _, f := range fields(v) {
				row(f.name, "| %d | %d | %s | `%s`", f.offset, f.size, f.kind, f.name)
			}
		}
	case "values":
		b.WriteString("| value | name | meaning |\n|---:|---|---|\n")
		for _, v := range values[name] {
			row(v.name, "| %d | `%s`", v.value, v.name)
		}
	case "intents":
		b.WriteString("| kind | name | needs | heard on | what it asks for, and the fields that it uses |\n|---:|---|---|---|---|\n")
		for i, r := range abi.IntentTable {
			row(r.Name, "| %d | `%s` | %s | %s", i, r.Name, strings.Join(r.Needs.Names(), ", "), heard(r))
		}
	case "capabilities":
		b.WriteString("| mask | name | meaning |\n|---:|---|---|\n")
		for i, n := range abi.CapabilityNames {
			row(n, "| %d | `%s`", 1<<i, n)
		}
	default:
		t.Errorf("SPEC.md has a table of unknown kind %q", kind)
	}
	return b.String()
}

func heard(r abi.IntentRow) string {
	var on []string
	for h := range abi.Hooks {
		if r.Heard[h] {
			on = append(on, h.Export())
		}
	}
	return strings.Join(on, ", ")
}

// TestSpecExample holds the addresses in the example of SPEC.md against the
// struct fields that their comments name.
func TestSpecExample(t *testing.T) {
	spec, err := os.ReadFile("SPEC.md")
	require.NoError(t, err)
	line := regexp.MustCompile(`\(i32\.const (\d+)\)[^;]*;; ([\w.\[\]]+)`)
	found := line.FindAllStringSubmatch(string(spec), -1)
	assert.Len(t, found, 7)
	for _, f := range found {
		assert.Equal(t, f[1], fmt.Sprint(1024+offsetOf(t, f[2])), f[2])
	}
}

// offsetOf resolves a path such as "Pair.Mirror[0].State" in the frame.
func offsetOf(t *testing.T, path string) uintptr {
	at, typ := uintptr(0), reflect.TypeOf(abi.Frame{})
	for _, part := range strings.Split(path, ".") {
		name, index, indexed := strings.Cut(strings.TrimSuffix(part, "]"), "[")
		f, ok := typ.FieldByName(name)
		require.True(t, ok, path)
		at, typ = at+f.Offset, f.Type
		if indexed {
			var n uintptr
			_, err := fmt.Sscan(index, &n)
			require.NoError(t, err)
			typ = typ.Elem()
			at += n * typ.Size()
		}
	}
	return at
}
