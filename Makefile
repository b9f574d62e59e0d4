# What CI runs is `make test` and `make test-bare`, and nothing CI runs is not here.
# A fresh machine needs python3 (3.11 or later, with its venv module) and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST_ARGS ?= -n 2
SOURCES := src tests benchmarks docs

# Without bytecode a start takes seconds longer. Where Python may not write it on the way, it is made here.
unexport PYTHONDONTWRITEBYTECODE
UV += --compile-bytecode

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-bare test-fast check lint types layers pytest format docs lock bench clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.ready  ## Install everything, run the main job on invented data, show the result
	@$(BIN)/daftari demo

test: $(VENV)/.ready-dev  ## Everything a change must pass: style, types, layers, tests
	@$(MAKE) --no-print-directory --keep-going check pytest

test-fast: $(VENV)/.ready-dev  ## Tests for work in progress: pure rules, and one part on a real database
	$(BIN)/pytest $(PYTEST_ARGS) tests/unit tests/files tests/db

test-bare: $(VENV)/.ready-dev  ## The tests that depend most on the machine, without its files; as root also without its PostgreSQL
	.ci/bare

check: lint types layers  ## Style, types and layers, without the tests

lint: $(VENV)/.ready-dev  ## Style
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(VENV)/.ready-dev  ## Types
	$(BIN)/mypy

layers: $(VENV)/.ready-dev  ## Imports follow the layers that pyproject.toml declares
	$(BIN)/lint-imports

pytest: $(VENV)/.ready-dev
	$(BIN)/pytest $(PYTEST_ARGS)

format: $(VENV)/.ready-dev  ## Format the code
	$(BIN)/ruff check --fix-only --quiet $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

docs: $(VENV)/.ready  ## Generate the pages that come from the code
	$(BIN)/python docs/generate_cli.py
	$(BIN)/python docs/generate_asvs.py

# Each lock holds everything at one version for every platform, with hashes, and names no place to fetch from.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url pyproject.toml
lock: $(VENV)/.ready  ## Rewrite the lock files; UPGRADE=--upgrade takes newer versions
	$(LOCK) $(UPGRADE) --extra embedded --group build --output-file requirements.lock
	$(LOCK) $(UPGRADE) --extra embedded --group build --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock

bench: $(VENV)/.ready .cache/bench-venv/.ready  ## Compare a load with psql, dlt and pgloader; BENCH_ARGS="--rows 100000"
	$(BIN)/python benchmarks/load.py $(BENCH_ARGS)

.cache/bench-venv/.ready: benchmarks/requirements.txt | $(BIN)/uv
	@$(PYTHON) -m venv .cache/bench-venv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python .cache/bench-venv/bin/python --requirement $<
	@touch $@

clean:  ## Remove all that make created, the demo's workspace too
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist demo

# The installer comes from the lock too. It takes a tenth of pip's time, but reads none of pip's
# settings: where those point to a mirror and nothing else is reachable, pip goes on.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "error: $(PYTHON) is not Python 3.11 or later with venv; that is needed to set up"; \
		echo "hint: install it (on Debian: python3-venv), or name another: make PYTHON=python3.12"; exit 3; } >&2
	@echo "Setting up $(VENV) from the lock file" >&2
	@$(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(PIP) --require-hashes --requirement $(VENV)/uv.lock 2>$(VENV)/setup.log || { cat $(VENV)/setup.log >&2; exit 1; }

$(VENV)/.ready: requirements.lock pyproject.toml | $(BIN)/uv
	@$(UV) --require-hashes --requirement $< || $(PIP) --no-deps --require-hashes --requirement $<
	@$(UV) --no-deps --no-build-isolation --offline --editable .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	@$(UV) --require-hashes --requirement $< || $(PIP) --no-deps --require-hashes --requirement $<
	@touch $@
