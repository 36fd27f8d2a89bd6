package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/zlib"
)

// Compression names the way in which a compressed image stores a track or block
// group; the values are those of the format.
type Compression uint8

// The compressions.
const (
	None Compression = iota
	Zlib
	Bzip2

	compressions = 3
)

func (c Compression) String() string {
	switch c {
	case None:
		return "none"
	case Zlib:
		return "zlib"
	case Bzip2:
		return "bzip2"
	}
	return fmt.Sprintf("compression %d", uint8(c))
}

// unitHeaderSize is the number of bytes at the beginning of each stored unit that
// stay uncompressed: the compression, then the address of the track or the number
// of the block group.
const unitHeaderSize = homeAddressSize

// compressionFloor is the length in bytes below which a unit is stored
// uncompressed: Hercules draws the line at the same length.
const compressionFloor = 512

// codec compresses and decompresses units. Its memory is kept from call to
// call; a codec is used by one goroutine at a time.
type codec struct {
	source  bytes.Reader
	inflate io.ReadCloser
	decode2 *bzip2.Reader
	deflate *zlib.Writer
	level   int
	encode2 *bzip2.Writer
	sink    bytes.Buffer
}

// decode decompresses the stored unit src into dst. It returns the length of the
// unit with its header, whose first byte becomes zero.
func (c *codec) decode(dst, src []byte) (int, error) {
	n, err := c.decompress(dst, src)
	if err != nil {
		// A reader that stopped inside a stream keeps some of it even when it is reset.
		c.inflate, c.decode2 = nil, nil
	}
	return n, err
}

func (c *codec) decompress(dst, src []byte) (int, error) {
	if len(src) < unitHeaderSize {
		return 0, fmt.Errorf("stored length %d is less than the %d bytes of its header", len(src), unitHeaderSize)
	}
	copy(dst, src[:unitHeaderSize])
	dst[0] = 0
	body := src[unitHeaderSize:]
	switch Compression(src[0]) {
	case None:
		if len(src) > len(dst) {
			return 0, fmt.Errorf("stored length %d is more than the %d bytes of the unit", len(src), len(dst))
		}
		return unitHeaderSize + copy(dst[unitHeaderSize:], body), nil
	case Zlib:
		c.source.Reset(body)
		if c.inflate == nil {
			r, err := zlib.NewReader(&c.source)
			if err != nil {
				return 0, fmt.Errorf("zlib: %w", err)
			}
			c.inflate = r
		} else if err := c.inflate.(zlib.Resetter).Reset(&c.source, nil); err != nil {
			return 0, fmt.Errorf("zlib: %w", err)
		}
		return c.fill(dst, c.inflate, Zlib)
	case Bzip2:
		c.source.Reset(body)
		if c.decode2 == nil {
			r, err := bzip2.NewReader(&c.source, nil)
			if err != nil {
				return 0, fmt.Errorf("bzip2: %w", err)
			}
			c.decode2 = r
		} else if err := c.decode2.Reset(&c.source); err != nil {
			return 0, fmt.Errorf("bzip2: %w", err)
		}
		return c.fill(dst, c.decode2, Bzip2)
	}
	return 0, fmt.Errorf("compression byte is %#02x, should be 00 (none), 01 (zlib) or 02 (bzip2)", src[0])
}

// fill reads all bytes of r into dst, behind the header. It reads up to the end of
// the stream, so that the stream's checksum is compared.
func (c *codec) fill(dst []byte, r io.Reader, with Compression) (int, error) {
	n := unitHeaderSize
	for {
		m, err := r.Read(dst[n:])
		n += m
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return n, nil
		case err != nil:
			return 0, fmt.Errorf("%s: after %d bytes: %w", with, n-unitHeaderSize, err)
		case n == len(dst):
			var more [1]byte
			if m, err := r.Read(more[:]); m == 0 && errors.Is(err, io.EOF) {
				return n, nil
			} else if m == 0 && err != nil {
				return 0, fmt.Errorf("%s: after %d bytes: %w", with, n-unitHeaderSize, err)
			}
			return 0, fmt.Errorf("%s: decompresses to more than the %d bytes of the unit", with, len(dst))
		}
	}
}

// encode compresses unit, header included, and appends the stored form to dst. A
// unit that compression would not shorten is stored uncompressed. The level is
// zlib's or bzip2's, -1 for their default.
func (c *codec) encode(dst, unit []byte, with Compression, level int) ([]byte, error) {
	if len(unit) < compressionFloor {
		with = None
	}
	c.sink.Reset()
	switch with {
	case Zlib:
		if c.deflate == nil || c.level != level {
			w, err := zlib.NewWriterLevel(&c.sink, level)
			if err != nil {
				return nil, fmt.Errorf("zlib: %w", err)
			}
			c.deflate, c.level = w, level
		} else {
			c.deflate.Reset(&c.sink)
		}
		if err := writeAll(c.deflate, unit[unitHeaderSize:]); err != nil {
			return nil, fmt.Errorf("zlib: %w", err)
		}
	case Bzip2:
		if c.encode2 == nil || c.level != level {
			conf := &bzip2.WriterConfig{Level: bzip2Level}
			if level >= bzip2.BestSpeed && level <= bzip2.BestCompression {
				conf.Level = level
			}
			w, err := bzip2.NewWriter(&c.sink, conf)
			if err != nil {
				return nil, fmt.Errorf("bzip2: %w", err)
			}
			c.encode2, c.level = w, level
		} else if err := c.encode2.Reset(&c.sink); err != nil {
			return nil, fmt.Errorf("bzip2: %w", err)
		}
		if err := writeAll(c.encode2, unit[unitHeaderSize:]); err != nil {
			return nil, fmt.Errorf("bzip2: %w", err)
		}
	}
	if with == None || c.sink.Len() >= len(unit)-unitHeaderSize {
		dst = append(dst, unit...)
		dst[len(dst)-len(unit)] = byte(None)
		return dst, nil
	}
	dst = append(dst, byte(with))
	dst = append(dst, unit[1:unitHeaderSize]...)
	return append(dst, c.sink.Bytes()...), nil
}

// bzip2Level gives blocks of 100 kB, more than any unit.
const bzip2Level = 1

func writeAll(w io.WriteCloser, p []byte) error {
	if _, err := w.Write(p); err != nil {
		return err
	}
	return w.Close()
}
