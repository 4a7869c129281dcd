# What there is to do with Renraku. `make` alone says it.

.DEFAULT_GOAL := help
.PHONY: help run test test-swift test-phone-library test-phone-ffmpeg check-mobile-targets bench bindings fmt lint

help: ## Say what there is.
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 30

run: ## Start a demo town under ./data/demo and say where to look.
	@scripts/setup build run
	cargo build --locked --profile demo -p renraku-server -p renraku-tests --bin renraku-server --bin demo
	@exec $${CARGO_TARGET_DIR:-target}/demo/demo

# Cheap checks first. Building the tests builds the server's binary too, which the end-to-end tests start.
test: ## Formatting, lints and every test, on both databases.
	@scripts/setup build run test
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@if cargo nextest --version >/dev/null 2>&1; then \
		set -x; exec scripts/with-postgres cargo nextest run --locked --workspace --no-fail-fast; \
	else \
		set -x; exec scripts/with-postgres cargo test --locked --workspace --tests --no-fail-fast; \
	fi

# Swift comes from Debian 13 where this is another Debian: minutes and 3 GB at the first time. Where it cannot be
# had, the test says so and is skipped.
test-swift: ## The core as the iOS shell uses it, in real Swift (not in CI).
	@scripts/setup build run test
	cargo test -q --locked --workspace --tests -- --ignored --nocapture swift_on_sqlite

test-phone-library: ## The library as phones get it, small, under Kotlin's tests (not in CI).
	@scripts/setup build run test
	library=$$(scripts/phone-library) && \
		RENRAKU_LIBRARY=$$library scripts/with-postgres cargo test -q --locked --workspace --tests -- --nocapture kotlin_on

test-phone-ffmpeg: ## core/media's tests with the FFmpeg that phones get (not in CI).
	@scripts/setup build run phone-ffmpeg
	scripts/ffmpeg/test

check-mobile-targets: ## Types of what runs on a phone, for Android's and Apple's processors (not in CI).
	@scripts/setup build
	@scripts/check-mobile-targets

bench: ## How fast: photos, films, a phone, a slow line, getting in, a push; and how large the phone's library is.
	@scripts/setup build run bench
	cargo bench --locked -p renraku-media
	cargo bench --locked -p renraku-core --bench phone
	RENRAKU_UPLOAD_MEGABYTES=20 cargo test --locked --release -p renraku-core --test it slow:: -- --nocapture
	scripts/with-postgres cargo bench --locked --profile gate -p renraku-server --bench gate
	cargo build --locked --release -p renraku-server -p renraku-tests --bin renraku-server --bin bench_push
	$${CARGO_TARGET_DIR:-target}/release/bench_push
	scripts/library-size

bindings: ## Make the Kotlin and Swift bindings.
	@scripts/setup build
	mobile-bindings/generate.sh

fmt: ## Format.
	cargo fmt --all

lint: ## Formatting and lints alone.
	@scripts/setup build
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
