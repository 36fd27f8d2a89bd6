// Package plugins holds nothing but the tests that all of the project's own
// detours go through: each is a package of logic on an abi.Frame and, in its
// folder wasm, a main package and a manifest that make a module of it. See
// README.md for how to write one.
package plugins
