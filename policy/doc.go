// Package policy is mirroring policies: small YAML files that name a module for
// each slot, its settings and what is granted to it, and what the policy
// promises of a completion.
//
// It knows the names and rules of the ABI. It loads no module.
package policy
