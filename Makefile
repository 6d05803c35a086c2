# What can be asked of this house. `make help` reads the `##` lines.

SHELL := /bin/bash

# One configuration for running, testing and simulating, so that each part is built once. Building
# it takes half as long again as the other, and everything after that is many times faster.
CONFIGURATION ?= release
PREFIX ?= /usr/local
# What is given empty is the default, too.
override HOST := $(or $(HOST),127.0.0.1)
override PORT := $(or $(PORT),12345)
# A seed that is named is one to be repeated.
ifeq ($(origin SEED),undefined)
N ?= 200
endif
N ?= 1
SEED ?= 1
FAULTS ?= all
KIND ?= chat
SIZE ?= full
SECONDS ?= 60
RATE ?= 10000
ROUNDS ?= 200
MINUTES ?= 60
CLIENTS ?= 200
ARGS ?=

# The windows are built where libadwaita is; GTK=no leaves them out.
TRAITS = $(if $(filter no,$(GTK)),--disable-default-traits,$(shell \
	pkg-config --exists 'libadwaita-1 >= 1.2' 2>/dev/null || echo --disable-default-traits))
KIRIM = .build/$(CONFIGURATION)/kirim
SOURCES = Package.swift Sources Tests
# The commit is one of the seeds that the tests simulate.
export KIRIM_SEED ?= $(shell git rev-parse HEAD 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help prepare build run serve chat stop test check format sim sim-long second attack crash \
	damage roam soak bench bench-check bench-write peers fuzz corpus asan tsan install clean

help: ## prints this list
	@echo "Kirim, a chat over UDP. To try it: make run"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) \
		| awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

prepare: ## installs the system packages that are missing, or says which
	@scripts/prepare

build: prepare ## builds the program kirim, with its windows where GTK is (GTK=no: without)
	swift build -c $(CONFIGURATION) $(TRAITS) --product kirim
	@$(if $(TRAITS),,scripts/share .build/$(CONFIGURATION)/../share)

run: build ## starts a server where none runs and opens a chat: windows, or this terminal (PORT=)
	@KIRIM=$(KIRIM) WINDOWS=$(if $(TRAITS),no,yes) scripts/run $(HOST) $(PORT) $(ARGS)

serve: build ## runs a server in this terminal, with the operator's prompt (PORT=, ARGS=)
	@exec $(KIRIM) serve --host $(HOST) --port $(PORT) $(ARGS)

chat: build ## opens a chat in this terminal (PORT=, ARGS=)
	@exec $(KIRIM) chat $(ARGS) $(HOST):$(PORT)

stop: ## stops the server that `make run` started (PORT=)
	@scripts/stop $(PORT)

RUN_TESTS = scripts/screen swift test -c $(CONFIGURATION) $(TRAITS) --skip-build --disable-xctest

test: ## runs all tests, the commit's own simulated hour among them (ARGS=)
	@scripts/prepare test
	swift build -c $(CONFIGURATION) $(TRAITS) --build-tests
	@$(if $(TRAITS),,scripts/share .build/$(CONFIGURATION)/../share)
ifeq ($(ARGS),)
	@# Those with real processes keep threads waiting, which others would wait for in turn: one after the other.
	$(RUN_TESTS) --skip '^EndToEndTests\.'
	$(RUN_TESTS) --no-parallel --filter '^EndToEndTests\.'
else
	$(RUN_TESTS) $(ARGS)
endif

check: prepare ## checks the format and the house rules
	swift format lint --strict --parallel --recursive $(SOURCES)
	@# In two steps, as above: swift test alone builds with other settings, everything anew.
	swift build -c $(CONFIGURATION) $(TRAITS) --build-tests
	swift test -c $(CONFIGURATION) $(TRAITS) --skip-build --disable-xctest --filter '^HouseTests\.'

format: ## formats all sources
	swift format --in-place --parallel --recursive $(SOURCES)

sim: prepare ## simulates N= worlds from SEED= on, with FAULTS= (all, none, a list), KIND=, SIZE=
	swift build -c $(CONFIGURATION) $(TRAITS) --product kirim-sim
	.build/$(CONFIGURATION)/kirim-sim --seeds=$(N) --seed=$(SEED) --faults=$(FAULTS) \
		--kind=$(KIND) --size=$(SIZE) $(ARGS)

second: ## plays the scenes of the second implementation with a server (ARGS=: names of scenes)
	@scripts/prepare test
	swift build -c $(CONFIGURATION) $(TRAITS) --product kirim
	/usr/bin/python3 -u Tests/SecondImplementation/second.py --kirim $(KIRIM) $(ARGS)

sim-long: prepare ## simulates drawn circumstances for MINUTES= (60) from SEED= (now) on, with FAULTS=
	swift build -c $(CONFIGURATION) $(TRAITS) --product kirim-sim
	.build/$(CONFIGURATION)/kirim-sim --kind=swarm --minutes=$(MINUTES) --keep-going \
		--seed=$(if $(filter file,$(origin SEED)),now,$(SEED)) --faults=$(FAULTS) --size=$(SIZE) $(ARGS)

# The tests of real processes in their long forms: what follows is told them in the environment.
# One after the other: what is measured is not to be another test.
LONG = swift test -c $(CONFIGURATION) $(TRAITS) --skip-build --disable-xctest --no-parallel --filter

attack: prepare ## attacks a server on this machine for SECONDS= with RATE= packets a second (0: all it can)
	swift build -c $(CONFIGURATION) $(TRAITS) --build-tests
	KIRIM_ATTACK_SECONDS=$(SECONDS) KIRIM_ATTACK_RATE=$(RATE) \
		$(LONG) '^EndToEndTests\.(AttackTests|FloodTests|PlainFloodTests)'

crash: prepare ## kills a server ROUNDS= times at any moment while people talk, and looks for what is lost
	swift build -c $(CONFIGURATION) $(TRAITS) --build-tests
	KIRIM_CRASH_ROUNDS=$(ROUNDS) KIRIM_CRASH_SEED=$(SEED) $(LONG) '^EndToEndTests\.CrashTests'

damage: prepare ## fills disks, cuts files, and damages each page of a server's and a person's file
	swift build -c $(CONFIGURATION) $(TRAITS) --build-tests
	KIRIM_DISK_PAGES=0 $(LONG) '^EndToEndTests\.(DiskTests|DamageTests)'

roam: prepare ## changes the network under somebody who only listens, with the times of life; half an hour
	swift build -c $(CONFIGURATION) $(TRAITS) --build-tests
	KIRIM_ROAM_LONG=1 $(LONG) '^EndToEndTests\.(ListenerTests|RoamingTests|NetworkTests)'

soak: prepare ## lets CLIENTS= (200) people talk on bad roads for MINUTES= (60), with figures each minute
	swift build -c $(CONFIGURATION) $(TRAITS) --build-tests
	KIRIM_SOAK_MINUTES=$(MINUTES) KIRIM_SOAK_CLIENTS=$(CLIENTS) $(LONG) '^EndToEndTests\.SoakTests'

bench: ## measures the window in floods, SECONDS= long, and in a room of HISTORY= (100000)
	@scripts/prepare test
	swift build -c $(CONFIGURATION) $(TRAITS) --product kirim
	@$(if $(TRAITS),,scripts/share .build/$(CONFIGURATION)/../share)
	/usr/bin/python3 -u Tests/EndToEndTests/Fixtures/window_bench.py $(KIRIM) $(SECONDS) artifacts/windows

# Instrumented, so beside the rest; the manifest has the program only where this is set.
FUZZ = KIRIM_FUZZ=1 swift build -c release --disable-default-traits --scratch-path .build-fuzz \
	--product kirim-fuzz
RUNS ?=

fuzz: prepare ## looks for inputs that break a parser or machine, SECONDS= in all or RUNS= for each of TARGETS=
	$(FUZZ)
	TARGETS='$(TARGETS)' scripts/fuzz run .build-fuzz/release/kirim-fuzz $(SECONDS) $(RUNS)

corpus: prepare ## keeps the fewest of the inputs found that reach as much, for the tests to replay
	$(FUZZ)
	TARGETS='$(TARGETS)' scripts/fuzz keep .build-fuzz/release/kirim-fuzz

asan: ## runs all tests under AddressSanitizer (ARGS=)
	@scripts/prepare test
	scripts/sanitize address $(ARGS)

tsan: ## runs all tests under ThreadSanitizer (ARGS=)
	@scripts/prepare test
	scripts/sanitize thread $(ARGS)

bench-check: prepare ## counts instructions and allocations of the hot paths, and compares (needs valgrind)
	swift build -c release $(TRAITS) --product kirim-bench
	Benchmarks/count .build/release/kirim-bench --check

bench-write: prepare ## the same, and makes the present figures those to compare with
	swift build -c release $(TRAITS) --product kirim-bench
	Benchmarks/count .build/release/kirim-bench --write

peers: prepare ## the server beside others on the same work, with the workshop in WORKSHOP= (ARGS=)
	swift build -c release $(TRAITS) --product kirim
	swift build -c release $(TRAITS) --product kirim-load
	KIRIM_BUILD=$(CURDIR)/.build/release $(WORKSHOP)/run_peers.py \
		--external Benchmarks/kirim.json $(ARGS)

install: prepare ## installs kirim under PREFIX= (/usr/local); it then runs without Swift, too
	swift build -c release $(TRAITS) --product kirim
	scripts/install .build/release/kirim $(DESTDIR)$(PREFIX)
	$(if $(TRAITS),,scripts/share $(DESTDIR)$(PREFIX)/share)

clean: ## removes what was built; messages and keys stay where they are
	rm -rf .build .build-fuzz .build-asan .build-tsan artifacts
