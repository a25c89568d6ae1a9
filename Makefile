# Everything a developer needs: make help
.DEFAULT_GOAL := help
.PHONY: help setup demo env test acceptance crash bounds lint check lock clean

VENV := .venv
STAMP := $(VENV)/.installed
PY := $(VENV)/bin/python
PYTHON ?=
PIP := $(PY) -m pip --disable-pip-version-check --no-input
COMPILE := $(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --no-header --quiet
FAULTS ?= 20
SEED ?= 1
BROKER ?= apache
TEST_OPTIONS ?= -n 2 --dist loadgroup
# .ci/run sets this to no when it has just run the tests itself.
CHECK_TESTS ?= yes

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

setup: $(STAMP) ## virtual environment .venv with everything in it; quick when nothing changed
	@$(PY) -c 'import streams.kernels.code_cache as c; exit(not c.is_ready())' || \
	  $(PY) -m streams.warming

# Nothing here asks a registry for more than the lock names: every file is checked by its hash.
$(STAMP): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh deploy/make-venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (about 340 MB once, minutes on a slow line) ..."
	$(PIP) install --progress-bar on --require-hashes --only-binary :all: -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)
	@echo "Ready: make demo, make test, or $(VENV)/bin/renown --help"

demo: setup ## play the sample data set through the whole flow, ending in a leaderboard
	@$(VENV)/bin/renown demo

env: ## write .env for docker compose, with random passwords; what stands in it stays
	@sh deploy/make-env .env

test: setup ## every test that this machine can run
	@$(VENV)/bin/pytest $(TEST_OPTIONS)

acceptance: setup ## complete public data and crashes at every point, on both brokers (minutes)
	@$(VENV)/bin/pytest -m acceptance --durations=0

crash: setup ## random kills and outages on a running load, judged after each (FAULTS=n SEED=s BROKER=apache|embedded|cluster)
	@$(PY) -m tests.crash --faults $(FAULTS) --seed $(SEED) --broker $(BROKER)

# Their code is kept apart: what checks indexes is slower and must not be found by a worker.
bounds: setup ## the tests of the kernels, every index into an array checked (three minutes)
	@NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR="$(CURDIR)/build/bounds" sh -c '$(PY) -m streams.warming && \
	  $(VENV)/bin/pytest tests/unit/kernels tests/unit/core tests/properties/kernels tests/properties/core'

lint: setup ## format, lint, types, import rules, dead code, length of modules
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/vulture
	$(PY) .ci/check_tree.py

check: lint ## everything that must hold before a commit: lint, then the tests
ifneq ($(CHECK_TESTS),no)
	@$(MAKE) --no-print-directory test
endif

lock: setup ## resolve the dependencies anew after a change of pyproject.toml
	$(PIP) install --quiet uv
	$(COMPILE) --upgrade --all-extras --output-file requirements.lock pyproject.toml
	$(COMPILE) --constraints requirements.lock --output-file deploy/requirements.lock pyproject.toml
	echo 'setuptools>=77' | $(COMPILE) --output-file deploy/build.lock -

clean: ## remove what was made: caches, data of the demo, the virtual environment
	rm -rf $(VENV) .data build *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
