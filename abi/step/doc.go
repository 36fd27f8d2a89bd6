// Package step names the steps of the interception method, so that code says what
// it does and not which number the method's figures give it. The numbers stay next to
// the names: whoever holds the figures finds the code.
//
// The constants are untyped: a detour reports them in its frame as they are
// (abi.Frame.Took), the host takes them as machine.Step. The table of package
// trace/steps has each step's figure and the component that takes it; a test holds
// these constants and the words behind them against it. The package imports nothing.
package step
