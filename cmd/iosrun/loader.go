package main

import (
	"context"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/lab/catalog"
)

// openLoader makes what loads a command's policies, and what closes it.
func openLoader(c *cobra.Command, log hclog.Logger) (*catalog.Loader, func(), error) {
	rc := host.RuntimeConfig{Logger: log.Named("host")}
	if no, _ := c.Flags().GetBool("no-cache"); !no {
		var err error
		if rc.CacheDir, err = host.DefaultCacheDir(); err != nil {
			log.Warn("modules are compiled each time", "error", err)
			rc.CacheDir = ""
		}
	}
	ctx := c.Context()
	rt, err := host.NewRuntime(ctx, rc)
	if err != nil {
		return nil, nil, err
	}
	end := func() { _ = rt.Close(context.WithoutCancel(ctx)) }
	return &catalog.Loader{Catalog: *catalogOf(c), Runtime: rt, Log: log}, end, nil
}
