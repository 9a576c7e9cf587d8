.PHONY: setup coverage-page crash fuzz
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ok: pyproject.toml
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

setup: $(VENV)/.ok ## virtual environment with everything the tests need

coverage-page: $(VENV)/.ok ## write docs/coverage.md from the registries
	$(PY) -m tools.coverage

crash: $(VENV)/.ok ## kill -9 at a hundred moments of the main job
	$(PY) -m pytest tests/crash -m slow

fuzz: $(VENV)/.ok ## garbage at length
	$(PY) -m pytest tests/fuzz -m slow
