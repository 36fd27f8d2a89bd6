package world

import (
	"maps"
	"slices"
)

// Counts holds numbers by group and name.
type Counts map[string]map[string]int

// Add adds n to the number of a name.
func (c Counts) Add(group, name string, n int) {
	if c[group] == nil {
		c[group] = make(map[string]int)
	}
	c[group][name] += n
}

// AddAll adds other counts.
func (c Counts) AddAll(o Counts) {
	for group, names := range o {
		for name, n := range names {
			c.Add(group, name, n)
		}
	}
}

// Groups returns the groups, in alphabetical order.
func (c Counts) Groups() []string { return slices.Sorted(maps.Keys(c)) }

// Names returns the names of a group, in alphabetical order.
func (c Counts) Names(group string) []string { return slices.Sorted(maps.Keys(c[group])) }
