package main

import (
	"fmt"
	"runtime/debug"

	"github.com/iosrun/iosrun/abi"
)

// version names the build and the versions that it speaks.
func version() string {
	v := "development"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	return fmt.Sprintf("%s (detour ABI %d.%d)", v, abi.Major, abi.Minor)
}
