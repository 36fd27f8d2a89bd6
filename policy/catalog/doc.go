// Package catalog finds detours: a reference is the name of a shipped module, a
// .wasm file or a folder of Go source, and the catalog turns it into a module
// that has been read, and a policy into attachments for the slots.
package catalog
