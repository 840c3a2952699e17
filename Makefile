# What can be done with this project. All that is needed is a Rust toolchain and a C linker; the
# browser tests also want chromium and chromium-driver, and npm to fetch axe-core, and are left out
# without them.

# More options for the program: make run ARGS=--listen=127.0.0.1:9000
ARGS =

# How tests that explore are built: optimised, with all assertions and the switch for mistakes.
PROOF = cargo test --profile proof --features mistakes

# Which run of the simulator, and how many minutes of them: make sim SEED=7, make sim-long MINUTES=60
SEED = 1
MINUTES = 480

.PHONY: run run-cluster test look axe model sim sim-long torture attack old-program lint bench doc

# One machine: web server and backend in one process.
run:
	cargo run --release --quiet -- serve $(ARGS)

# A cluster on this machine: three backends and a web server.
run-cluster:
	cargo run --release --quiet -- run-cluster $(ARGS)

test: axe old-program
	cargo build
	$(PROOF) --test model
	$(PROOF) --test sim
	@if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then \
		cargo test --no-fail-fast; \
	else \
		echo "no browser tests: chromedriver or chromium is missing (Debian: apt-get install chromium chromium-driver)"; \
		TERN_SKIP_BROWSER=1 cargo test --no-fail-fast; \
	fi

# Every page from all sides and every form with all that may go wrong, in a real browser; pictures of it
# all in target/screens, side by side in sheet.png. `make test` looks at what changes most.
look: axe
	cargo build
	TERN_BROWSER_ALL=1 cargo test --test main browser:: -- --nocapture

# The accessibility checker that the browser tests run beside the pages: fetched, never kept here.
AXE = axe-core-4.14.1
AXE_SHA256 = e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
axe:
	@if [ -e target/$(AXE)/package/axe.min.js ]; then :; \
	elif ! command -v npm >/dev/null; then \
		echo "no axe-core, its checks are left out: npm is missing (Debian: apt-get install npm)"; \
	elif ! (mkdir -p target && cd target && \
		timeout 60 npm pack --silent $(subst axe-core-,axe-core@,$(AXE)) >/dev/null 2>&1); then \
		echo "no axe-core, its checks are left out: it could not be fetched"; \
	else \
		echo "$(AXE_SHA256)  target/$(AXE).tgz" | sha256sum --check --quiet && \
		mkdir -p target/$(AXE) && tar -xzf target/$(AXE).tgz -C target/$(AXE) package/axe.min.js; \
	fi

# The lock protocol under every order of events, larger than in `make test`: make model STATES=20000000
STATES = 5000000
model:
	TERN_MODEL_STATES=$(STATES) $(PROOF) --test model -- --nocapture --test-threads=1

# One run of the lock protocol on simulated machines, its trace printed; then as many as there is time for.
sim:
	TERN_SIM_SEED=$(SEED) $(PROOF) --test sim sim_seeds -- --nocapture

sim-long:
	TERN_SIM_MINUTES=$(MINUTES) $(PROOF) --test sim sim_seeds -- --nocapture

# Everything that can break breaks at random, under load: make torture SECONDS=600. Prints its seed; the
# same choices again: TERN_TORTURE_SEED=…; as root (of a container) with power cuts and full disks.
SECONDS = 60
torture: old-program
	TERN_TORTURE_SECONDS=$(SECONDS) cargo test --test main nothing_acknowledged_is_lost -- --nocapture

# The door under attack: each attack alone, and floods for so long: make attack SECONDS=600. All of them
# side by side are in `make test`.
attack:
	cargo build
	TERN_ATTACK_SECONDS=$(SECONDS) cargo test --test main door:: -- --nocapture --test-threads=1

# The program before the present protocol version, which some tests run beside the present one: they look
# for target/old/debug/tern, or what TERN_OLD_PROGRAM names, and are left out without it.
OLD_COMMIT = cb061578cf770f0b0485d168df3c4dabbf980c53
OLD_SOURCE = target/old-source/$(OLD_COMMIT)
old-program:
	@if ! git cat-file -e $(OLD_COMMIT)^{commit} 2>/dev/null; then \
		echo "no old program, tests with it are left out: this repository lacks commit $(OLD_COMMIT)"; \
	elif [ ! -e $(OLD_SOURCE)/complete ] && ! (mkdir -p $(OLD_SOURCE) && \
		git archive --output=$(OLD_SOURCE).tar $(OLD_COMMIT) && \
		tar -xmf $(OLD_SOURCE).tar -C $(OLD_SOURCE) && touch $(OLD_SOURCE)/complete); then \
		echo "no old program, tests with it are left out: its source could not be unpacked"; \
	elif ! cargo build --manifest-path $(OLD_SOURCE)/Cargo.toml --target-dir target/old; then \
		echo "no old program, tests with it are left out: it could not be built"; \
	fi

lint:
	cargo fmt --check
	cargo clippy --all-targets --features mistakes -- -D warnings

bench:
	cargo bench --bench bench

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items
