// Package files keeps files from harm, and the program from files: it tells them
// apart by identity and not by name, locks them against other programs, writes
// them whole or not at all, reads what a user names up to a limit, and tells
// whether a folder is the user's own.
//
// It knows nothing of the content of a file and imports no other package of the
// project.
package files
