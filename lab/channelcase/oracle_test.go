package channelcase

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// oracle is Hercules 3.13, without console and ports, with a 3390 and a 3370.
type oracle struct{ folder, ckd, fba string }

func newOracle(t *testing.T) oracle {
	if testing.Short() {
		t.Skip("runs another program, one case after the other")
	}
	t.Helper()
	for _, program := range []string{"hercules", "dasdinit"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no oracle: %v: the package hercules has it", err)
		}
	}
	return oracle{t.TempDir(), oracleCKD, oracleFBA}
}

// The volumes of the oracle, as ParseVolume has them.
const (
	oracleCKD = "dasdinit -lfs ckd.dsk 3390 ORC001 10"
	oracleFBA = "dasdinit -lfs fba.dsk 3370 FBA001 2000"
)

// run runs cases one after another on fresh volumes.
func (o oracle) run(ctx context.Context, cases []*Case, z bool, second func(*Case) bool) ([]Outcome, error) {
	image, err := newOracleImage(cases, z, second)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(o.folder, "run")
	if err != nil {
		return nil, err
	}
	architecture := "ESA/390"
	if z {
		architecture = "z/Arch"
	}
	files := map[string][]byte{
		"core.in": image.core,
		"conf":    []byte("CPUSERIAL 002623\nCPUMODEL 3090\nARCHMODE " + architecture + "\nMAINSIZE 4\nNUMCPU 1\nOSTAILOR QUIET\nPANRATE SLOW\n0120 3390 ckd.dsk\n0121 3370 fba.dsk\n"),
		// The core image can be saved once the processor has stopped.
		"rc": append([]byte("sysclear\nloadcore core.in 0\nrestart\n"),
			append(bytes.Repeat([]byte("pause 1\nsavecore core.out 0 3FFFFF\n"), 240), "quit\n"...)...),
	}
	for name, p := range files {
		if err := os.WriteFile(filepath.Join(folder, name), p, 0o600); err != nil {
			return nil, err
		}
	}
	for _, volume := range []string{o.ckd, o.fba} {
		command := strings.Fields(volume)
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Dir = folder
		if text, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w: %s", command, err, text)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := exec.CommandContext(ctx, "hercules", "-d", "-f", "conf")
	c.Dir, c.Stdout, c.Stderr = folder, log, log
	c.Env = append(os.Environ(), "HERCULES_RC=rc")
	if err := c.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	core, err := awaitCore(ctx, filepath.Join(folder, "core.out"), ended)
	_ = c.Process.Kill()
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w: %s", err, text[max(0, len(text)-2000):])
	}
	out := make([]Outcome, len(cases))
	for i := range image.cases {
		if out[i], err = image.cases[i].outcome(core); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// awaitCore waits for all of the core image.
func awaitCore(ctx context.Context, path string, ended <-chan error) ([]byte, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return nil, fmt.Errorf("hercules ended before it saved the core image: %v", err)
		case <-ctx.Done():
			return nil, fmt.Errorf("hercules did not save the core image: %w", ctx.Err())
		case <-tick.C:
		}
		if i, err := os.Stat(path); err == nil && i.Size() == oracleCore {
			return os.ReadFile(path)
		}
	}
}

// oracleNotVectors is what the vectors were made with that these runs lack: the
// cases between those of the file, which leave the arm elsewhere, and of a
// program that is not fetched the count of the one before.
var oracleNotVectors = map[string][]string{
	"A43": {"sense"}, "A45": {"sense"}, "A48": {"sense"}, "A50": {"sense"},
	"A75": {"residual"},
}

// The oracle gives what testdata/channel.json expects, which came from one: so
// the harness is right.
func TestOracleGivesVectors(t *testing.T) {
	o := newOracle(t)
	f := parseFile(t, "testdata/channel.json")
	for _, z := range []bool{false, true} {
		var cases []*Case
		for i := range f.Cases {
			c := &f.Cases[i]
			if (f.Arch[c.Suite] == "z") == z && oracleRunnable(c) {
				cases = append(cases, c)
			}
		}
		got, err := o.run(context.Background(), cases, z, func(c *Case) bool { return c.Suite == "f" })
		require.NoError(t, err)
		for i, c := range cases {
			k := *c
			k.Expect.Tracks = nil
			k.Ignore = append(slices.Clone(k.Ignore), oracleNotVectors[c.ID]...)
			for _, d := range k.Check(&got[i]) {
				t.Errorf("%s: %v", c.ID, d)
			}
		}
		t.Logf("%d cases", len(cases))
	}
}

// The cases of testdata/linux.json and testdata/differ.json: what they expect is
// what the oracle gives, but for the deviations.
func TestOracleDriverCases(t *testing.T) {
	for path, serial := range map[string]string{"testdata/linux.json": "LX0001", "testdata/differ.json": "ORC001"} {
		o := newOracle(t)
		f := parseFile(t, path)
		for _, suite := range sorted(f.Volumes) {
			var cases []*Case
			for i := range f.Cases {
				if c := &f.Cases[i]; c.Suite == suite && oracleRunnable(c) {
					cases = append(cases, c)
				}
			}
			if len(cases) == 0 {
				continue
			}
			o.ckd = strings.Replace(oracleCKD, "ORC001", serial, 1)
			theirs, err := o.run(context.Background(), cases, f.Arch[suite] == "z", func(c *Case) bool { return strings.Contains(f.Volumes[c.Suite], " 3370 ") })
			require.NoError(t, err)
			for i, c := range cases {
				k := *c
				k.Expect.Tracks = nil
				p := pair{&k, f.Arch[suite] == "z", &theirs[i], &k.Expect}
				for _, d := range p.compare(map[string]int{}) {
					t.Errorf("%s: %v", c.ID, d)
				}
			}
			t.Logf("%s: %d cases", suite, len(cases))
		}
	}
}
