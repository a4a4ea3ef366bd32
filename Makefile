# Everything a developer types. `make demo` and `make test` need Python 3.11 or newer, and set up the rest themselves.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TOOLS  := $(VENV)/.tools
DEMO   := build/demo

# Tests and benchmarks start the program hundreds of times: each start would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup tools demo demo-nightly test test-all lint format crash-lab soak bench profile screenshots wheel-test lock clean

help:                      ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY)            ## make the virtual environment, with what running needs
tools: $(TOOLS)            ## add what developing needs

$(READY): requirements.lock requirements-build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "importer needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS): $(READY) requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(READY)             ## import the sample customers into the built-in emulator
	@rm -rf $(DEMO)
	$(BIN)/importer run sample_data/customers.csv --config configs/emulator.toml --workspace $(DEMO)

demo-nightly: $(READY)     ## three nights of files in a folder, into the built-in emulator
	@IMPORTER=$(BIN)/importer sample_data/nights.sh $(DEMO)-nightly

TESTS ?= tests
# Many tests wait for processes and for the clock: more workers than processors keep the processors busy.
WORKERS ?= 4
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup
test: WORKERS = 6
# Tests that use nginx, HAProxy, tinyproxy, Chromium, PostgreSQL, iproute2 or docker-compose are skipped where those are missing; .ci/run
# installs them. Two hosts, and full disks of a server, are made by root alone.
test: $(TOOLS)             ## run the tests that take minutes together; nothing is installed for them
	$(PYTEST) -m "not slow" --hypothesis-profile quick $(TESTS)

test-all: $(TOOLS)         ## run every test, the slow ones too; they install an Airflow under build/, and build the image
	$(PYTEST) $(TESTS)

SPELLED := importer tests configs README.md CHANGELOG.md Makefile Dockerfile pyproject.toml
lint: $(TOOLS)             ## style, spelling, types, and who may import whom
	$(BIN)/codespell $(SPELLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(TOOLS)           ## put the code into its house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

SEEDS ?= 20000
TARGET ?= rocketkor
FIRST ?= 0
SENDERS ?= 0
crash-lab: $(TOOLS)        ## kill the importer in many simulated runs: make crash-lab SEEDS=20000 FIRST=0 TARGET=rocketkor (or club), or SENDERS=64 workers that send together
	$(BIN)/python -m tests.lab --seeds $(SEEDS) --first $(FIRST) --target $(TARGET) --workers $(SENDERS)

MINUTES ?= 20
RATE ?= 300
soak: $(TOOLS)             ## mixed faults and kills at full rate, memory and balance watched: make soak MINUTES=20 RATE=300
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --rate $(RATE)

ROWS ?= 1000000
ROUNDS ?= 3
ONLY ?=
bench: $(TOOLS)            ## measure the README's table, peers beside it: make bench ROWS=1000000 ROUNDS=3 ONLY="dry_run rate"
	$(BIN)/python -m tests.benchmarks --rows $(ROWS) --rounds $(ROUNDS) $(if $(ONLY),--only $(ONLY))

FILE ?=
profile: $(TOOLS)          ## a flame graph of a dry run, of all its processes: make profile FILE=customers.csv
	$(BIN)/python -m tests.benchmarks.flame $(FILE)

screenshots: $(TOOLS)      ## pictures of every page of the console, light and dark, phone and desk, in build/screenshots/
	$(BIN)/python -m tests.screenshots

wheel-test: $(TOOLS)       ## build the wheel, install it alone, and use it away from the checkout
	$(BIN)/python -m tests.wheel

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
lock:                      ## pin every dependency again, with hashes (needs uv)
	$(LOCK) pyproject.toml --group dev --all-extras --output-file requirements-dev.lock
	$(LOCK) pyproject.toml --constraint requirements-dev.lock --output-file requirements.lock
	$(LOCK) pyproject.toml --all-extras --constraint requirements-dev.lock --output-file requirements-optional.lock
	$(LOCK) --group build --constraint requirements-dev.lock --output-file requirements-build.lock

clean:                     ## remove what the targets above made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
