// Package volume works on volumes in image files: it creates, describes, lists,
// checks, copies and compares them. Results are structs with JSON names and can be
// written as text. It runs no machine and keeps no state; package image knows the
// formats.
package volume
