// Package planted contains deliberate bugs. Each is a small patch of the program
// that a test applies, one at a time, to show that a check of a run or a test finds
// it and describes it. A patch that nothing finds is a hole in the checks.
//
// The package has no code but its tests. A patch is a unified diff under testdata;
// the table in planted_test.go names the check or test that must find it. The
// sources stay as they are: the toolchain is given the patched files in place of
// them (go build -overlay).
package planted
