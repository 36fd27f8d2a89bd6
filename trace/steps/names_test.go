package steps

import (
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Package abi/step has a constant for every row of the table, with the row's number
// and, as its comment, the row's actor and text: a name can neither be missing nor
// stand at another step's number.
func TestEveryStepHasAName(t *testing.T) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "../../abi/step/step.go", nil, parser.ParseComments)
	require.NoError(t, err)
	info := types.Info{Defs: make(map[*ast.Ident]types.Object)}
	_, err = (&types.Config{Importer: importer.Default()}).Check("step", fset, []*ast.File{file}, &info)
	require.NoError(t, err)
	said := make(map[machine.Step]string)
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Names[0].Name == "M" {
			return true
		}
		value, exact := constant.Uint64Val(info.Defs[v.Names[0]].(*types.Const).Val())
		require.True(t, exact, v.Names[0].Name)
		s := machine.Step(value)
		assert.Empty(t, said[s], "step %s has two names", Name(s))
		said[s] = strings.TrimSpace(v.Comment.Text())
		return true
	})
	rows, err := Table()
	require.NoError(t, err)
	for _, r := range rows {
		assert.Equal(t, r.Actor+": "+r.What, said[r.Step], "the comment of step %s in abi/step", r.Name)
		delete(said, r.Step)
	}
	assert.Empty(t, said, "steps that the table does not have")
}
