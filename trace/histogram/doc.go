// Package histogram counts latencies and gives their percentiles. It takes the
// same memory whatever is counted, and a percentile is exact to 1 in 1,000.
//
// It knows times and nothing of where they come from; it reads no clock. A
// histogram belongs to one goroutine.
package histogram
