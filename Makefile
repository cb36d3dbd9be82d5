# make run    set up everything and start CX Hub
# make test   set up everything and run all checks and tests
# make bench  measure; ONLY=name runs one of tests/benchmarks
# make pictures  take the pictures of the documents anew
# make lint   the checks alone
# make doctor say what is wrong with a running CX Hub
# make clean  remove the virtual environment and the embedded data

SHELL := /bin/sh
.DEFAULT_GOAL := run
.PHONY: run test bench pictures lint doctor clean venv requirements dev-requirements chromium

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check
# Three processes, since many tests wait; each file's tests on one of them, in the order of tests/conftest.py.
PYTEST_ARGS ?= -n 3 --dist loadfile --no-loadscope-reorder
export PYTHONUNBUFFERED := 1
# Tests start a hundred processes, each of which would compile all of CX Hub anew if it might not keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

run: requirements
	@exec $(PYTHON) manage.py up $(UP_ARGS)

# A variable, since `make -n test` would run a recipe in which this is written out.
CHECKS := $(MAKE) --no-print-directory lint
# The checks run beside the tests; what they say is printed after them.
test: dev-requirements chromium
	@mkdir -p .data; \
	$(CHECKS) >.data/lint.txt 2>&1 & checks=$$!; \
	$(PYTHON) -m pytest $(PYTEST_ARGS); tested=$$?; \
	wait $$checks; checked=$$?; \
	cat .data/lint.txt; \
	exit $$((tested ? tested : checked))

bench: dev-requirements
	@$(PYTHON) -m tests.benchmarks $(ONLY)

pictures: dev-requirements chromium
	@$(PYTHON) -m tests.story

lint: dev-requirements
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(PYTHON) manage.py check
	DATABASE_POOL_SIZE=0 $(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

doctor: requirements
	@$(PYTHON) manage.py doctor

clean:
	rm -rf $(VENV) .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A virtual environment that is broken (moved, or half made) is made again.
venv:
	@if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	    for candidate in python3.13 python3.12 python3.11 python3; do \
	        if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then found=$$candidate; break; fi; \
	    done; \
	    if [ -z "$$found" ]; then echo "CX Hub needs Python 3.11, 3.12 or 3.13, and none is installed. On Debian: apt install python3 python3-venv" >&2; exit 1; fi; \
	    echo "Making a virtual environment with $$found in $(VENV) …" >&2; \
	    rm -rf $(VENV); \
	    if ! "$$found" -m venv $(VENV) >&2; then rm -rf $(VENV); echo "$$found cannot make a virtual environment. On Debian: apt install python3-venv" >&2; exit 1; fi; \
	fi

# Installs when the files differ from what was installed last; the stamp holds their checksum.
define install
	@wanted=$$(cat constraints.txt $(2) | cksum); \
	if [ "$$(cat $(VENV)/$(1).stamp 2>/dev/null)" != "$$wanted" ]; then \
	    echo "Installing $(lastword $(2)) (a few minutes the first time) …" >&2; \
	    $(PIP) install --constraint constraints.txt --requirement $(lastword $(2)) >&2 && echo "$$wanted" > $(VENV)/$(1).stamp; \
	fi
endef

requirements: venv
	$(call install,run,requirements.txt)

dev-requirements: venv
	$(call install,dev,requirements.txt requirements-linkage.txt requirements-dev.txt)

chromium:
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "chromium is not installed: browser tests will be reported as skipped." >&2; exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then as_root=; \
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root="sudo -n"; \
	else echo "chromium is not installed, and installing it needs root: browser tests will be reported as skipped. On Debian: apt install chromium" >&2; exit 0; fi; \
	echo "Installing chromium for the browser tests …" >&2; \
	$$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq --no-install-recommends chromium >&2 \
	|| echo "chromium could not be installed: browser tests will be reported as skipped." >&2
