// Package suggest finds the name that a user may have meant when the given one does
// not exist. It does not know what the names stand for.
package suggest
