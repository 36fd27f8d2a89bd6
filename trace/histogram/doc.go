// Package histogram counts latencies and returns their percentiles. It takes the
// same memory for any number of latencies, and a percentile is exact to 1 in 1,000.
//
// It knows times and nothing of where they come from; it reads no clock. A
// histogram belongs to one goroutine.
package histogram
