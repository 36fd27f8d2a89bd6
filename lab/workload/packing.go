package workload

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// MaxZstdWindow is the largest window, in bytes, with which zstd data may have
// been packed. It is what the zstd tool itself unpacks without being asked.
const MaxZstdWindow = 128 << 20

// unpack gives the contents of plain, gzip or zstd data, told by its first
// bytes. name is what the packing is called in errors, "" for plain data, and
// release gives up the unpacker.
func unpack(r *bufio.Reader) (contents io.Reader, name string, release func(), err error) {
	// What is too short to tell is plain; a failing read shows up again later.
	head, _ := r.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte{0x1F, 0x8B}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, "gzip", nil, packingError("gzip", err)
		}
		return z, "gzip", func() { _ = z.Close() }, nil
	case bytes.Equal(head, []byte{0x28, 0xB5, 0x2F, 0xFD}):
		// Concurrency 1 unpacks on the caller's goroutine.
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(MaxZstdWindow))
		if err != nil {
			return nil, "zstd", nil, packingError("zstd", err)
		}
		return z, "zstd", z.Close, nil
	}
	return r, "", func() {}, nil
}

// packingError says what is wrong with packed data.
func packingError(name string, err error) error {
	switch {
	case name == "":
		return fmt.Errorf("reading: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%s data is cut off: want a whole %s file: %w", name, name, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s data is damaged: want a whole %s file: %w", name, name, err)
}
