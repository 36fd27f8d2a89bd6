// Package shelf finds YAML documents by name: those that ship with the program, and
// the user's files.
package shelf
