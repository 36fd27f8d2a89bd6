package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"

	"github.com/iosrun/iosrun/files"
)

// edition goes into every key. It must change when Stamp gives other bytes for the
// same input.
const edition = "1"

// MaxSource is the largest size in bytes of a source file, or of one that is embedded.
const MaxSource = 64 << 20

// listed holds the fields that are read from go list's description of a package.
type listed struct {
	ImportPath, Dir, Name               string
	Standard                            bool
	GoFiles, SFiles, HFiles, EmbedFiles []string
	Error                               *struct{ Err string }
}

// key hashes everything that the module is made from: every source file outside the
// standard library, the version of the toolchain, which stands for the standard
// library, the manifest, and the settings that the compiler takes from its
// environment.
func (g *command) key(ctx context.Context, manifest []byte, uses *files.Uses) (string, error) {
	env, err := g.run(ctx, "env", "GOVERSION", "GOEXPERIMENT", "GOWASM", "GOFLAGS")
	if err != nil {
		return "", err
	}
	list, err := g.run(ctx, "list", "-deps", "-e",
		"-json=ImportPath,Dir,Name,Standard,GoFiles,SFiles,HFiles,EmbedFiles,Error", ".")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	part(h, "edition", []byte(edition))
	part(h, "manifest", manifest)
	part(h, "environment", env)
	for _, f := range flags {
		part(h, "flag", []byte(f))
	}
	var last listed
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", fmt.Errorf("go list: %w", err)
		}
		if last = p; p.Error != nil {
			return "", fmt.Errorf("%w:\n%s", ErrCompile, p.Error.Err)
		}
		if p.Standard {
			continue
		}
		part(h, "package", []byte(p.ImportPath))
		for _, sources := range [][]string{p.GoFiles, p.SFiles, p.HFiles, p.EmbedFiles} {
			for _, name := range sources {
				path := filepath.Join(p.Dir, name)
				if err := uses.Reads(path, "a source file"); err != nil {
					return "", err
				}
				text, err := files.ReadAll(path, "source file", MaxSource)
				if err != nil {
					return "", err
				}
				part(h, name, text)
			}
		}
	}
	if last.Name != "main" { // -deps lists the package itself last
		return "", fmt.Errorf("holds package %q: want a main package", last.Name)
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// part adds a named part to a hash, lengths first so that parts cannot run into
// each other.
func part(h hash.Hash, name string, data []byte) {
	fmt.Fprintf(h, "%d %d %s ", len(name), len(data), name)
	h.Write(data)
}
