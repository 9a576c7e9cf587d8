.PHONY: help setup image clients demo test lint types contracts pytest wheel fresh bench coverage-page crash fuzz
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
export VENV

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## system packages (as root) and the virtual environment
	@tools/setup.sh

image: ## the same, and the image that machines start from
	@tools/setup.sh --image

clients: ## the stock clients that the stories use
	@tools/setup.sh --clients

demo: ## the Hands-on Project on this host, from nothing to the bill (as root)
	@examples/hands_on/demo.sh $(ARGS)

test: image clients lint types contracts pytest ## everything that CI runs, and what it needs

lint: setup ## ruff
	$(VENV)/bin/ruff check

types: setup ## mypy, strict
	$(VENV)/bin/mypy

contracts: setup ## who may import whom
	$(VENV)/bin/lint-imports

# Tests of the real host follow each other on one worker (tests/hosted.py), while the other ones go on beside them.
pytest: setup clients ## the tests, except the slow ones
	$(PY) -m pytest -m "not slow" -n auto --durations 15 -rs $(ARGS) || tools/second-look.sh $$?

wheel: setup ## dist/cloudjar-*.whl
	rm -rf build dist
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/*.whl

fresh: ## the two commands of README, on a Debian 12 that has nothing
	tools/fresh-debian.sh

coverage-page: setup ## write docs/coverage.md from the registries
	$(PY) -m tools.coverage

crash: setup ## kill -9 at a hundred moments of the main job
	$(PY) -m pytest tests/crash -m slow

fuzz: setup ## garbage at length
	$(PY) -m pytest tests/fuzz -m slow
