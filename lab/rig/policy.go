package rig

import (
	"context"

	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/policy"
	"github.com/iosrun/iosrun/policy/catalog"
)

// Installation holds a policy's detours on the slots.
type Installation struct {
	Policy    string
	Sequences [hooks.Slots][]*hooks.Attachment
	// PointInTime says that the policy promises that the mirrors keep the state of one
	// point in time of all pairs together.
	PointInTime bool
}

// Install puts a policy's detours on the slots instead of the present ones. An I/O
// under way keeps the detours that it began with.
func (r *Rig) Install(ctx context.Context, p *catalog.Prepared) error {
	sequences, err := p.Attachments(ctx, r.Description.Seed, r.Description.Native)
	if err != nil {
		return err
	}
	if r.frames != nil {
		show(sequences, r.frames)
	}
	promise := promiseOf(p.Policy)
	if err := r.Intercept.Install(sequences, promise); err != nil {
		return err
	}
	r.installed = append(r.installed, Installation{p.Policy.Name, sequences, p.Policy.Consistency != ""})
	if r.Promised != nil {
		r.Promised(promise)
	}
	return nil
}

// Installed returns the policies that have been on the slots, in order.
func (r *Rig) Installed() []Installation { return r.installed }

// promiseOf returns the promise of a policy about completions and promotions.
func promiseOf(p *policy.Policy) intercept.Promise {
	promise := intercept.Promise{Durability: intercept.DurablePrimary, Copies: p.Copies, StalePromotion: p.StalePromotion == policy.Allow}
	if p.Durability == "mirrors" {
		promise.Durability = intercept.DurableMirrors
	}
	return promise
}
