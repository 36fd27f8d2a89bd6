package catalog

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
	backend "github.com/iosrun/iosrun/plugins/backend/standard"
	"github.com/iosrun/iosrun/plugins/frontend/adaptive"
	frontaudit "github.com/iosrun/iosrun/plugins/frontend/audit"
	"github.com/iosrun/iosrun/plugins/frontend/constantcopy"
	"github.com/iosrun/iosrun/plugins/frontend/passthrough"
	"github.com/iosrun/iosrun/plugins/frontend/readselect"
	frontend "github.com/iosrun/iosrun/plugins/frontend/standard"
	postaudit "github.com/iosrun/iosrun/plugins/poststatus/audit"
	postcopy "github.com/iosrun/iosrun/plugins/poststatus/constantcopy"
	poststatus "github.com/iosrun/iosrun/plugins/poststatus/standard"
)

// natives holds the functions of the shipped detours that are linked into the
// program, by module name and hook.
var natives = map[string][abi.Hooks]func(*abi.Frame){
	"backend/standard":        {abi.BackEnd: backend.BackEnd},
	"frontend/adaptive":       {abi.FrontEnd: adaptive.FrontEnd},
	"frontend/audit":          {abi.FrontEnd: frontaudit.FrontEnd},
	"frontend/constantcopy":   {abi.FrontEnd: constantcopy.FrontEnd},
	"frontend/passthrough":    {abi.FrontEnd: passthrough.FrontEnd},
	"frontend/readselect":     {abi.FrontEnd: readselect.FrontEnd},
	"frontend/standard":       {abi.FrontEnd: frontend.FrontEnd},
	"poststatus/audit":        {abi.PostStatus: postaudit.PostStatus},
	"poststatus/constantcopy": {abi.PostStatus: postcopy.PostStatus},
	"poststatus/standard":     {abi.PostStatus: poststatus.PostStatus},
}

// Native makes a detour from the linked-in functions of the shipped detour of that
// name, with settings in the manifest's order.
func Native(name string, settings []int64) (*hooks.Native, error) {
	f, ok := natives[name]
	if !ok {
		return nil, fmt.Errorf("module %s: is not linked in: only shipped modules are", name)
	}
	n := hooks.NewNative(f[abi.FrontEnd], f[abi.BackEnd], f[abi.PostStatus])
	return n, n.Set(settings)
}
