// Package files protects files: it tells them apart by identity and not by name,
// locks them against other programs, writes them whole or not at all, and tells
// whether a folder is the user's own.
//
// It knows nothing of the content of a file and imports no other package of the
// project.
package files
