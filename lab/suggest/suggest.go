package suggest

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// longest is the longest word that is looked at, in bytes.
const longest = 64

// Nearest gives the name that the word differs least from, and "" where none is
// near: at most a third of the word's letters, rounded up, may be wrong,
// missing or too many. Upper and lower case are the same. Of names equally near it
// gives the first.
func Nearest(word string, names []string) string {
	if word == "" || len(word) > longest {
		return ""
	}
	best, least := "", max(1, (len(word)+2)/3)+1
	lower := strings.ToLower(word)
	for _, n := range names {
		if d := levenshtein.ComputeDistance(lower, strings.ToLower(n)); d < least && n != word {
			best, least = n, d
		}
	}
	return best
}

// DidYouMean is the end of an error about a word that is none of the names: "; did
// you mean ...?", or nothing where none is near.
func DidYouMean(word string, names []string) string {
	if n := Nearest(word, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}
