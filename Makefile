# One way to run things. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE # compiling every module again costs each command seconds
.PHONY: help setup demo test check chaos soak bench screenshots format lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.venv/run: requirements/run.txt pyproject.toml
	@scripts/environment $(PYTHON) run

.venv/dev: .venv/run requirements/dev.txt requirements/sdk.txt
	@scripts/environment $(PYTHON) dev sdk

setup: .venv/dev ## Make .venv with everything for development

demo: .venv/run ## Contoso in a box, with the bot on it
	@$(BIN)/fourcheck demo

test: .venv/dev ## Run every test but the long ones (as root on Debian: installs system parts)
	@scripts/system-parts
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

check: .venv/dev ## Lint, format and types
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

chaos: .venv/dev ## Kill the bot at every named point, three times each, on both stores
	@scripts/system-parts
	@CHAOS_SEEDS="1 2 3" CHAOS_EVERYWHERE=1 $(BIN)/pytest -n 2 --dist loadgroup tests/chaos $(ARGS)

soak: .venv/dev ## Hundreds of commands while processes are killed; prints the numbers
	@scripts/system-parts
	@$(BIN)/python -m tests.chaos.soak

bench: .venv/dev ## Measure, side by side with what people use instead
	@$(BIN)/python -m benchmarks.expressions
	@$(BIN)/python -m benchmarks.whole_path

screenshots: .venv/dev ## Renew the pictures of the docs by driving the page
	@scripts/system-parts pngquant fontconfig fonts-inter
	@scripts/screenshots

format: .venv/dev ## Let the formatter decide
	$(BIN)/ruff check --fix --output-format concise .
	$(BIN)/ruff format .

lock: .venv/dev ## Renew the hashed requirements files
	@scripts/lock

clean: ## Remove what the other targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
