// Package constantcopy is the front-end detour of mirroring in constant copy. It
// treats requests as the detour standard does, but no application waits for a
// mirror. A mirror write follows as soon as it can; until then its data is at risk.
// (Steps 182 and 216, for every request.)
package constantcopy
