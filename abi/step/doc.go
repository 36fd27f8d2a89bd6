// Package step names the steps of the interception method, so that code uses names
// instead of the numbers in the method's figures. The numbers stay next to the
// names: a reader of the figures finds the code.
//
// The constants are untyped: a detour reports them in its frame as they are
// (abi.Frame.Took), the host takes them as machine.Step. The table of package
// trace/steps has each step's figure and the component that takes it; a test holds
// these constants and the words behind them against it. The package imports nothing.
package step
