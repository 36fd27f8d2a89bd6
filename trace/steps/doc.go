// Package steps holds the table of the interception method's steps, and recorders
// that a machine tells of the steps it takes: one counts them, one records the steps
// of single I/Os.
package steps
