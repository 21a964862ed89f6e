# Start with `make demo` and `make test`. Both set up what they need, on a machine with Python 3.10 or newer,
# pip and make. Environments are created from the lock files in tests/environments.

PYTHON ?= python3
ENVIRONMENTS ?= .environments

SUITE := $(PYTHON) tests/environments/suite.py --directory $(ENVIRONMENTS)

.PHONY: help demo jaeger zipkin mlflow test t suites check bench load backends collector-path lock readme version dist clean

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' $(MAKEFILE_LIST)

demo: ## Run an application under opentelemetry-instrument against a scripted model, and draw its trace; ARGS=claude or gemini.
	@$(SUITE) demo $(ARGS)

test: ## Run everything: checks, and every suite in every environment.
	@$(SUITE) all $(ARGS)

jaeger: ## Show the demo's trace in Jaeger: starts Jaeger, a Collector in front of it, and the demo.
	@$(SUITE) show jaeger

zipkin: ## Show the demo's trace in Zipkin.
	@$(SUITE) show zipkin

mlflow: ## Show the demo's trace in MLflow.
	@$(SUITE) show mlflow

t: ## Run one test file, or one test, in its environment: make t F=tests/core/test_calls.py
	@$(SUITE) file $(F) $(ARGS)

check: ## Check formatting, lint and types.
	@$(SUITE) check $(ARGS)

suites: ## Run the suites without the checks; ARGS="--only openai3 -k name" runs a part.
	@$(SUITE) test $(ARGS)

bench: ## Measure what the instrumentation costs, as ratios; ARGS=sdks runs a part (docs/performance.md).
	@$(SUITE) bench $(ARGS)

load: ## Send 100,000 traces through the gateway to Jaeger, and count those that arrive.
	@$(SUITE) load $(ARGS)

backends: ## Obtain the Collector, Jaeger, Zipkin and MLflow for the pipeline tests.
	@$(PYTHON) tests/backends/obtain.py
	@$(SUITE) prepare --only backends

collector-path: ## Print the path of the Collector.
	@$(PYTHON) tests/backends/obtain.py collector-path

lock: ## Update the lock files of the test environments.
	@$(SUITE) lock $(ARGS)

readme: ## Regenerate the generated parts of the README.
	@$(SUITE) readme

version: ## Set the version of all distributions: make version V=0.2.0
	@$(PYTHON) tests/environments/distributions.py version $(V)

dist: ## Build the sdists and wheels of a release, and check them.
	@$(SUITE) dist build

clean: ## Remove the environments, built distributions and the tools' caches.
	rm -rf $(ENVIRONMENTS) dist .pytest_cache .ruff_cache
