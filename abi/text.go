package abi

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Printable reports whether text can be shown on a terminal as it is: it is
// UTF-8, and has neither control characters nor those that change the direction
// of writing or take no room. Line ends count as control characters.
func Printable(text string) bool {
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) || !strconv.IsPrint(r) && r != noBreakSpace {
			return false
		}
	}
	return true
}

const noBreakSpace = '\u00A0'

// Visible returns text with every character that Printable refuses replaced by an
// escape sequence of Go (\x1b, \u202e). A name or a message from a module goes
// through it before it reaches a terminal, a log or a file.
func Visible(text string) string {
	if Printable(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		_, n := utf8.DecodeRuneInString(text[i:])
		if c := text[i : i+n]; Printable(c) {
			b.WriteString(c)
		} else {
			q := strconv.Quote(c)
			b.WriteString(q[1 : len(q)-1])
		}
		i += n
	}
	return b.String()
}
