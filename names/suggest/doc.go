// Package suggest finds the name that somebody may have meant who wrote another.
// It knows nothing of what the names are of.
package suggest
