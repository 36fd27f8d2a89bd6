package suggest

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// longest is the longest word that is looked at, in bytes.
const longest = 64

// Nearest gives the name that the word differs least from, and "" where none is
// near: at most a third of the word's letters, rounded up, may be wrong, missing or
// too many, and not all of them, or two neighbours may have changed places. Upper and lower case are the
// same. Of names equally near it gives the one that begins most like the word.
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

// swapped says that one word is the other with two neighbours in each other's
// place.
func swapped(a, b string) bool {
	i := prefix(a, b)
	return len(a) == len(b) && i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// prefix is how many bytes two words begin with in common.
func prefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// DidYouMean is the end of an error about a word that is none of the names: "; did
// you mean ...?", or nothing where none is near.
func DidYouMean(word string, names []string) string {
	if n := Nearest(word, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}
