# make lists the targets. The first one that needs Python sets up .venv from requirements.lock.
#
#   PYTHON=python3.12    the interpreter that .venv is made with, 3.11 or newer
#   STUDY=name           repro: only this study
#   STUDY=name NETWORK=name TRIALS=30 WORKERS=2    tune: which network, how often in all, how many at a time
#   PUBLISHED=1          repro: write `recipe: published` into params.yaml first (0 writes demo)
#   DEBUG=1              repro: show tracebacks
#   PORT=5001            ui: this port and not the first free one
#   QUICK=1              bench: whether everything runs, in minutes; the figures mean nothing

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.set-up
UV := $(or $(shell command -v uv 2>/dev/null),$(BIN)/uv)
# Where uv is not on this machine, pip gets it; without either (a venv whose making broke off) .venv is made anew.
HAS_INSTALLER = { test -x "$(UV)" || $(BIN)/python -m pip --version >/dev/null 2>&1; }
UV_WANTED := uv>=0.11,<0.15
ONCOTRAIL := $(BIN)/oncotrail $(if $(filter 1,$(DEBUG)),--debug)
RECIPE := $(if $(filter 1,$(PUBLISHED)),--recipe published,$(if $(filter 0,$(PUBLISHED)),--recipe demo))
BENCH_VENV := .venv-bench
BENCH_READY := $(BENCH_VENV)/.set-up
BENCHES := training cache routes search
NO_GPU := $(if $(shell command -v nvidia-smi 2>/dev/null),,-m "not gpu")

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup lock repro tune test test-all coverage check ui clean bench $(BENCHES:%=bench-%)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## make .venv from requirements.lock (the others do it too)

# A stamp, so that a second make costs nothing. It is written last: a set-up that was stopped starts again.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); Oncotrail needs Python 3.11 or newer: make PYTHON=python3.11"; exit 2; }
	@echo "setting up $(VENV) from requirements.lock: 7 GB, some minutes the first time"
	@{ test -x $(BIN)/python && $(HAS_INSTALLER); } || $(PYTHON) -m venv --clear $(VENV) \
	  || { echo "$(PYTHON) cannot make $(VENV), for the reason above; where it lacks ensurepip (Debian, Ubuntu):" \
	    "apt install python3-venv, then make again"; exit 2; }
	@test -x "$(UV)" || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV_WANTED)"
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)

lock: $(READY) ## write requirements.lock anew from pyproject.toml
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --python-version 3.11 --group dev --group cluster --group postgresql pyproject.toml --output-file requirements.lock
	@cp requirements.lock bench/requirements.lock # the peers beside the same versions of what the project needs
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --python-version 3.11 pyproject.toml bench/requirements.txt --output-file bench/requirements.lock

repro: $(READY) ## run what is out of date, show the models, compare with git (STUDY=name, PUBLISHED=1)
	@$(ONCOTRAIL) repro $(if $(STUDY),--study $(STUDY)) $(RECIPE)

tune: $(READY) ## search a network's settings (STUDY=name NETWORK=name TRIALS=30 WORKERS=2)
	@test -n "$(STUDY)" -a -n "$(NETWORK)" -a -n "$(TRIALS)" \
	  || { echo "make tune STUDY=name NETWORK=name TRIALS=30 [WORKERS=2]"; exit 2; }
	@$(ONCOTRAIL) tune $(STUDY) $(NETWORK) --trials $(TRIALS) $(if $(WORKERS),--workers $(WORKERS))

test: $(READY) ## the fast tests, network off
	@$(BIN)/python -m pytest -q -m "not slow and not gpu"

test-all: $(READY) ## all tests: the slow ones too, and those for a GPU where there is one
	@$(BIN)/python -m pytest -q $(NO_GPU)

coverage: $(READY) ## every branch of statistics and evaluation is tested, or this fails
	@ONCOTRAIL_CHECK_REFERENCE=1 $(BIN)/python -m pytest -q -m "not slow" tests/statistics tests/evaluation tests/stages/test_evaluate.py \
	  src/oncotrail/statistics src/oncotrail/evaluation \
	  --cov=oncotrail.statistics --cov=oncotrail.evaluation --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

check: $(READY) ## lint, format, types, layers, architecture
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/test_architecture.py

ui: $(READY) ## MLflow on 127.0.0.1 over the local store (PORT=n)
	@$(ONCOTRAIL) ui $(if $(PORT),--port $(PORT))

bench: $(BENCHES:%=bench-%) ## ratios against timm, Lightning, MONAI, Optuna and the limit (QUICK=1; bench-training alone)

# One after another also under make -j: what is measured has the machine to itself.
.NOTPARALLEL: bench
$(BENCHES:%=bench-%): bench-%: $(BENCH_READY)
	@$(BENCH_VENV)/bin/python -m bench.$* $(if $(filter 1,$(QUICK)),--quick)

# The peers have an environment of their own: what they ask for must not decide what the project runs with.
$(BENCH_READY): bench/requirements.lock pyproject.toml | $(READY)
	@echo "setting up $(BENCH_VENV) from bench/requirements.lock: the project's packages and the peers'"
	@$(BIN)/python -m venv --clear --without-pip $(BENCH_VENV)
	@$(UV) pip sync --quiet --compile-bytecode --python $(BENCH_VENV)/bin/python --require-hashes bench/requirements.lock
	@$(UV) pip install --quiet --python $(BENCH_VENV)/bin/python --no-deps --editable .
	@touch $(BENCH_READY)

clean: ## remove caches and half-finished work; data, mlruns, results and keys stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .import_linter_cache .oncotrail/partial
	find src pipelines tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
