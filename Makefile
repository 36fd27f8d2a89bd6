# The two commands of a fresh machine with Go and make: make demo, make test.

GO       ?= go
BIN      := bin
IOSRUN   := $(BIN)/iosrun
# The shipped modules, which the program carries.
ARCHIVE  := policy/catalog/shipped/modules.tar.zst
# What works on memory that several goroutines share is tested for races. The tests
# of the command run it as a process of its own, in which the detector is not.
RACE     := ./hooks/... ./host/... ./files/... ./policy/... ./trace/... ./lab/...
STATICCHECK := $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: all build plugins demo test planted lint bench fuzz clean

all: build

build:
	$(GO) build -o $(IOSRUN) ./cmd/iosrun

# Needed after a change of a shipped detour or of the ABI: builds the modules, and a
# program that carries them. What has not changed is not compiled again.
plugins: build
	$(IOSRUN) plugin build --shipped . --archive $(ARCHIVE)
	$(MAKE) build

demo: build
	$(IOSRUN) compare

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not gofmt-clean:"; echo "$$unformatted"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(STATICCHECK) ./...

test: lint
	$(GO) test -timeout 30m ./...
	$(GO) test -timeout 30m -race -short $(RACE)

# Every planted bug, one at a time: each must be found. "make test" tries a sample.
planted:
	IOSRUN_PLANTED=all $(GO) test -count=1 -timeout 30m ./lab/planted

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# Each fuzz target for a short while; FUZZTIME=10m for longer.
FUZZTIME ?= 20s
fuzz:
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done

clean:
	rm -rf $(BIN)
