# Everything a developer or CI runs. `make` alone lists the targets.
#
# A target sets up what it needs first: the environment in .venv, Chromium for the browser
# tests, Go for a second opinion on our logs, SoftHSM for keys on a token, PostgreSQL and
# a pooler before it.
# It does so once, and the environment again when setup.cfg has changed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

# $(call apt,PACKAGES): Debian's packages where we may install them, else what to do.
apt = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then echo "Installing $(1) ..." && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(1) >/dev/null; \
	else echo "Missing: $(1). On Debian: sudo apt-get install $(1)"; exit 1; fi

# A run that selects no test has shown nothing and fails (pytest's exit code 5);
# only who narrows it down, as in ARGS="-k receipt", may leave one of the two runs empty.
may_be_empty = $(if $(ARGS),|| [ $$? -eq 5 ])

# Hundreds of programs are started here: what Python compiled for one, the next one
# finds, even where the surroundings would forbid it (many container images do).
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test lint types unit browser wheel fast \
	format requirements screenshots versions coverage clean setup \
	tools chromium golang softhsm postgres pgbouncer \
	bench rivals wrk fuzz mutants

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 16

# -- the two commands -----------------------------------------------------------------

run: $(VENV)/run.stamp ## start the example app with its two partners
	$(BIN)/python -m example_app $(ARGS)

test: $(VENV)/venv.stamp ## set everything up and run every check, as CI does
	@# Debian's packages come and are unpacked while Python's are checked by mypy.
	@$(MAKE) --no-print-directory tools & tools=$$!; \
		$(MAKE) --no-print-directory lint types; checked=$$?; \
		wait $$tools && exit $$checked
	@$(MAKE) --no-print-directory unit browser wheel
	@echo "All checks passed."

# -- the checks, one by one -----------------------------------------------------------

lint: $(VENV)/test.stamp ## ruff, and imports that only go down
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/test.stamp ## mypy --strict
	$(BIN)/mypy --strict consentkit example_app tests/typing

unit: $(VENV)/test.stamp golang softhsm postgres pgbouncer wrk ## tests without a browser, two at a time; ARGS="-k receipt" selects
	$(BIN)/pytest -n 2 --dist worksteal -m "not browser" $(ARGS) $(may_be_empty)

browser: $(VENV)/test.stamp chromium ## tests in Chromium, two files at a time
	$(BIN)/pytest -n 2 --dist loadfile -m browser $(ARGS) $(may_be_empty)

wheel: $(VENV)/test.stamp ## build the wheel and try it in a clean environment
	$(BIN)/python tests/design/wheel_smoke.py

fast: lint types unit ## all of it but the browser and the wheel

# -- chores ---------------------------------------------------------------------------

format: $(VENV)/test.stamp ## format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements: $(VENV)/test.stamp ## write docs/requirements.md from the marks on the tests
	$(BIN)/python tests/docs/requirements_table.py --write

screenshots: $(VENV)/test.stamp chromium ## take the pictures of docs/screens.md from the running example app
	$(BIN)/python -m tests.docs.screenshots

fuzz: $(VENV)/test.stamp ## let a fuzzer search every reader; ARGS="60 leaf proof": seconds, readers
	$(BIN)/python -m tests.fuzz.coverage_guided $(ARGS)

mutants: $(VENV)/test.stamp ## change core and log in thousands of ways: do tests notice? (hours)
	nice $(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

versions: $(VENV)/test.stamp ## some hundred tests on the lowest versions that setup.cfg allows
	$(BIN)/python -m tests.design.versions --lowest $(or $(ARGS),tests/store/test_reader.py tests/store/test_database.py tests/web/test_config.py tests/service/test_choosing.py) -n 2

coverage: $(VENV)/test.stamp golang softhsm postgres pgbouncer wrk ## branch coverage of the tests without a browser
	$(BIN)/coverage run -m pytest -q -m "not browser" $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

clean: ## remove what the targets made
	rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* .hypothesis .*_cache mutants

# -- set-up ---------------------------------------------------------------------------

setup: $(VENV)/test.stamp tools ## the set-up alone

$(VENV)/run.stamp: EXTRAS := example
$(VENV)/test.stamp: EXTRAS := test,dev
$(VENV)/run.stamp $(VENV)/test.stamp: setup.cfg | $(VENV)/venv.stamp
	@echo "Installing consentkit[$(EXTRAS)] into $(VENV) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[$(EXTRAS)]' \
		|| $(BIN)/python -m pip install --quiet -e '.[$(EXTRAS)]'
	@touch $@

$(VENV)/venv.stamp:
	@echo "Making $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call apt,python3-venv); }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet uv || echo "No uv here; pip does it, more slowly."
	@touch $@

# Whether it is there: Chromium; Go, and the library that tests/outside/checklog stands
# upon; the server, which the tests start and stop themselves, and a pooler before it; a
# client that loads ours; a token in software, for keys that never leave one.
has_chromium = command -v chromium >/dev/null
has_golang = { command -v go && test -d /usr/share/gocode/src/golang.org/x/mod/sumdb; } \
	>/dev/null
has_postgres = { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1
has_softhsm = command -v softhsm2-util >/dev/null
has_wrk = command -v wrk >/dev/null
has_pgbouncer = { command -v pgbouncer || test -x /usr/sbin/pgbouncer; } >/dev/null
# Chromium without windows, for the tests: half the work, where there is such a package.
lighter = command -v chromium-headless-shell >/dev/null || [ "$$(id -u)" != 0 ] \
	|| apt-get install -y -qq chromium-headless-shell >/dev/null 2>&1 || true

chromium:
	@{ $(has_chromium) || { $(call apt,chromium); }; } && { $(lighter); }

golang:
	@$(has_golang) || { $(call apt,golang-go golang-golang-x-mod-dev); }

postgres:
	@$(has_postgres) || { $(call apt,postgresql); }

softhsm:
	@$(has_softhsm) || { $(call apt,softhsm2); }

pgbouncer:
	@$(has_pgbouncer) || { $(call apt,pgbouncer); }

tools: # all of these at one go
	@missing=; \
	$(has_chromium) || missing="$$missing chromium"; \
	$(has_golang) || missing="$$missing golang-go golang-golang-x-mod-dev"; \
	$(has_postgres) || missing="$$missing postgresql"; \
	$(has_softhsm) || missing="$$missing softhsm2"; \
	$(has_pgbouncer) || missing="$$missing pgbouncer"; \
	$(has_wrk) || missing="$$missing wrk"; \
	{ [ -z "$$missing" ] || { $(call apt,$$missing); }; } && { $(lighter); }

# -- measuring ------------------------------------------------------------------------

bench: $(VENV)/test.stamp postgres wrk ## time it beside what it cannot be faster than; ARGS=--smoke
	$(BIN)/python -m tests.bench.check $(ARGS)
	$(BIN)/python -m tests.bench.clause $(ARGS)
	$(BIN)/python -m tests.bench.act $(ARGS)
	$(BIN)/python -m tests.bench.postgres $(ARGS)
	$(BIN)/python -m tests.bench.partitioned $(ARGS)
	$(BIN)/python -m tests.bench.pooler $(ARGS)
	$(BIN)/python -m tests.bench.crowd $(ARGS)
	$(BIN)/python -m tests.bench.serving $(ARGS)
	$(BIN)/python -m tests.bench.loads $(ARGS)
	$(BIN)/python -m tests.bench.start $(ARGS)
	$(BIN)/python -m tests.bench.export $(ARGS)
	$(BIN)/python -m tests.bench.verify $(ARGS)
	$(BIN)/python -m tests.bench.share_many $(ARGS)
	$(BIN)/python -m tests.bench.growth $(ARGS)

rivals: $(VENV)/rivals.stamp ## the same questions to other libraries; they get an environment of their own
	$(VENV)/rivals/bin/python -m tests.bench.rivals $(ARGS)
	$(VENV)/rivals/bin/python -m tests.bench.act $(ARGS)

$(VENV)/rivals.stamp: setup.cfg | $(VENV)/venv.stamp
	@echo "Installing consentkit[bench] into $(VENV)/rivals ..."
	@$(BIN)/python -m venv $(VENV)/rivals
	@$(VENV)/rivals/bin/python -m pip install --quiet -e '.[bench]'
	@touch $@

wrk: # a client that takes next to nothing from the server beside it
	@$(has_wrk) || { $(call apt,wrk); }
