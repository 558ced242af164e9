# The verbs of this project. PYTHON=... names another Python (3.11 or newer), ARGS=... goes to advisor.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV ?= uv
EXAMPLE := examples/keepalive-300/snapshot.json
COMPILE := pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock"

# Debian without python3-venv makes environments without pip; the pip outside can serve them.
PIP = $$(test -x $(BIN)/pip && echo $(BIN)/python -m pip || echo $(PYTHON) -m pip --python $(BIN)/python)
INSTALL = PIP_DISABLE_PIP_VERSION_CHECK=1 $(PIP) install -qq

.DEFAULT_GOAL := help
.PHONY: help audit demo test check bench clean lock

help: ## list these verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

audit: $(VENV)/.installed ## say what holds this host and its nginx back; writes nothing
	@$(BIN)/advisor audit $(ARGS)

demo: $(VENV)/.installed ## audit a recorded incident and write its patch to out/demo
	@$(BIN)/advisor audit --snapshot $(EXAMPLE)
	@$(BIN)/advisor patch --snapshot $(EXAMPLE) --unsafe -o out/demo

# At the nice value that advisor takes by itself: beside busier tests it would wait long for its turn.
test: check $(VENV)/.tests ## run make check and every test under eight minutes
	@tests/apt.sh
	@nice -n 19 $(BIN)/python -m pytest -q -n 3 --dist worksteal -m "not slow" $(ARGS)

check: $(VENV)/.tests ## lint, format, types, and who may import whom
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@said=$$($(BIN)/lint-imports 2>&1) || { printf '%s\n' "$$said"; exit 1; }
	@echo "check: ruff, mypy and import-linter found nothing"

bench: $(VENV)/.tests ## run the slow tests and tests/bench; takes minutes
	@$(BIN)/python -m pytest -q -s -m slow || test $$? = 5
	@for script in $(wildcard tests/bench/*.py); do $(BIN)/python $$script || exit 1; done

clean: ## remove the environment, the caches and what was built
	@rm -rf $(VENV) build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## renew both lock files from pyproject.toml (needs uv)
	@$(UV) $(COMPILE) --upgrade -o requirements.lock pyproject.toml
	@$(UV) $(COMPILE) --upgrade -c requirements.lock -o tests/requirements.lock --group test --group check

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "advisor needs Python 3.11 or newer, and '$(PYTHON)' is not: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(PIP) --version >/dev/null 2>&1 || { \
	  echo "advisor needs pip, and '$(PYTHON)' has none: apt-get install python3-pip" >&2; rm -rf $(VENV); exit 2; }

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV), once" >&2
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps -e .
	@$(BIN)/python -m compileall -q advisor
	@touch $@

$(VENV)/.tests: tests/requirements.lock $(VENV)/.installed
	@$(INSTALL) --require-hashes -r tests/requirements.lock
	@touch $@
