package host

import (
	"crypto/sha256"

	"github.com/iosrun/iosrun/host/meter"
	"github.com/tetratelabs/wazero/api"
)

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

// DecodeEntry gives what an entry of the cache of compiled code holds, and
// EncodeEntry makes one whose sum is right.
func DecodeEntry(p []byte, module [32]byte) (edition, key string, code []byte, err error) {
	e, err := decodeEntry(p, module)
	return e.edition, e.key, e.code, err
}

func EncodeEntry(module [32]byte, edition, key string, code []byte) []byte {
	return codeEntry{edition, key, code}.encode(module)
}

// CodeDigest gives what the entries of a module are bound to: the digest of its
// metered code.
func CodeDigest(m *Module) [32]byte {
	code, err := meter.Meter(m.code)
	if err != nil {
		panic(err)
	}
	return sha256.Sum256(code)
}
