// Package shelf finds YAML documents by name: those that ship with the program,
// and files of the user's.
package shelf
