package arch_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// kinds are the words with which a constant's name says what kind of number it is,
// here or where somebody declares it again.
var kinds = []string{"cmd", "command", "flag", "sense", "completion", "code", "mask", "orient", "attribute", "operation", "op", "auxiliary", "aux", "extended"}

// plain gives the ways in which a name can be written that mean the same: without
// regard to case, with and without the word for its kind.
func plain(name string) []string {
	lower := strings.ToLower(name)
	names := []string{lower}
	for _, k := range kinds {
		if rest, ok := strings.CutPrefix(lower, k); ok && len(rest) > 1 && rest != "size" && len(name) > len(k) && name[len(k)] >= 'A' && name[len(k)] <= 'Z' {
			names = append(names, rest)
		}
	}
	return names
}

// vocabulary has the values of arch's constants by their names, in each way of
// writing them.
func vocabulary(t *testing.T) map[string][]uint64 {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var files []*ast.File
	for _, p := range paths {
		if !strings.HasSuffix(p, "_test.go") {
			f, err := parser.ParseFile(fset, p, nil, 0)
			require.NoError(t, err)
			require.Empty(t, f.Imports, "%s imports something", p)
			files = append(files, f)
		}
	}
	pkg, err := (&types.Config{Importer: importer.Default()}).Check("arch", fset, files, nil)
	require.NoError(t, err)
	all := map[string][]uint64{}
	for _, name := range pkg.Scope().Names() {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok {
			assert.NotContains(t, fmt.Sprintf("%T", pkg.Scope().Lookup(name)), "Var", "%s: a variable costs a guest memory", name)
			continue
		}
		v, exact := constant.Uint64Val(c.Val())
		require.True(t, exact, name)
		if v == 0 || !ast.IsExported(name) {
			continue
		}
		for _, n := range plain(name) {
			all[n] = append(all[n], v)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// literal gives the value of an integer that is written as a number.
func literal(e ast.Expr) (uint64, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.INT {
			v, exact := constant.Uint64Val(constant.MakeFromLiteral(e.Value, e.Kind, 0))
			return v, exact
		}
	case *ast.ParenExpr:
		return literal(e.X)
	case *ast.CallExpr: // a conversion: byte(0x63)
		if f, ok := e.Fun.(*ast.Ident); ok && len(e.Args) == 1 && (f.Name == "byte" || f.Name == "uint8") {
			return literal(e.Args[0])
		}
	}
	return 0, false
}

// field reports whether an expression is a field that holds a code of arch's.
func field(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && codes[s.Sel.Name]
}

var codes = map[string]bool{"Command": true, "CompletionCode": true}

// takers has the functions of a package by name, and for each of their parameters
// whether it is a command code by its name and type; the last one can stand for any
// number of arguments. A name that stands for several functions is left out. That a
// parameter is called a code says so only where channel programs are known.
func takers(files []*ast.File) map[string][]bool {
	found, twice := map[string][]bool{}, map[string]bool{}
	names := []string{"command", "commands"}
	for _, file := range files {
		for _, i := range file.Imports {
			if slices.Contains([]string{"github.com/iosrun/iosrun/abi", "github.com/iosrun/iosrun/abi/arch", "github.com/iosrun/iosrun/emulator/channel"}, strings.Trim(i.Path.Value, "`\"")) {
				names = []string{"command", "commands", "code", "codes"}
			}
		}
	}
	add := func(name string, f *ast.FuncType) {
		if _, ok := found[name]; ok {
			twice[name] = true
		}
		var takes []bool
		for _, p := range f.Params.List {
			typ := p.Type
			if v, ok := typ.(*ast.Ellipsis); ok {
				typ = v.Elt
			}
			id, ok := typ.(*ast.Ident)
			ok = ok && (id.Name == "byte" || id.Name == "uint8")
			for _, n := range p.Names {
				takes = append(takes, ok && slices.Contains(names, n.Name))
			}
		}
		found[name] = takes
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				add(n.Name.Name, n.Type)
			case *ast.AssignStmt:
				for i, r := range n.Rhs {
					if f, ok := r.(*ast.FuncLit); ok && len(n.Lhs) == len(n.Rhs) {
						if id, ok := n.Lhs[i].(*ast.Ident); ok {
							add(id.Name, f.Type)
						}
					}
				}
			}
			return true
		})
	}
	maps.DeleteFunc(found, func(name string, _ []bool) bool { return twice[name] })
	return found
}

// offences finds, in the files of one package, what arch has and is written down
// once more: constants of the same name and value, and numbers where a command code
// or a completion code belongs.
func offences(fset *token.FileSet, files []*ast.File, known map[string][]uint64) (all []string) {
	at := func(n ast.Node, format string, a ...any) {
		all = append(all, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), fmt.Sprintf(format, a...)))
	}
	number := func(e ast.Expr, what string) {
		if v, ok := literal(e); ok && v != 0 {
			at(e, "%s %#x is a number: want its name in arch", what, v)
		}
	}
	takes := takers(files)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				for _, s := range n.Specs {
					v, ok := s.(*ast.ValueSpec)
					if !ok || n.Tok != token.CONST {
						continue
					}
					for i, name := range v.Names {
						if i >= len(v.Values) {
							break
						}
						value, ok := literal(v.Values[i])
						for _, p := range plain(name.Name) {
							if ok && slices.Contains(known[p], value) {
								at(name, "%s = %#x is declared again: arch has it", name.Name, value)
								break
							}
						}
					}
				}
			case *ast.ValueSpec: // a table of commands by their code
				for i, v := range n.Values {
					c, ok := v.(*ast.CompositeLit)
					if !ok || i >= len(n.Names) || !strings.Contains(strings.ToLower(n.Names[i].Name), "commands") {
						continue
					}
					for _, e := range c.Elts {
						if kv, ok := e.(*ast.KeyValueExpr); ok {
							number(kv.Key, "command")
						}
					}
				}
			case *ast.CompositeLit:
				if a, ok := n.Type.(*ast.ArrayType); ok { // rows that begin with a command code
					if id, ok := a.Elt.(*ast.Ident); ok && id.Name == "Command" {
						for _, e := range n.Elts {
							if row, ok := e.(*ast.CompositeLit); ok && len(row.Elts) != 0 {
								number(row.Elts[0], "command")
							}
						}
					}
				}
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && codes[id.Name] {
					number(n.Value, id.Name)
				}
			case *ast.BinaryExpr:
				if n.Op == token.EQL || n.Op == token.NEQ {
					if field(n.X) {
						number(n.Y, "compared code")
					} else if field(n.Y) {
						number(n.X, "compared code")
					}
				}
			case *ast.SwitchStmt:
				for _, s := range n.Body.List {
					for _, e := range s.(*ast.CaseClause).List {
						if field(n.Tag) {
							number(e, "compared code")
						}
					}
				}
			case *ast.AssignStmt:
				for i, l := range n.Lhs {
					if field(l) && len(n.Lhs) == len(n.Rhs) && n.Tok == token.ASSIGN {
						number(n.Rhs[i], "assigned code")
					}
				}
			case *ast.CallExpr:
				var name string
				switch f := n.Fun.(type) {
				case *ast.Ident:
					name = f.Name
				case *ast.SelectorExpr:
					name = f.Sel.Name
				}
				t := takes[name]
				for i, a := range n.Args {
					if len(t) != 0 && t[min(i, len(t)-1)] {
						number(a, "command")
					}
				}
			}
			return true
		})
	}
	return all
}

// TestOneVocabulary holds every package of the project but arch: none declares a
// constant of arch's once more, and none writes a number where a command code or a
// completion code belongs. Tests may write numbers: what they say is to be read
// against the manuals.
func TestOneVocabulary(t *testing.T) {
	known := vocabulary(t)
	packages := map[string][]*ast.File{}
	fset := token.NewFileSet()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata") || path == filepath.Join(root, "abi", "arch") {
				return filepath.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		folder := filepath.Dir(path)
		packages[folder] = append(packages[folder], f)
		return nil
	}))
	assert.Greater(t, len(packages), 40, "packages found")
	for _, folder := range slices.Sorted(maps.Keys(packages)) {
		for _, o := range offences(fset, packages[folder], known) {
			t.Error(o)
		}
	}
}

// The search finds what it is for, and nothing that only looks like it.
func TestOffencesAreFound(t *testing.T) {
	known := vocabulary(t)
	for _, c := range []struct {
		source string
		want   string
	}{
		{"const commandDefineExtent = 0x63", "declared again"},
		{"const cmdLocateRecord, other = 71, 1", "declared again"},
		{"const defineExtent byte = 0x63", "declared again"},
		{"const FlagPCI = uint8(0x08)", "declared again"},
		{"const CodeNormal = 0x7F", "declared again"},
		{"const ( a = iota; senseFileProtected = 4 )", "declared again"},
		{"const maskWriteNone = 0x40", "declared again"},
		{"const unitCheck = 0x02", "declared again"},
		{"var c = CCW{Command: 0x63}", "Command 0x63"},
		{"func f(c CCW) bool { return c.Command == 0x47 }", "compared code"},
		{"func f(c CCW) bool { return 0x47 != c.Command }", "compared code"},
		{"func f(c CCW) { switch c.Command { case 1, 0x63: } }", "0x63"},
		{"func f(c *CCW) { c.Command = 0x06 }", "assigned code"},
		{"func f(b *IOSB) { b.CompletionCode = 0x41 }", "assigned code"},
		{"var fbaCommands = [256]func(){0x63: nil}", "command 0x63"},
		{"var rows = [...]Command{{0x63, 1}}", "command 0x63"},
		{"func add(command uint8, n int) {}\nfunc f() { add(0x63, 16) }", "command 0x63"},
		{"import _ `github.com/iosrun/iosrun/abi`\nfunc f() { add := func(n int, codes ...byte) {}; add(1, 2, 0x63) }", "0x63"},

		{"const defineExtent = 0x64", ""},          // another number
		{"const window = 0x63", ""},                // another thing
		{"const commandCount = 3", ""},             // not in arch
		{"const DefineExtent = arch.Whatever", ""}, // taken from there
		{"const normal = 0x7F", "declared again"},  // the word for the kind may be missing
		{"var orders = [256]int{0x63: 1}", ""},
		{"var c = CCW{Count: 0x63, Command: 0}", ""},
		{"func f(c CCW) bool { return c.Command&3 == 1 }", ""},
		{"func add(command string, n int) {}\nfunc f() { add(`x`, 0x63) }", ""},
		{"func (a A) add(command uint8) {}\nfunc (b B) add(n uint8) {}\nfunc f() { b.add(0x63) }", ""},
		{"func model(code byte) {}\nfunc g() { model(0x26) }", ""},
		{"const size = 32", ""},
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", "package x\n"+c.source, 0)
		require.NoError(t, err, c.source)
		found := strings.Join(offences(fset, []*ast.File{file}, known), "\n")
		if c.want == "" {
			assert.Empty(t, found, c.source)
		} else {
			assert.Contains(t, found, c.want, c.source)
		}
	}
}
