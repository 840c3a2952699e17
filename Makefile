# What can be done with this project. All that is needed is a Rust toolchain and a C linker; the
# browser tests also want chromium and chromium-driver, and npm to fetch axe-core, and are left out
# without them; `make fuzz` wants a nightly toolchain.

# More options for the program: make run ARGS=--listen=127.0.0.1:9000
ARGS =

# How tests that explore are built: optimised, with all assertions and the switch for mistakes.
PROOF = cargo test --profile proof --no-default-features --features mistakes

# Which run of the simulator, and how many minutes of them: make sim SEED=7, make sim-long MINUTES=60
SEED = 1
MINUTES = 480

.PHONY: run run-cluster test built units explored test-busy test-processes look axe model sim sim-long torture attack fuzz old-program rehearse boot board lint clippy deny sbom bench doc dist cargo-deb

# One machine: web server and backend in one process.
run:
	cargo run --release --quiet -- serve $(ARGS)

# A cluster on this machine: three backends and a web server.
run-cluster:
	cargo run --release --quiet -- run-cluster $(ARGS)

# Tests side by side: most wait, for processes and deadlines, so twice as many as processors. Beside them
# those that keep processors busy by themselves, with a browser or a load.
PROCESSORS = $$(nproc 2>/dev/null || echo 2)
BUSY = browser:: torture::
test: axe old-program cargo-deb built units explored
	@skip=; \
	if ! command -v chromedriver >/dev/null || ! command -v chromium >/dev/null; then \
		echo "no browser tests: chromedriver or chromium is missing (Debian: apt-get install chromium chromium-driver)"; \
		skip="$$skip TERN_SKIP_BROWSER=1"; \
	fi; \
	if ! python3 -c "import ensurepip, venv" 2>/dev/null; then \
		echo "no tests with apps' own clients: python3-venv is missing (Debian: apt-get install python3-venv)"; \
		skip="$$skip TERN_SKIP_CLIENTS=1"; \
	fi; \
	env $$skip $(MAKE) --no-print-directory --keep-going --jobs=2 test-busy test-processes

built: old-program
	cargo test --no-run

units: built
	cargo test --lib
	@# Else rustdoc warns of make's own job server, which is closed to what is no make.
	env -u MAKEFLAGS cargo test --doc

explored:
	$(PROOF) --test model --test sim

test-busy:
	cargo test --test main -- $(BUSY) --test-threads=$$((($(PROCESSORS) + 1) / 2))

test-processes:
	cargo test --test main -- $(addprefix --skip=,$(BUSY)) --test-threads=$$(($(PROCESSORS) * 2))

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

# The page on installing (src/INSTALL.md) from the package on, on three machines with nothing but a bare
# Debian, which are namespaces of this one: as root, with mmdebstrap and the network.
PACKAGE = $(firstword $(wildcard target/dist/tern_*_amd64.deb))
DEBIAN = bookworm
BARE = target/bare-debian-$(DEBIAN)
rehearse:
	@test -n "$(PACKAGE)" || { echo "no package: make dist, or PACKAGE=FILE"; exit 1; }
	@if [ ! -e $(BARE)/complete ]; then \
		rm -rf $(BARE) && mkdir -p $(BARE)/root && \
		timeout 600 mmdebstrap --quiet --variant=minbase $(DEBIAN) $(BARE)/root.tar && \
		tar -xf $(BARE)/root.tar -C $(BARE)/root --exclude='./dev/*' && rm $(BARE)/root.tar && touch $(BARE)/complete; \
	fi
	TERN_REHEARSE_ROOT=$(CURDIR)/$(BARE)/root TERN_REHEARSE_PACKAGE=$(abspath $(PACKAGE)) \
		timeout --kill-after=10 900 cargo test --test main bare_debian -- --ignored --nocapture

# The package under a real systemd, which `make rehearse` does without: Debian's kernel and the page's commands for
# one machine, emulated by qemu; as root, with mmdebstrap and the network; some minutes, once it was fetched.
BOOT = target/boot-debian-$(DEBIAN)
boot:
	@test -n "$(PACKAGE)" || { echo "no package: make dist, or PACKAGE=FILE"; exit 1; }
	tests/dist/boot.sh $(BOOT) $(PACKAGE) $(DEBIAN)
	TERN_BOOT=$(CURDIR)/$(BOOT) timeout --kill-after=10 900 \
		cargo test --test main systemd_that_runs -- --ignored --nocapture

# The program for arm64 (that of `make dist`, or else it is built) on a board with 512 MB, which qemu emulates
# with Debian's kernel: three backends and a web server, of which one backend dies. Prints what memory they took.
BOARD = target/board
BOARD_TARGET = aarch64-unknown-linux-musl
BOARD_PROGRAM = $(firstword $(wildcard target/dist/tern-*-aarch64) target/$(BOARD_TARGET)/small/tern)
board:
	@[ -e $(BOARD_PROGRAM) ] || src/packaging/dist.sh "" program $(BOARD_TARGET)
	tests/dist/board.sh $(BOARD) $(BOARD_PROGRAM)
	cargo test --no-run --test main
	TERN_BOARD=$(CURDIR)/$(BOARD) timeout --kill-after=10 900 \
		cargo test --test main emulated_board -- --ignored --nocapture

# Tools of our own, built once and kept: TOOL-VERSION is a directory with that tool's programs.
TOOLS = $(CURDIR)/target/tools
CARGO_FUZZ = cargo-fuzz-0.13.2
$(TOOLS)/$(CARGO_FUZZ)/bin/cargo-fuzz:
	cargo install --quiet --locked --root $(TOOLS)/$(CARGO_FUZZ) $(subst fuzz-,fuzz@,$(CARGO_FUZZ))

# Bytes that a fuzzer makes up, against the properties in src/fuzzing, so many seconds each: make fuzz
# FUZZ_SECONDS=600 TARGETS="line frame". What is new to it stays in target/fuzz-corpus; what breaks a
# property, in tests/fuzz/artifacts. `make test` runs the kept corpus.
FUZZ_SECONDS = 60
TARGETS = head form parts params cookie next text username line frame config picture
FUZZ = PATH="$(TOOLS)/$(CARGO_FUZZ)/bin:$$PATH" cargo +nightly fuzz
FUZZ_OPTIONS = --fuzz-dir tests/fuzz --target-dir target/fuzz
fuzz:
	@rustup run nightly cargo --version >/dev/null 2>&1 || { \
		echo "no nightly toolchain, nothing was fuzzed: rustup toolchain install nightly"; exit 1; }
	@$(MAKE) --no-print-directory $(TOOLS)/$(CARGO_FUZZ)/bin/cargo-fuzz
	$(FUZZ) build $(FUZZ_OPTIONS)
	@for target in $(TARGETS); do \
		mkdir -p target/fuzz-corpus/$$target; \
		$(FUZZ) run $(FUZZ_OPTIONS) $$target target/fuzz-corpus/$$target tests/fuzz/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 -print_final_stats=1 \
			>target/fuzz-corpus/$$target.log 2>&1 || { cat target/fuzz-corpus/$$target.log; exit 1; }; \
		echo "$$target: $$(sed -n 's/^stat::number_of_executed_units: *//p' target/fuzz-corpus/$$target.log) executions"; \
	done

# The program before the present protocol version, which some tests run beside the present one: they look
# for target/old-tern, or what TERN_OLD_PROGRAM names, and are left out without it. Both are made of much
# the same, so it is built where the present one is, and taken away from there at once.
OLD_COMMIT = cb061578cf770f0b0485d168df3c4dabbf980c53
OLD_SOURCE = old-source/$(OLD_COMMIT)
old-program:
	@if ! git cat-file -e $(OLD_COMMIT)^{commit} 2>/dev/null; then \
		echo "no old program, tests with it are left out: this repository lacks commit $(OLD_COMMIT)"; \
	elif [ ! -e target/$(OLD_SOURCE)/complete ] && ! (mkdir -p target/$(OLD_SOURCE) && \
		git archive --output=target/$(OLD_SOURCE).tar $(OLD_COMMIT) && \
		tar -xmf target/$(OLD_SOURCE).tar -C target/$(OLD_SOURCE) && touch target/$(OLD_SOURCE)/complete); then \
		echo "no old program, tests with it are left out: its source could not be unpacked"; \
	elif [ ! -e target/$(OLD_SOURCE)/tern ] && ! ( \
		cargo build --manifest-path target/$(OLD_SOURCE)/Cargo.toml --target-dir target && \
		mv target/debug/tern target/$(OLD_SOURCE)/tern); then \
		echo "no old program, tests with it are left out: it could not be built"; \
	else \
		ln -sf $(OLD_SOURCE)/tern target/old-tern; \
	fi

lint: deny clippy

clippy:
	cargo fmt --check
	cargo clippy --all-targets --features mistakes -- -D warnings

# Dependencies: known faults, licences, duplicates, where they come from (.cargo/deny.toml). Without
# network the list of faults is the one that was fetched last, or else .cargo/advisories.txt, in the
# form that cargo-deny reads. Built without optimisation, it checks in a second and is there in a third
# of the time.
CARGO_DENY = cargo-deny-0.20.2
DENY = $(TOOLS)/$(CARGO_DENY)/bin/cargo-deny
DENY_SECONDS = 240
ADVISORIES = target/advisories/advisory-db-3157b0e258782691
deny:
	@if [ ! -e $(DENY) ]; then \
		echo "installing $(CARGO_DENY), once: this takes a minute or two"; \
		CARGO_PROFILE_DEV_DEBUG=0 timeout $(DENY_SECONDS) cargo install --quiet --locked --debug \
			--root $(TOOLS)/$(CARGO_DENY) $(subst deny-,deny@,$(CARGO_DENY)) || true; \
	fi
	@if [ ! -e $(DENY) ]; then \
		echo "no cargo-deny, dependencies were not checked: $(CARGO_DENY) could not be installed"; \
	else \
		cargo fetch --locked --quiet && \
		if [ -e $(ADVISORIES)/stored ]; then rm -r $(ADVISORIES); fi && \
		if timeout 60 $(DENY) fetch db >/dev/null 2>&1; then \
			echo "list of known faults: fetched just now"; \
		elif [ -e $(ADVISORIES)/crates ]; then \
			echo "list of known faults could not be refreshed: the one fetched last is used"; \
		else \
			echo "list of known faults could not be fetched: .cargo/advisories.txt is used," \
				"$$(sed -n 's/^# \(as of .*\)/\1/p' .cargo/advisories.txt)"; \
			sh .cargo/advisories.sh $(ADVISORIES) <.cargo/advisories.txt; \
		fi && $(DENY) --offline check --show-stats; \
	fi

# What the program is made of, for whoever gets a release: target/sbom/tern.cdx.json (CycloneDX) and
# target/sbom/LICENCES, from Cargo.lock and the crates that were fetched.
sbom:
	cargo fetch --locked --quiet
	sh .cargo/sbom.sh target/sbom

# What the program gives beside what the machine could give: each budget of src/BENCH.md, in twenty minutes on
# a quiet machine. KEEP=1 puts the figures into that page; TERN_BENCH_ONLY=cluster,peer picks sections. With
# names in the program callgrind can say where the time goes; wrk, strace and valgrind are left out by
# name where they are missing (Debian: apt-get install wrk strace valgrind). Where the system has the clock the
# program finds out by itself, in a file that valgrind does not hide: there it has to ask the C library.
KEEP =
bench:
	TERN_BENCH_KEEP=$(KEEP) CARGO_PROFILE_BENCH_STRIP=none cargo bench --features rustix/use-libc-auxv --bench bench

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# What is given away: static programs and Debian packages, in target/dist. What this machine cannot build
# for is named and left out. `make test` makes the package of the program that it tests.
CARGO_DEB = cargo-deb-3.8.0
DEB = $(TOOLS)/$(CARGO_DEB)/bin/cargo-deb
dist: cargo-deb
	src/packaging/dist.sh $(DEB)

cargo-deb:
	@if [ ! -e $(DEB) ]; then \
		echo "installing $(CARGO_DEB), once: this takes a minute"; \
		CARGO_PROFILE_DEV_DEBUG=0 timeout 240 cargo install --quiet --locked --debug --no-default-features \
			--root $(TOOLS)/$(CARGO_DEB) $(subst deb-,deb@,$(CARGO_DEB)) || true; \
	fi
	@[ -e $(DEB) ] || echo "no cargo-deb, no packages: $(CARGO_DEB) could not be installed"
