# Everything sets itself up: Python 3.11+, git and make are all that a machine needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help up setup setup-dev gen examples check test test-all test-faults test-browser test-newcomer test-examples \
	docs bench lock clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

up: setup ## Run everything on this machine, with the sandbox in WhatsApp's place
	@exec $(BIN)/wagate up --sandbox

setup: ## Make .venv with what the gateway needs
	@$(PYTHON) tools/environment.py run

setup-dev: ## Make .venv with what developers need as well
	@$(PYTHON) tools/environment.py dev

gen: setup-dev ## Generate gen/, gateway-config/, envoy.yaml and pages of docs/ from protos/ and the commands
	@$(BIN)/python -m tools.generate
	@$(BIN)/python -m tools.gateway
	@$(BIN)/python -m tools.conformance
	@$(BIN)/python -m tools.events_page
	@$(BIN)/python -m tools.cli_page
	@$(BIN)/python -m tools.grpc_page

examples: setup-dev ## Take the examples of the API reference anew, from the product and the sandbox
	@WAGATE_GOLDEN=write $(BIN)/python -m pytest -q tests/rest/recording
	@$(MAKE) --no-print-directory gen

check: setup-dev ## Lint, types, layers, contract, drift of generated files, Envoy's configuration
	@echo "ruff ..." && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@echo "mypy ..." && $(BIN)/mypy --no-error-summary
	@echo "import-linter ..." && $(BIN)/lint-imports --no-logo > build/lint-imports.log || { cat build/lint-imports.log; exit 1; }
	@echo "buf lint ..." && $(BIN)/python -m tools.third_party_protos build/third_party && $(BIN)/buf lint
	@echo "generated files ..." && $(BIN)/python -m tools.drift
	@echo "envoy.yaml ..." && $(BIN)/envoy --mode validate -c envoy.yaml -l error

# Half of the time tests wait. A file's tests share what they start, so they stay in one process.
ABREAST = -n 2 --dist loadfile
test: setup-dev ## Run the tests, except the slow ones
	@$(BIN)/python -m pytest -m "not slow" $(ABREAST)

test-all: setup-dev ## Run every test
	@$(BIN)/python -m pytest

test-browser: ## Run the tests in a real browser: an installed Chromium or Chrome, or Playwright's own
	@$(PYTHON) tools/environment.py browser
	@$(BIN)/python -m tools.browser
	@$(BIN)/python -m pytest tests/browser

test-examples: ## Run the examples in TypeScript; Node comes as a wheel, the rest from npm's registry
	@$(PYTHON) tools/environment.py node
	@$(BIN)/python -m tools.node
	@$(BIN)/python -m pytest tests/typescript

test-newcomer: setup-dev ## Do in a fresh clone what the README says, and take the time
	@$(BIN)/python -m pytest tests/docs/test_newcomer.py

docs: ## Make a site of docs/ in build/pages/site, and check every link
	@$(PYTHON) tools/environment.py docs
	@$(BIN)/python -m tools.site

test-faults: setup-dev ## Kill, freeze and starve everything: the long version, 200 kills among it
	@$(BIN)/python -m pytest tests/faults -s

bench: setup-dev ## Measure, and print the table of docs/performance.md
	@$(BIN)/python -m bench

# No file names an index: whoever installs uses their own. The tools are locked first, and what the
# gateway runs on is held to the same versions, so that tests run what users run.
LOCK = $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"
PROJECT = pyproject.toml requirements/build.in
lock: setup-dev ## Resolve the lock files anew from pyproject.toml
	@$(LOCK) $(PROJECT) --all-extras -o requirements/dev.lock
	@$(LOCK) $(PROJECT) --extra server --extra sandbox -c requirements/dev.lock -o requirements/run.lock
	@$(LOCK) requirements/browser.in -c requirements/dev.lock -o requirements/browser.lock
	@$(LOCK) requirements/node.in -c requirements/dev.lock -o requirements/node.lock
	@$(LOCK) requirements/docs.in -c requirements/dev.lock -o requirements/docs.lock
	@$(PYTHON) tools/environment.py dev

clean: ## Remove what was built; data/ stays
	@rm -rf .venv examples/typescript/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
