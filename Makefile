# Two commands do everything on a fresh Debian or Ubuntu machine with Rust: `make demo` and `make test`.

CARGO ?= cargo

.PHONY: demo test bench build install-build install-test

## A server with bots in a room; prints the address to open.
demo: install-build
	$(CARGO) run --release --locked --bin medley -- demo

## Everything that is tested, the real browser and software Vulkan too.
test: install-build install-test
	$(CARGO) test --release --locked

## The figures of BENCHMARKS.md.
bench: install-build install-test
	$(CARGO) bench --locked

build: install-build
	$(CARGO) build --release --locked

install-build:
	@.ci/install build

install-test:
	@.ci/install test
