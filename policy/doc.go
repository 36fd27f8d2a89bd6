// Package policy reads mirroring policies: small YAML files that name the modules
// for each slot with their settings and grants, and promise which devices have a
// write when its completion is reported.
//
// It knows the names and rules of the ABI. It loads no module.
package policy
