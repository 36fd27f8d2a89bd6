package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// riddle matches a first sentence that hides the noun: "Suffix is that of module
// files" for "Suffix is the file extension of a module".
var riddle = regexp.MustCompile(`^\w+(?:(?:,| and| or) \w+)* (?:is|are) (?:what|how (?:many|much|often|long|far|deep)|that of|those of|when|where|whether|which)\b`)

// riddles lists the doc comments of a file whose first sentence is a riddle, each
// with its place.
func riddles(set *token.FileSet, file *ast.File) (found []string) {
	look := func(comment *ast.CommentGroup) {
		if comment == nil {
			return
		}
		if s := new(doc.Package).Synopsis(comment.Text()); riddle.MatchString(s) {
			p := set.Position(comment.Pos())
			found = append(found, fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, s))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			look(n.Doc)
		case *ast.FuncDecl:
			look(n.Doc)
		case *ast.TypeSpec:
			look(n.Doc)
		case *ast.ValueSpec:
			look(n.Doc)
		case *ast.Field:
			look(n.Doc)
		}
		return true
	})
	return found
}

func TestDocCommentsNameTheNoun(t *testing.T) {
	const root = "../.."
	set := token.NewFileSet()
	files := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		for _, r := range riddles(set, file) {
			assert.Fail(t, "a doc comment hides its noun: say number, size, name, state, limit or time", r)
		}
		return nil
	}))
	assert.NotZero(t, files)
}

func TestRiddlesAreFound(t *testing.T) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "x.go", `package x

// Kind is what a command does.
type Kind struct {
	// Aliases is how many alias units
	// the volume has.
	Aliases int
	// Size is the size of a block. It is what the device reads.
	Size int
	// BytesOut and BytesIn are how many bytes were moved.
	BytesOut, BytesIn int
}

const (
	// Path is how long a call takes.
	Path = 1
)

// Geometry is that of the pair's devices.
func Geometry() {}

// Known reports whether the kind is known.
func Known() bool { return true }
`, parser.ParseComments)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"x.go:3: Kind is what a command does.",
		"x.go:5: Aliases is how many alias units the volume has.",
		"x.go:10: BytesOut and BytesIn are how many bytes were moved.",
		"x.go:15: Path is how long a call takes.",
		"x.go:19: Geometry is that of the pair's devices.",
	}, riddles(set, file))
}
