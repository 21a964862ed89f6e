# Two commands for a start: `make demo` and `make test`. Both set up what they need, on a machine with
# Python 3.10 or newer, pip and make. Environments are made from the lock files in tests/environments.

PYTHON ?= python3
ENVIRONMENTS ?= .environments
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

SUITE := $(PYTHON) tests/environments/suite.py --directory $(ENVIRONMENTS)

.PHONY: help demo test check bench lock readme clean

help: ## Say what can be made.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /: /'

demo: ## Run an application under opentelemetry-instrument against a scripted model: its trace as a tree.
	@$(SUITE) demo

test: ## Run everything: checks, and every suite in every environment.
	@$(SUITE) test $(ARGS)

check: ## Formatting, lint and types.
	@$(SUITE) check

bench: ## Measure what the instrumentation costs, as ratios.
	@$(SUITE) bench

lock: ## Renew the lock files of the test environments.
	@$(SUITE) lock

readme: ## Renew the generated parts of the README.
	@$(SUITE) readme

clean: ## Remove the environments.
	rm -rf $(ENVIRONMENTS) .pytest_cache .ruff_cache
