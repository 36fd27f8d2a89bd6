// Package constantcopy is the front-end detour of mirroring in constant copy:
// what standard does, but no application waits for a mirror. A mirror write
// follows as soon as it can, and what it lags behind is data at risk. (Steps
// 182 and 216, for every request.)
package constantcopy
