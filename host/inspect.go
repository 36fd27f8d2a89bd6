package host

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/host/wasm"
)

// Module is a detour's module, inspected but not run. It does not change and may be
// shared by goroutines.
type Module struct {
	// Wasm is the outer structure of the module.
	Wasm *wasm.Module
	// SHA256 identifies the module.
	SHA256 [sha256.Size]byte
	// Size of the module in bytes.
	Size int
	// Manifest is nil when the module has none, or none that can be read.
	Manifest *abi.Manifest
	// ManifestErr says why Manifest is nil.
	ManifestErr error
	// ManifestOffset is the offset of the manifest's text; 0 when there is none.
	ManifestOffset int

	code []byte
	// misplaced gives what outside finds, which is looked for once: a module has
	// ten thousands of segments and is verified several times on its way.
	misplaced func() []Finding
}

// Inspect reads a module without running any of it. Its error says that the bytes
// are not a WebAssembly module, and at which offset the format is violated; Verify
// says whether the module is a detour. Inspect keeps the bytes, which must not
// change afterwards.
func Inspect(code []byte) (*Module, error) {
	w, err := wasm.Parse(code)
	if err != nil {
		return nil, err
	}
	m := &Module{Wasm: w, SHA256: sha256.Sum256(code), Size: len(code), code: code}
	m.misplaced = sync.OnceValue(m.outside)
	c, ok := w.Custom(abi.ManifestSection)
	if !ok {
		m.ManifestErr = fmt.Errorf("manifest: no custom section %q", abi.ManifestSection)
		return m, nil
	}
	m.ManifestOffset = c.Offset
	if m.Manifest, err = abi.ParseManifest(c.Data); err != nil {
		m.Manifest, m.ManifestErr = nil, err
	}
	return m, nil
}

// Open reads a module's file and inspects it. Its error names the file.
func Open(path string) (*Module, error) {
	code, err := files.ReadAll(path, "module", wasm.MaxSize)
	if err != nil {
		return nil, err
	}
	m, err := Inspect(code)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", path, err)
	}
	return m, nil
}

// Name returns the name in the manifest, or the beginning of the hash for a module
// without a manifest.
func (m *Module) Name() string {
	if m.Manifest != nil {
		return m.Manifest.Name
	}
	return "module " + m.Hash()[:12]
}

// Hash returns the module's SHA-256 in hexadecimal.
func (m *Module) Hash() string { return hex.EncodeToString(m.SHA256[:]) }

// Bytes returns the module's bytes. The caller must not change them.
func (m *Module) Bytes() []byte { return m.code }
