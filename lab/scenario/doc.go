// Package scenario is small experiments that show one thing each: what is done
// on the machine at which virtual time, down to single channel command words, and
// what must come of it. A scenario is a YAML file; those of the project are
// embedded, and together they make every step of the method happen.
package scenario
