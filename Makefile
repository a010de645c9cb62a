# Everything sets itself up: Python 3.11+, git and make are all that a machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: up setup setup-dev gen check test bench lock clean

# One stamp per lock file: an environment is made anew only when its lock changes.
$(VENV)/run.stamp: requirements/run.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("wagate needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "wagate: installing locked dependencies ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.lock
	@echo "wagate: installing locked development tools ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

setup: $(VENV)/run.stamp
setup-dev: $(VENV)/dev.stamp

gen: setup-dev
	@$(BIN)/python tools/generate.py

# Resolves the lock files anew. No file names an index: whoever installs uses their own.
lock: setup-dev
	@for kind in run dev; do \
	  extras="--extra sandbox"; test $$kind = dev && extras="--all-extras"; \
	  $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate \
	    --custom-compile-command "make lock" $$extras pyproject.toml requirements/build.in -o requirements/$$kind.lock || exit 1; \
	done
