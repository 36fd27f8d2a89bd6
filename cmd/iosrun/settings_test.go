package main

import (
	"io"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/policy/catalog"
)

// command is a run command with its arguments parsed, not run.
func command(t *testing.T, args ...string) *cobra.Command {
	t.Helper()
	c := newRun()
	c.SetOut(io.Discard)
	require.NoError(t, c.ParseFlags(args))
	c.SetContext(t.Context())
	return c
}

// checked is the experiment of a run command and the first error that is found
// before anything runs.
func checked(c *cobra.Command) (*description.Experiment, error) {
	cfg, err := configOf(c)
	if err != nil {
		return nil, err
	}
	cfg.Policies = []string{"none"}
	x, err := cfg.Parse()
	if err == nil {
		if err = x.CheckWorkload(); err == nil {
			err = x.CheckImages()
		}
	}
	return x, err
}

// TestOddNumbersInFlags: whatever a flag's number is, it is refused before anything
// runs, with the flag, or the experiment can be run.
func TestOddNumbersInFlags(t *testing.T) {
	run := newRun()
	flags := 0
	for _, known := range []map[string]string{flagKeys, generatorKeys} {
		for name := range known {
			if f := run.Flags().Lookup(name); f == nil || f.Value.Type() != "float64" {
				continue
			}
			flags++
			for _, value := range []string{"nan", "inf", "-inf", "-0", "1e300", "-1e300", "1e-300"} {
				x, err := checked(command(t, "--"+name, value, "--generate", "--gen-count", "3", "--model", "3390-1"))
				if err != nil {
					assert.Contains(t, err.Error(), "--"+name, value)
					assert.NotContains(t, err.Error(), "\n", value)
					continue
				}
				require.NotContains(t, []string{"nan", "inf", "-inf"}, value, name)
				x.Machine.Native = true
				plan, err := experiment.PrepareParsed(t.Context(), x, &catalog.Loader{})
				require.NoError(t, err, "--%s %s", name, value)
				_, err = plan.Run(t.Context(), 0, experiment.Options{})
				assert.NoError(t, err, "--%s %s", name, value)
				x.Close()
			}
		}
	}
	assert.Equal(t, 6, flags)
}

// TestWhereAFlagIsWrong: errors name the flag.
func TestWhereAFlagIsWrong(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--speed", "nan"}, "--speed: workload.speed is NaN: want more than 0"},
		{[]string{"--km", "-1"}, "--km: link of -1 kilometres"},
		{[]string{"--aliases", "999"}, "--aliases: 999 aliases: want 0 to 255"},
		{[]string{"--link", "ficn"}, `--link: link type "ficn": want ficon, escon`},
		{[]string{"--model", "3390-45"}, `did you mean "3390-54"?`},
		{[]string{"--trace", "pgbnch"}, `--trace: trace pgbnch: no such file or directory; bundled are pgbench and redis; did you mean "pgbench"?`},
		{[]string{"--format", "vcsi"}, `--format: trace format "vcsi": want auto, events`},
		{[]string{"--fault", "1s=mirror1:linkdown"}, `did you mean "link-down"?`},
		{[]string{"--generate", "--gen-reads", "7"}, "--gen-reads: generator: read share 7: want 0 to 1"},
		{[]string{"--generate", "--trace-device", "7"}, "--trace-device: is about a trace"},
		{[]string{"--cylinders", "-1"}, "workload of -1 cylinders"},
		{[]string{"--first-cylinder", "5"}, "want none, cylinders alone, or both"},
		{[]string{"--cylinders", "9999999"}, "--cylinders: workload of 9999999 cylinders from 1 on: the volume has 1 to 65519 for it"},
		{[]string{"--cylinders", "5", "--model", "9336-20"}, "a 9336-20 has blocks, whose requests go to all of it"},
	} {
		_, err := checked(command(t, c.args...))
		require.ErrorContains(t, err, c.want)
	}
}

func TestSuggestions(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"rnu"}, `unknown command "rnu" for "iosrun"; did you mean "run"?`},
		{[]string{"policy", "shwo", "sync"}, `; did you mean "show"?`},
		{[]string{"volume", "verfy", "x"}, `; did you mean "verify"?`},
		{[]string{"run", "--sped", "3"}, `unknown flag: --sped; did you mean "--speed"?`},
		{[]string{"run", "--log-levl", "warn"}, `; did you mean "--log-level"?`},
		{[]string{"run", "snyc"}, `; did you mean "sync"?`},
		{[]string{"trace", "wriet"}, `; did you mean "write"?`},
		{[]string{"plugin", "inspect", "frontend/standrd"}, `; did you mean "frontend/standard"?`},
	} {
		o := iosrun(t, nil, c.args...)
		assert.Equal(t, 2, o.code, o.err)
		assert.Contains(t, o.err, c.want)
	}
}
