# `make` lists what there is. Needs Python 3.11 or newer with venv and pip, nothing else.
PYTHON ?= python3
PORT ?= 8000
SANDBOX_PORT ?= 8001
# Further arguments of pytest: make test ARGS="-k cancel"
ARGS ?=
# Of bench-bulk: how many payments the run captures.
CAPTURES ?= 2000
# Of bench-lists: orders (several sizes separated by commas), seed of data and terms, requests of each case.
ROWS ?= 1000000
SEED ?= 1
ROUNDS ?= 30

VENV := .venv
BIN := $(VENV)/bin
LAUNCHER := $(BIN)/python -m cagolab.launcher

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test check chaos bench-bulk bench-lists bench-writes bench-exports format lock clean

help: ## List these targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(VENV)/.demo ## Start the whole product with sandbox and demo data (PORT=8000 SANDBOX_PORT=8001)
	@exec $(LAUNCHER) demo --port $(PORT) --sandbox-port $(SANDBOX_PORT)

demo-reset: $(VENV)/.demo ## Like demo, but with fresh data
	@exec $(LAUNCHER) demo --port $(PORT) --sandbox-port $(SANDBOX_PORT) --reset

test: export ENVIRONMENT = test
test: $(VENV)/.dev ## Run the tests, with PostgreSQL and Valkey beside them (ARGS="-k cancel")
	@exec $(LAUNCHER) run -- $(BIN)/python -m pytest -n 2 $(ARGS)

check: export ENVIRONMENT = test
check: $(VENV)/.dev ## Lint, types, imports between the parts, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(LAUNCHER) run -- $(BIN)/python manage.py makemigrations --check --dry-run

chaos: $(VENV)/.dev ## Operators at work while everything breaks; then every invariant is checked (SEED=n CHAOS_SECONDS=60)
	@exec $(BIN)/python -m tests.chaos --seconds $(or $(CHAOS_SECONDS),60) $(if $(SEED),--seed $(SEED))

bench-bulk: $(VENV)/.dev ## Measure captures at 200 ms through the bulk engine (CAPTURES=2000)
	@exec $(BIN)/python -m tests.bench.bulk_capture --captures $(CAPTURES)

bench-lists: $(VENV)/.dev ## Lists and searches beside Django's admin and oscar (ROWS=10000,1000000 SEED=1 ROUNDS=30 OUT=folder)
	@exec $(BIN)/python -m tests.bench.lists --rows $(ROWS) --seed $(SEED) --rounds $(ROUNDS) $(if $(OUT),--output $(OUT))

bench-writes: $(VENV)/.dev ## What taking in, editing and settling cost at 10,000 and 1,000,000 orders (WRITES_ROWS=n SEED=1)
	@exec $(BIN)/python -m tests.bench.writes --seed $(SEED) $(if $(WRITES_ROWS),--rows $(WRITES_ROWS))

bench-exports: $(VENV)/.dev ## How memory grows while a million orders are written to files (EXPORT_ROWS=n SEED=1)
	@exec $(BIN)/python -m tests.bench.exports --seed $(SEED) $(if $(EXPORT_ROWS),--rows $(EXPORT_ROWS))

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## Write the lock files anew from pyproject.toml (needs uv)
	requirements/lock.sh

clean: ## Delete the virtual environment, caches and all demo data
	rm -rf $(VENV) var staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# One environment for both: what the tests need contains what the demo needs.
$(VENV)/.dev: requirements/dev.txt | $(BIN)/pip
	@echo "Installing what tests and checks need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $(VENV)/.demo $@

$(VENV)/.demo: requirements/demo.txt | $(BIN)/pip
	@echo "Installing what the demo needs (about half a minute) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null \
		|| { echo "$(PYTHON) is missing: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11: name a newer one with make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) has no venv and pip: install them (Debian: apt-get install python3-venv)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "The virtual environment $(VENV) cannot be made here: no permission, or no space"; exit 1; }
