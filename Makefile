# Every task of the project. `make help` lists them.
# Needs Python 3.11 or newer, make, and access to the package registries.

PYTHON ?= python3
BIN := .venv/bin
PIP := PIP_CONSTRAINT=requirements.lock PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

.DEFAULT_GOAL := help
.PHONY: help serve test coverage check format schema bench docs lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/.lean ## Install what serving needs, and serve demo models on http://127.0.0.1:8000
	$(BIN)/gql-platform serve --demo

test: .venv/.dev ## Install what the tests need, and run all of them
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

coverage: .venv/.dev ## Run all tests and show which lines they miss; it takes three times as long
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered

check: .venv/.dev ## Run the linters, the type checkers and the checks of the contract
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/gql-platform schema check
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml

format: .venv/.dev ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

schema: .venv/.dev ## Write the generated files: the SDL, the OpenAPI file, the settings reference
	$(BIN)/gql-platform schema export
	$(BIN)/python -m gql_platform.reference docs/reference

bench: .venv/.dev ## Measure the server on this machine
	$(BIN)/python -m tests.benchmarks

docs: .venv/.dev ## Build the documentation into site/
	$(BIN)/zensical build

lock: ## Resolve all versions anew
	$(PYTHON) -m venv .venv
	$(BIN)/python .ci/lock.py

clean: ## Remove what was installed and built; the data folder stays
	rm -rf .venv build dist site htmlcov .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "gql_platform needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.lean: pyproject.toml requirements.lock | .venv/bin/python
	@echo "Installing what the server needs; this takes about a minute the first time."
	$(PIP) --editable .
	@touch $@

.venv/.dev: pyproject.toml requirements.lock | .venv/bin/python
	@echo "Installing what the tests need; this takes a minute or two the first time."
	$(PIP) --editable '.[dev]'
	@touch $@ .venv/.lean
