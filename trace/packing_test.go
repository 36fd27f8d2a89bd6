package trace

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

// TestBehindTheEnd: what a block copy leaves behind packed data is counted, and
// no more than that is taken for nothing.
func TestBehindTheEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("reads or makes much, on one goroutine")
	}
	zeros := func(n int) []byte { return make([]byte, n) }
	for name, pack := range packers {
		whole := pack(t, []byte(eventRows))
		for _, test := range []struct {
			behind        []byte
			padding, rest int64
			want          string
		}{
			{zeros(10), 10, 0, ""},
			{zeros(100_000), 100_000, 0, ""},
			{[]byte("something that is none"), 0, 22, ""},
			{append(zeros(500), "something"...), 500, 9, ""},
			{append([]byte("something that is none"), zeros(500)...), 0, 522, ""},
			{bytes.Repeat([]byte("x"), MaxBehind+1), 0, 0, name + " data: something else stands behind the end: more than 65536 bytes that are no further " + name + " data"},
			{zeros(MaxPadding + 1), 0, 0, name + " data: something else stands behind the end: more than 67108864 zeros"},
		} {
			what := fmt.Sprintf("%s with %d bytes behind", name, len(test.behind))
			if name == "xz" && len(test.behind) > 12 && test.behind[0] == 0 {
				continue // zeros are the packing's own padding
			}
			if name == "xz" && test.padding == 10 {
				continue // too short for a header: cut off
			}
			trace, err := New("x", bytes.NewReader(append(bytes.Clone(whole), test.behind...)), Options{})
			if err == nil {
				_, err = Describe(trace)
			}
			if test.want != "" {
				require.ErrorContains(t, err, test.want, what)
				continue
			}
			require.NoError(t, err, what)
			f := trace.Findings()
			assert.Equal(t, test.padding, f.Padding, what)
			assert.Equal(t, test.rest, f.Behind, what)
			assert.EqualValues(t, len(eventRequests), f.Requests, what)
		}
	}
}

// TestDamagedSecondMember: the first member's rows are read, and then it is said.
func TestDamagedSecondMember(t *testing.T) {
	for name, pack := range packers {
		whole := append(pack(t, []byte(eventRows)), pack(t, []byte(strings.Repeat("x", 5000)))...)
		whole[len(whole)-9] ^= 0x55
		_, err := Describe(mustTrace(t, whole, Options{}))
		assert.ErrorContains(t, err, name+" data is", name)
	}
}

func TestLargeWindowIsRefused(t *testing.T) {
	var b bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 16}.NewWriter(&b)
	require.NoError(t, err)
	_, err = io.WriteString(w, eventRows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	data := b.Bytes()
	require.EqualValues(t, 0x21, data[xzFilter], "where the filter stands")
	data[xzProperty] = 40 // 4 GiB - 1
	_, err = New("x", bytes.NewReader(data), Options{})
	assert.ErrorContains(t, err, "window of 4294967295 bytes: want at most 134217728")
}

// endlessly repeats a text behind another one.
type endlessly struct {
	first  io.Reader
	repeat byte
	n      int64
}

func (e *endlessly) Read(p []byte) (int, error) {
	if n, err := e.first.Read(p); err == nil {
		return n, nil
	}
	for i := range p {
		p[i] = e.repeat
	}
	e.n += int64(len(p))
	return len(p), nil
}

// TestEndless: data without end is read as far as a limit, whatever is tolerated.
func TestEndless(t *testing.T) {
	if testing.Short() {
		t.Skip("reads or makes much, on one goroutine")
	}
	for _, test := range []struct {
		first  string
		repeat byte
		want   string
	}{
		{"", 0, "no known layout"},
		{"", 'x', "no known layout"},
		{eventRows, 'x', "row 7 has no end within 1048576 bytes"},
		{eventRows, 0, "row 7 has no end within 1048576 bytes"},
		{eventRows, '\n', "more than 1048576 bytes of blank rows"},
		{string(gzipped(t, []byte(eventRows))), 0, "more than 67108864 zeros"},
		{string(gzipped(t, []byte(eventRows))), 'x', "more than 65536 bytes that are no further gzip data"},
	} {
		e := &endlessly{first: strings.NewReader(test.first), repeat: test.repeat}
		trace, err := New("x", e, Options{SkipBad: 1 << 40})
		if err == nil {
			_, err = Describe(trace)
		}
		assert.ErrorContains(t, err, test.want)
		assert.Less(t, e.n, int64(2*MaxPadding))
	}
}

// TestBombsAreBounded: packed data that unpacks to very much is read as far as the
// same limits.
func TestBombsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads or makes much, on one goroutine")
	}
	for name, pack := range packers {
		for _, fill := range []string{"x", "\n"} {
			bomb := pack(t, []byte(eventRows+strings.Repeat(fill, 4<<20)))
			require.Less(t, len(bomb), 64<<10)
			_, err := Describe(mustTrace(t, bomb, Options{SkipBad: 1 << 40}))
			require.Error(t, err, name)
			assert.Regexp(t, "no end within|blank rows", err.Error())
		}
	}
}
