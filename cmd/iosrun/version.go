package main

import (
	"fmt"
	"runtime/debug"

	"github.com/iosrun/iosrun/abi"
)

// version returns the version of the build and of the contract with detours.
func version() string {
	v := "development"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	return fmt.Sprintf("%s (detour ABI %d.%d)", v, abi.Major, abi.Minor)
}
