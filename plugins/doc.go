// Package plugins holds only the tests that all of the project's own detours must
// pass. Each detour is a package of logic on an abi.Frame and, in its folder wasm, a
// main package and a manifest that make a module of it. README.md explains how to
// write one.
package plugins
