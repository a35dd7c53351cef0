# Needs Python 3.11 or newer, git and make; everything else comes from requirements.lock.
# Another Python: make test PYTHON=python3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
INSTALLED := $(VENV)/.installed-$(VERSION)
UV := uv==0.13.9

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench docs lock clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1	\2/' | expand -t 14

demo: $(INSTALLED) ## Walk one incident through the five steps, with its queues, timeline and closure report
	$(BIN)/incidents demo

test: $(INSTALLED) ## Run every test, on SQLite and on a real PostgreSQL
	$(BIN)/python -m pytest -n logical

check: $(INSTALLED) ## Lint, types, import contracts, and documents that must not be stale
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python -m tools.clauses --check
	$(BIN)/python -m tools.schemas --check

bench: $(INSTALLED) ## Measure speed and memory, as ratios to the bare driver
	-$(BIN)/python -m pip install -qq --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks

docs: $(INSTALLED) ## Build the documentation into site/
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r docs.lock
	$(BIN)/mkdocs build --strict

# The stamp's date and name tell when to install anew: another lock, another project file, another Python.
$(INSTALLED): requirements.lock pyproject.toml Makefile
	@case "$(VERSION)" in 3.11|3.12|3.13) ;; \
		*) echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13: choose one with make PYTHON=python3.11" >&2; exit 1 ;; esac
	test -x $(BIN)/python$(VERSION) || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(INSTALLED) ## Pin every dependency anew, with hashes
	$(BIN)/python -m pip install -qq --disable-pip-version-check '$(UV)'
	$(BIN)/uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --extra calendars --extra cli --extra parquet --extra postgres --extra reports --group dev --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --group docs --constraints requirements.lock --output-file docs.lock

clean: ## Remove what was made here, the virtual environment too
	rm -rf $(VENV) build dist site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
