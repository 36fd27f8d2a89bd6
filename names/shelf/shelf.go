package shelf

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/names/suggest"
)

// Shelf holds the documents of one kind that ship with the program. It may be used
// from several goroutines.
type Shelf struct {
	// FS has the documents in the folder Dir. The file of a document is its name with
	// ".yaml".
	FS  fs.FS
	Dir string
	// Kind is the word for a document in messages.
	Kind string
	// Unknown is the error for a name that is neither on the shelf nor a file.
	Unknown error
	// MaxFile is the largest size of a file in bytes.
	MaxFile int64
}

// BuiltIn is the source of documents on a shelf.
const BuiltIn = "built-in"

// Names returns the names of the documents on the shelf, in alphabetical order.
func (s *Shelf) Names() []string {
	entries, err := fs.ReadDir(s.FS, s.Dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Read returns the text of the document of that name, or of the file of that name
// when it looks like a path: it has a separator, or ends in .yaml or .yml. source is
// the path of the file, or BuiltIn.
func (s *Shelf) Read(name string) (text []byte, source string, err error) {
	if strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
		text, err := files.ReadAll(name, s.Kind, s.MaxFile)
		if err != nil {
			return nil, "", err
		}
		return text, name, nil
	}
	text, err = fs.ReadFile(s.FS, path.Join(s.Dir, name+".yaml"))
	if err != nil {
		return nil, "", fmt.Errorf("%s %q: %w: want one of %s, or a .yaml file%s", s.Kind, name, s.Unknown, strings.Join(s.Names(), ", "), suggest.DidYouMean(name, s.Names()))
	}
	return text, BuiltIn, nil
}
