package host

import "github.com/tetratelabs/wazero/api"

// Memory is the module's memory.
func (i *Instance) Memory() api.Memory { return i.module.Memory() }

// HostFunction is a row of the table of what a detour can import.
type HostFunction struct {
	Module, Name, Params, Results string
}

// HostFunctions gives the table to the tests.
func HostFunctions() []HostFunction {
	var all []HostFunction
	for _, f := range hostFunctions {
		all = append(all, HostFunction{f.module, f.name, f.params, f.results})
	}
	return all
}
