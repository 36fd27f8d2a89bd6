package catalog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/names/shelf"
	"github.com/iosrun/iosrun/policy"
)

// Loader turns policies into attachments. It compiles a module only once, even if
// several policies and machines use it. It is safe for several goroutines.
type Loader struct {
	Catalog Catalog
	Runtime *host.Runtime
	Log     hclog.Logger

	mu       sync.Mutex
	compiled map[string]*host.Compiled // by reference
}

// Prepared is a policy whose modules have been verified against its grants and
// compiled: instances for a machine are quick to make.
type Prepared struct {
	Policy  *policy.Policy
	Detours [hooks.Slots][]PreparedDetour

	loader *Loader
}

type PreparedDetour struct {
	Detour  *policy.Detour
	Module  *host.Module
	Granted abi.Capability

	code     *host.Compiled
	settings map[string]string
	rule     hooks.Containment
}

// Prepare loads the modules that the policy names. It refuses a module that needs
// more than it was granted, lacks exports or has another version.
func (l *Loader) Prepare(ctx context.Context, p *policy.Policy) (*Prepared, error) {
	if p.Source != shelf.BuiltIn {
		if err := l.Catalog.Uses.Reads(p.Source, "a policy"); err != nil {
			return nil, err
		}
	}
	r := &Prepared{Policy: p, loader: l}
	for s := hooks.Slot(0); s < hooks.Slots; s++ {
		sequence := p.Sequence(s)
		for i := range sequence {
			d, err := l.prepare(ctx, p, s, &sequence[i])
			if err != nil {
				return nil, fmt.Errorf("policy %s: %s: %w", p.Name, s.Hook(), err)
			}
			r.Detours[s] = append(r.Detours[s], *d)
		}
	}
	return r, nil
}

func (l *Loader) prepare(ctx context.Context, p *policy.Policy, s hooks.Slot, d *policy.Detour) (*PreparedDetour, error) {
	granted, err := d.Granted()
	if err != nil {
		return nil, err
	}
	rule, err := d.Rule()
	if err != nil {
		return nil, err
	}
	settings, err := settingText(d.Settings)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", d.Module, err)
	}
	code, err := l.load(ctx, p.Path(d), granted)
	if err != nil {
		return nil, err
	}
	m := code.Module
	if !m.Manifest.Implements(s.Hook()) {
		return nil, fmt.Errorf("module %s: stands on %s but has no hook %s: it has %v", d.Module, s, s.Hook().Export(), m.Manifest.Hooks)
	}
	if err := host.Verify(m, granted).Err(); err != nil {
		return nil, fmt.Errorf("module %s: %w", d.Module, err)
	}
	if _, err := host.Settings(m.Manifest, settings); err != nil {
		return nil, fmt.Errorf("module %s: %w", d.Module, err)
	}
	return &PreparedDetour{Detour: d, Module: m, Granted: granted, code: code, settings: settings, rule: rule}, nil
}

func (l *Loader) load(ctx context.Context, ref string, granted abi.Capability) (*host.Compiled, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.compiled[ref]; c != nil {
		return c, nil
	}
	m, err := l.Catalog.Module(ctx, ref)
	if err != nil {
		return nil, err
	}
	c, report, err := l.Runtime.Examine(ctx, m, granted)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", ref, err)
	}
	if err := report.Err(); err != nil {
		return nil, fmt.Errorf("module %s: %w", ref, err)
	}
	if l.compiled == nil {
		l.compiled = make(map[string]*host.Compiled)
	}
	l.compiled[ref] = c
	return c, nil
}

// Inspect describes a module and reports whether a policy with these grants could
// load it; nil grants stand for all that the module asks for. It makes the same
// checks as loading does. Nothing of the module runs, unless rehearse asks for the
// remaining checks: its start and the canned frames. The settings are the module's
// defaults.
func (l *Loader) Inspect(ctx context.Context, ref string, grants []string, rehearse bool) (*host.Module, *host.Report, error) {
	m, err := l.Catalog.Module(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	var granted abi.Capability
	switch {
	case grants != nil:
		granted, err = policy.ParseGrants(grants)
	case m.Manifest != nil:
		granted, err = m.Manifest.Wants()
	}
	if err != nil {
		return nil, nil, err
	}
	c, report, err := l.Runtime.Examine(ctx, m, granted)
	if err != nil || !rehearse || report.Err() != nil {
		return m, report, err
	}
	d := PreparedDetour{Module: m, Granted: granted, code: c}
	i, err := d.instance(ctx, rehearsalSeed, l.Log)
	if err != nil {
		report.Refuse(err)
		return m, report, nil
	}
	return m, report, i.Close()
}

// rehearsalSeed is the seed of an instance that Inspect makes.
const rehearsalSeed = 1

// Try makes an instance of each detour, rehearses it and closes it again. It finds
// the faults of a policy that show only when its modules run. With native it uses
// the linked-in shipped detours.
func (r *Prepared) Try(ctx context.Context, seed uint64, native bool) error {
	all, err := r.Attachments(ctx, seed, native)
	if err != nil {
		return fmt.Errorf("policy %s: %w", r.Policy.Name, err)
	}
	for _, sequence := range all {
		for _, a := range sequence {
			err = errors.Join(err, a.Detour.Close())
		}
	}
	return err
}

// Attachments makes an instance of each detour for one machine, rehearses it and
// returns it ready for hooks.Table.Install. The table closes the instances; after an
// error they are closed already. With native the shipped detours run as linked-in
// functions and not as modules.
func (r *Prepared) Attachments(ctx context.Context, seed uint64, native bool) ([hooks.Slots][]*hooks.Attachment, error) {
	var all [hooks.Slots][]*hooks.Attachment
	for s := range r.Detours {
		for i := range r.Detours[s] {
			d := &r.Detours[s][i]
			a, err := d.attachment(ctx, seed, r.loader.Log, native)
			if err != nil {
				for _, c := range all {
					for _, a := range c {
						_ = a.Detour.Close()
					}
				}
				return all, fmt.Errorf("%s: module %s: %w", hooks.Slot(s).Hook(), d.Detour.Module, err)
			}
			all[s] = append(all[s], a)
		}
	}
	return all, nil
}

func (d *PreparedDetour) attachment(ctx context.Context, seed uint64, log hclog.Logger, native bool) (*hooks.Attachment, error) {
	if native {
		settings, err := host.Settings(d.Module.Manifest, d.settings)
		if err != nil {
			return nil, err
		}
		n, err := Native(d.Module.Manifest.Name, settings)
		if err != nil {
			return nil, err
		}
		return &hooks.Attachment{
			Name: d.Module.Manifest.Name, Detour: n, Granted: d.Granted, Containment: d.rule, Records: hooks.NewRecords(d.Module.Manifest),
		}, nil
	}
	i, err := d.instance(ctx, seed, log)
	if err != nil {
		return nil, err
	}
	return i.Attachment(d.rule), nil
}

func (d *PreparedDetour) instance(ctx context.Context, seed uint64, log hclog.Logger) (*host.Instance, error) {
	i, err := d.code.Instantiate(ctx, host.InstanceConfig{
		Name: d.Module.Manifest.Name, Settings: d.settings, Granted: d.Granted, Seed: seed, Log: log,
	})
	if err != nil {
		return nil, err
	}
	if err := host.Rehearse(i); err != nil {
		_ = i.Close()
		return nil, err
	}
	return i, nil
}

// settingText returns the text of settings: whole numbers, truth values and names.
func settingText(given map[string]any) (map[string]string, error) {
	text := make(map[string]string, len(given))
	for k, v := range given {
		switch v := v.(type) {
		case string:
			text[k] = v
		case int, int64, uint64:
			text[k] = fmt.Sprint(v)
		case bool:
			text[k] = map[bool]string{false: "0", true: "1"}[v]
		case float64:
			if v != math.Trunc(v) {
				return nil, fmt.Errorf("setting %s: %v: want a whole number or a name", k, v)
			}
			text[k] = fmt.Sprintf("%.0f", v)
		default:
			return nil, fmt.Errorf("setting %s: %v: want a whole number or a name", k, v)
		}
	}
	return text, nil
}
