package suggest

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// longest is the length of the longest word that is compared, in bytes.
const longest = 64

// Nearest returns the name that differs least from the word, or "" when none is
// near. A name is near when at most a third of the word's letters, rounded up, but
// not all of them, are wrong, missing or too many, or when two neighbours have
// changed places. Upper and lower case are the same. Of names equally near it
// returns the one that has the longest beginning in common with the word.
func Nearest(word string, names []string) string {
	if word == "" || len(word) > longest {
		return ""
	}
	best, least, like := "", (len(word)+2)/3+1, -1
	lower := strings.ToLower(word)
	for _, n := range names {
		if n == word {
			continue
		}
		name := strings.ToLower(n)
		d := levenshtein.ComputeDistance(lower, name)
		if swapped(lower, name) {
			d = 1
		}
		if begins := prefix(lower, name); d < len(lower) && (d < least || d == least && best != "" && begins > like) {
			best, least, like = n, d, begins
		}
	}
	return best
}

// swapped reports whether one word is the other one with two neighbouring letters
// swapped.
func swapped(a, b string) bool {
	i := prefix(a, b)
	return len(a) == len(b) && i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// prefix returns the length in bytes of the beginning that two words have in common.
func prefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// DidYouMean returns the end of an error text about a word that is none of the
// names: "; did you mean ...?", or an empty string when no name is near.
func DidYouMean(word string, names []string) string {
	if n := Nearest(word, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}
