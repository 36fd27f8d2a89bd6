package shipped

import (
	"archive/tar"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The limits of an archive.
const (
	// MaxArchive is the largest size of an unpacked archive in bytes.
	MaxArchive = 256 << 20
	// window is the size of the compressor's window, in bytes. Modules made from Go
	// share most of their code, so it reaches over all of them.
	window = 64 << 20
)

// toolchainFile is the entry that names the toolchain which made the modules.
const toolchainFile = "toolchain"

// suffix is the file extension of a module in the archive.
const suffix = ".wasm"

//go:embed modules.tar.zst
var archive []byte

// Set holds the modules of an archive. It does not change and may be shared by
// goroutines.
type Set struct {
	// Toolchain is the version of the Go toolchain that made the modules, such as
	// "go1.26.8".
	Toolchain string
	modules   map[string][]byte
}

// Embedded returns the modules that the program carries. The first call unpacks
// them.
var Embedded = sync.OnceValues(func() (*Set, error) { return Unpack(archive) })

// Module returns the bytes of a module, which the caller must not change, or false
// when the archive has none of that name.
func (s *Set) Module(name string) ([]byte, bool) {
	m, ok := s.modules[name]
	return m, ok
}

// Names returns the names of the modules, in alphabetical order.
func (s *Set) Names() []string {
	var names []string
	for n := range s.modules {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Holds reports whether the set has just these modules, made by that toolchain.
func (s *Set) Holds(toolchain string, modules map[string][]byte) bool {
	return s.Toolchain == toolchain && maps.EqualFunc(s.modules, modules, bytes.Equal)
}

// Pack makes an archive of modules, by name. The same input gives the same bytes.
func Pack(toolchain string, modules map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	put := func(name string, content []byte) error {
		err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Format: tar.FormatUSTAR})
		if err != nil {
			return err
		}
		_, err = t.Write(content)
		return err
	}
	if err := put(toolchainFile, []byte(toolchain)); err != nil {
		return nil, err
	}
	for _, n := range (&Set{modules: modules}).Names() {
		if err := put(n+suffix, modules[n]); err != nil {
			return nil, fmt.Errorf("archive of modules: %s: %w", n, err)
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return nil, fmt.Errorf("archive of modules: %w", err)
	}
	return b.Bytes(), nil
}

// Unpack reads an archive that Pack has made.
func Unpack(archive []byte) (*Set, error) {
	z, err := zstd.NewReader(bytes.NewReader(archive), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("archive of modules: %w", err)
	}
	defer z.Close()
	s := &Set{modules: make(map[string][]byte)}
	t := tar.NewReader(io.LimitReader(z, MaxArchive))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("archive of modules: %w", err)
		}
		if h.Size > MaxArchive { // an entry need not hold what its header claims
			return nil, fmt.Errorf("archive of modules: %s: %d bytes: want at most %d", h.Name, h.Size, MaxArchive)
		}
		content := make([]byte, h.Size)
		if _, err := io.ReadFull(t, content); err != nil {
			return nil, fmt.Errorf("archive of modules: %s: %w", h.Name, err)
		}
		if h.Name == toolchainFile {
			s.Toolchain = string(content)
			continue
		}
		name, ok := strings.CutSuffix(h.Name, suffix)
		if !ok {
			return nil, fmt.Errorf("archive of modules: entry %q: want a name with %s", h.Name, suffix)
		}
		s.modules[name] = content
	}
	if s.Toolchain == "" {
		return nil, fmt.Errorf("archive of modules: names no %s: it is empty or was not made by Pack", toolchainFile)
	}
	return s, nil
}
