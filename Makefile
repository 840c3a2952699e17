.PHONY: run run-cluster test lint

run:
	cargo run --release -- serve

run-cluster:
	cargo run --release -- run-cluster

test:
	cargo test

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
