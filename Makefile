# Two commands do everything on a fresh Debian or Ubuntu machine with Rust: `make demo` and `make test`.

CARGO ?= cargo

.PHONY: demo test bench build install-build install-test

TARGET := $(or $(CARGO_TARGET_DIR),target)

## A server with bots in a room; prints the address to open.
demo: build
	$(TARGET)/release/medley demo

## Everything that is tested, the real browser and software Vulkan too.
test: install-build install-test
	$(CARGO) test --release --locked

## The figures of BENCHMARKS.md.
bench: install-build install-test
	$(CARGO) bench --locked

# One small test is built along: the crates shared with the tests then get the features that `make test` needs, and each is
# built once for both.
build: install-build
	$(CARGO) build --release --locked --bin medley --test floors

install-build:
	@.ci/install build

install-test:
	@.ci/install test
