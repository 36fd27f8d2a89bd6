//go:build wasip1

// Command probe is a detour for tests: it does what the first byte of the
// scratch area says and leaves what it found in the rest.
package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/abi/guest/chain"
)

var (
	ccws  [200]abi.CCW
	calls uint64
	keep  [][]byte
)

//go:wasmexport front_end
func frontEnd() {
	f := guest.Frame()
	calls++
	result := f.Scratch[8:]
	switch f.Scratch[0] {
	case 0:
		binary.LittleEndian.PutUint64(result, calls)
	case 1:
		n := int(f.Scratch[1])
		f.Scratch[8] = result[n+200]
	case 2:
		fmt.Println("a line on standard output")
		fmt.Fprint(os.Stderr, "two parts", " of one\nand \x1b[31mred\n")
	case 3:
		start := time.Now()
		binary.LittleEndian.PutUint64(result, uint64(start.UnixNano()))
		time.Sleep(time.Hour)
		binary.LittleEndian.PutUint64(result[8:], uint64(time.Since(start)))
	case 4:
		_, _ = rand.Read(result[:16])
	case 5:
		n := chain.Read(int(f.Scratch[1]), ccws[:])
		binary.LittleEndian.PutUint64(result, uint64(n))
		if n > 0 {
			binary.LittleEndian.PutUint64(result[8:], uint64(ccws[n-1].Address))
		}
	case 6:
		for {
			keep = append(keep, make([]byte, 1<<20))
		}
	case 7:
		os.Exit(3)
	case 8:
		binary.LittleEndian.PutUint64(result, deep(uint64(f.Scratch[1])+1))
	case 9:
		select {}
	case 10:
		_, err := os.ReadFile("/etc/hostname")
		if err != nil {
			result[0] = 1
		}
		result[1] = byte(len(os.Args))
		result[2] = byte(len(os.Environ()))
	case 11: // garbage enough that the collector runs
		for range 100 {
			keep = append(keep[:0], make([]byte, 1<<18))
		}
		binary.LittleEndian.PutUint64(result, uint64(len(keep)))
	}
}

// deep recurses without an end that the compiler can see.
func deep(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	return deep(n+1) + 1
}

//go:wasmexport post_status
func postStatus() {
	f := guest.Frame()
	f.Response.SetFlags(abi.FlagTable(f.Settings.Value[1]))
}

func main() {}
