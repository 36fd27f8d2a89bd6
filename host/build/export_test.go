package build

// Whole and Keep give the cache's own check, and its way to write, to the tests.
func Whole(path string) bool { return whole(path) }

func Keep(path string, module []byte, temp string) error { return keep(path, module, temp) }
