package plugins_test

import "github.com/iosrun/iosrun/abi"

func disabled(f *abi.Frame) { f.Head.Flags |= abi.Disabled }

func mirrorFlags(m abi.Mirror, flags abi.MirrorFlags) abi.Mirror { m.Flags = flags; return m }

func status(flags abi.FlagTable) func(*abi.Frame) {
	return func(f *abi.Frame) { f.Status.Flags = flags }
}

func backEndCases() []testCase {
	back := &detours[4]
	shadow, scheduled := mirror(abi.MirrorInSync, abi.MirrorIOShadow), mirror(abi.MirrorInSync, abi.MirrorIOScheduled)
	return []testCase{
		{name: "nothing waits", detour: back, edit: disabled, steps: s(238, 112)},
		{name: "primary not started", detour: back, edit: with(disabled, mirrors(shadow, mirror(abi.MirrorInSync, abi.MirrorIONone), shadow), func(f *abi.Frame) { f.Status.CC = 3 }),
			intents: asks(intent(abi.IntentDrop, 0b101)), steps: s(238, 240, 242, 112)},
		{name: "started, disabled", detour: back, edit: with(disabled, mirrors(shadow, shadow)),
			intents: asks(intent(abi.IntentSchedule, 0b11)), steps: s(238, 240, 246, 248, 252, 268, 272, 270, 266, 112)},
		{name: "disabled, scheduled already", detour: back, edit: with(disabled, mirrors(scheduled)), steps: s(238, 240, 246, 248, 266, 112)},
		{name: "enabled", detour: back, edit: mirrors(scheduled, shadow),
			intents: asks(intent(abi.IntentStart, 0b11)), steps: s(238, 240, 246, 248, 252, 268, 272, 274, 266)},
		{name: "was synchronising", detour: back, edit: with(disabled, mirrors(mirrorFlags(shadow, abi.MirrorWasSynchronising))),
			intents: asks(intent(abi.IntentLabel, 1)), steps: s(238, 240, 246, 248, 250, 266, 112)},
		{name: "is synchronising still", detour: back,
			edit:    mirrors(mirrorFlags(mirror(abi.MirrorSynchronising, abi.MirrorIOShadow), abi.MirrorWasSynchronising|abi.MirrorLabelRead)),
			intents: asks(intent(abi.IntentDrop, 1)), steps: s(238, 240, 246, 248, 266)},
		{name: "is synchronising no more", detour: back, edit: mirrors(mirrorFlags(shadow, abi.MirrorWasSynchronising|abi.MirrorLabelRead)),
			intents: asks(intent(abi.IntentStart, 1)), steps: s(238, 240, 246, 248, 252, 268, 272, 274, 266)},
		{name: "suspended chain", detour: back, edit: with(disabled, mirrors(mirrorFlags(shadow, abi.MirrorHasSuspendedChain), shadow)),
			intents: asks(intent(abi.IntentResume, 0b01), intent(abi.IntentSchedule, 0b10)),
			steps:   s(238, 240, 246, 248, 252, 254, 256, 258, 268, 272, 270, 266, 112)},
		{name: "cut off meanwhile", detour: back, edit: mirrors(mirror(abi.MirrorSuspended, abi.MirrorIOScheduled), scheduled),
			intents: asks(intent(abi.IntentDrop, 0b01), intent(abi.IntentStart, 0b10)), steps: s(238, 240, 246, 248, 252, 268, 272, 274, 266)},
		{name: "no valid chain", detour: back, edit: with(disabled, mirrors(shadow), status(abi.FlagCCWError)), steps: s(238, 240, 112)},
	}
}
