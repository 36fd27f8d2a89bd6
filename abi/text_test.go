package abi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/iosrun/iosrun/abi"
)

func TestVisible(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "env.foo (byte 0x20)", "env.foo (byte 0x20)"},
		{"letters of any script", "größe 名前 µs", "größe 名前 µs"},
		{"no-break space", "95\u00a0%", "95\u00a0%"},
		{"window title", "\x1b]0;root\x07", `\x1b]0;root\a`},
		{"line end", "a\nb\r\tc", `a\nb\r\tc`},
		{"C1 control", "a\u009b31mb", `a\u009b31mb`},
		{"direction", "abc\u202ecba\u2066", `abc\u202ecba\u2066`},
		{"zero width", "a\u200bb\ufeff", `a\u200bb\ufeff`},
		{"delete", "a\x7f", `a\x7f`},
		{"not UTF-8", "a\xffb\xc3", `a\xffb\xc3`},
		{"replacement character", "a\ufffdb", "a\ufffdb"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := abi.Visible(c.text)
			assert.Equal(t, c.want, got)
			assert.True(t, abi.Printable(got))
			assert.Equal(t, c.text == c.want, abi.Printable(c.text))
		})
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("\x1b]0;x\x07")
	f.Add("\u202e\xff")
	f.Fuzz(func(t *testing.T, text string) {
		v := abi.Visible(text)
		assert.True(t, abi.Printable(v), "%q", v)
		assert.Equal(t, v, abi.Visible(v))
	})
}
