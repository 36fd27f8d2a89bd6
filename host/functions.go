package host

import (
	"context"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host/meter"
	"github.com/iosrun/iosrun/host/wasm"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// hostFunction is a function that a detour may import.
type hostFunction struct {
	module, name string
	params       string // a letter for each parameter: i for i32, I for i64
	results      string
	needs        abi.Capability
	// call gets the arguments in args and returns the result, if the function has one.
	// It must ignore the upper half of an i32 argument.
	call func(i *Instance, mem api.Memory, args []uint64) uint32
}

const (
	wasiModule = "wasi_snapshot_preview1"
	chainRead  = "chain_read"
)

// hostFunctions lists all functions that a detour can import. It has those that a
// Go, Rust, C or AssemblyScript module needs at its start; none of them reaches
// anything outside the instance but its log.
var hostFunctions = [...]hostFunction{
	{abi.HostModule, chainRead, "iii", "i", abi.CapChain, (*Instance).chainRead},

	{wasiModule, "args_get", "ii", "i", 0, nothing},
	{wasiModule, "args_sizes_get", "ii", "i", 0, (*Instance).sizesGet},
	{wasiModule, "clock_res_get", "ii", "i", 0, (*Instance).clockResGet},
	{wasiModule, "clock_time_get", "iIi", "i", 0, (*Instance).clockTimeGet},
	{wasiModule, "environ_get", "ii", "i", 0, nothing},
	{wasiModule, "environ_sizes_get", "ii", "i", 0, (*Instance).sizesGet},
	{wasiModule, "fd_fdstat_get", "ii", "i", 0, (*Instance).fdStatGet},
	{wasiModule, "fd_write", "iiii", "i", 0, (*Instance).fdWrite},
	{wasiModule, "poll_oneoff", "iiii", "i", 0, (*Instance).pollOneoff},
	{wasiModule, "proc_exit", "i", "", 0, procExit},
	{wasiModule, "random_get", "ii", "i", 0, (*Instance).randomGet},
	{wasiModule, "sched_yield", "", "i", 0, nothing},

	// The other functions for files and sockets always fail: there are none.
	{wasiModule, "fd_advise", "iIIi", "i", 0, badFile},
	{wasiModule, "fd_allocate", "iII", "i", 0, badFile},
	{wasiModule, "fd_close", "i", "i", 0, badFile},
	{wasiModule, "fd_datasync", "i", "i", 0, badFile},
	{wasiModule, "fd_fdstat_set_flags", "ii", "i", 0, badFile},
	{wasiModule, "fd_fdstat_set_rights", "iII", "i", 0, badFile},
	{wasiModule, "fd_filestat_get", "ii", "i", 0, badFile},
	{wasiModule, "fd_filestat_set_size", "iI", "i", 0, badFile},
	{wasiModule, "fd_filestat_set_times", "iIIi", "i", 0, badFile},
	{wasiModule, "fd_pread", "iiiIi", "i", 0, badFile},
	{wasiModule, "fd_prestat_get", "ii", "i", 0, badFile},
	{wasiModule, "fd_prestat_dir_name", "iii", "i", 0, badFile},
	{wasiModule, "fd_pwrite", "iiiIi", "i", 0, badFile},
	{wasiModule, "fd_read", "iiii", "i", 0, badFile},
	{wasiModule, "fd_readdir", "iiiIi", "i", 0, badFile},
	{wasiModule, "fd_renumber", "ii", "i", 0, badFile},
	{wasiModule, "fd_seek", "iIii", "i", 0, badFile},
	{wasiModule, "fd_sync", "i", "i", 0, badFile},
	{wasiModule, "fd_tell", "ii", "i", 0, badFile},
	{wasiModule, "path_create_directory", "iii", "i", 0, badFile},
	{wasiModule, "path_filestat_get", "iiiii", "i", 0, badFile},
	{wasiModule, "path_filestat_set_times", "iiiiIIi", "i", 0, badFile},
	{wasiModule, "path_link", "iiiiiii", "i", 0, badFile},
	{wasiModule, "path_open", "iiiiiIIii", "i", 0, badFile},
	{wasiModule, "path_readlink", "iiiiii", "i", 0, badFile},
	{wasiModule, "path_remove_directory", "iii", "i", 0, badFile},
	{wasiModule, "path_rename", "iiiiii", "i", 0, badFile},
	{wasiModule, "path_symlink", "iiiii", "i", 0, badFile},
	{wasiModule, "path_unlink_file", "iii", "i", 0, badFile},
	{wasiModule, "sock_accept", "iii", "i", 0, badFile},
	{wasiModule, "sock_recv", "iiiiii", "i", 0, badFile},
	{wasiModule, "sock_send", "iiiii", "i", 0, badFile},
	{wasiModule, "sock_shutdown", "ii", "i", 0, badFile},
}

func findHostFunction(module, name string) *hostFunction {
	for i := range hostFunctions {
		if f := &hostFunctions[i]; f.module == module && f.name == name {
			return f
		}
	}
	return nil
}

func valueTypes(letters string) []wasm.ValueType {
	var t []wasm.ValueType
	for _, c := range letters {
		if c == 'I' {
			t = append(t, wasm.I64)
		} else {
			t = append(t, wasm.I32)
		}
	}
	return t
}

func (f *hostFunction) signature() wasm.FuncType {
	return wasm.FuncType{Params: valueTypes(f.params), Results: valueTypes(f.results)}
}

func apiTypes(letters string) []api.ValueType {
	var t []api.ValueType
	for _, v := range valueTypes(letters) {
		t = append(t, api.ValueType(v))
	}
	return t
}

// offer makes the host's modules known to a runtime. The functions find the
// instance that calls them in the context of the call, so that they are shared
// by all instances.
func offer(ctx context.Context, r wazero.Runtime) error {
	for _, module := range [...]string{wasiModule, abi.HostModule} {
		b := r.NewHostModuleBuilder(module)
		for n := range hostFunctions {
			f := &hostFunctions[n]
			if f.module != module {
				continue
			}
			b = b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(
				func(ctx context.Context, m api.Module, stack []uint64) {
					i := ctx.Value(instanceKey{}).(*Instance)
					i.charge(meter.HostCall)
					if v := f.call(i, m.Memory(), stack); f.results != "" {
						stack[0] = uint64(v)
					}
				}), apiTypes(f.params), apiTypes(f.results)).Export(f.name)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// instanceKey is the key of the instance in the context of a call.
type instanceKey struct{}

// callContext is the context of every call of an instance. It is one value for
// the life of the instance: a context made for each call would be garbage on the
// I/O path.
type callContext struct {
	context.Context
	instance *Instance
}

func (c *callContext) Value(key any) any {
	if _, ok := key.(instanceKey); ok {
		return c.instance
	}
	return nil
}
