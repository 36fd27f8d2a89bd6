package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/policy/catalog"
)

// fuelFlag is the flag for the limit on a call of a module.
const fuelFlag = "fuel"

// addLoaderFlags adds the flags about how modules are loaded.
func addLoaderFlags(c *cobra.Command) {
	c.Flags().Bool("no-cache", false, "do not keep compiled modules on disk")
	c.Flags().Int64(fuelFlag, host.DefaultFuel, "units of fuel that a call of a module may use, about one an instruction (see docs/fuel.md); -1: no limit, a loop then ends with the program alone")
}

// openLoader returns the loader of a command's policies, and a function that closes
// it.
func openLoader(c *cobra.Command, log hclog.Logger) (*catalog.Loader, func(), error) {
	rc := host.RuntimeConfig{Logger: log.Named("host")}
	if no, _ := c.Flags().GetBool("no-cache"); !no {
		var err error
		if rc.CacheDir, err = host.DefaultCacheDir(); err != nil {
			log.Warn("modules are compiled each time", "error", err)
			rc.CacheDir = ""
		}
	}
	if c.Flags().Lookup(fuelFlag) != nil {
		rc.Fuel, _ = c.Flags().GetInt64(fuelFlag)
		if rc.Fuel == 0 { // 0 would mean the default to the runtime
			return nil, nil, usage(fmt.Errorf("--%s 0: want 1 to %d, or %d", fuelFlag, int64(host.MaxFuel), host.Unmetered))
		}
	}
	ctx := c.Context()
	rt, err := host.NewRuntime(ctx, rc)
	if err != nil {
		return nil, nil, usage(err)
	}
	end := func() { _ = rt.Close(context.WithoutCancel(ctx)) }
	return &catalog.Loader{Catalog: *catalogOf(c), Runtime: rt, Log: log}, end, nil
}
