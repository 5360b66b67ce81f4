# Two commands on a fresh machine: `make run` and `make test`. `make check` is what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Files side by side, because most tests wait for clocks and processes, and in their order: by number of tests, the long ones
# with few would be left to the end.
TESTS := $(BIN)/python -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Compiled modules are kept, also where the surroundings say otherwise: without them each start compiles 1,500 files again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check fuzz format types contracts collected bench bench-detect lock clean audit sbom

run: $(VENV)/.run  ## set everything up and run the demo: SMTP 2525, web 8025
	$(BIN)/sekisho demo

test: $(VENV)/.dev  ## set everything up and run the tests
	$(TESTS)

check: $(VENV)/.dev  ## format, lint, types, import contracts, tests
	$(BIN)/ruff format --check gateway tests
	$(BIN)/ruff check gateway tests
	$(MAKE) --no-print-directory -j2 types contracts collected
	$(TESTS)

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

# Every process that runs tests collects all of them: compiled here once, beside the types, and not by each of them.
# What is wrong with one the tests themselves will tell.
collected: $(VENV)/.dev
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1 || true

fuzz: $(VENV)/.dev  ## coverage-guided fuzzing, FUZZ_SECONDS (180) per target; findings in var/fuzz/findings
	$(BIN)/python -m tests.fuzz

format: $(VENV)/.dev
	$(BIN)/ruff format gateway tests
	$(BIN)/ruff check --fix gateway tests

bench: $(VENV)/.dev  ## every promise about speed against Postfix, ten minutes (needs postfix and root; loopback only)
	$(BIN)/python -m tests.bench --json var/bench.json --plot var/bench.svg

bench-detect: $(VENV)/.dev  ## precision, recall and speed of the detectors on the texts written for them
	$(BIN)/python -m tests.bench.detect

lock: $(VENV)/.dev  ## renew the lock files from pyproject.toml
	$(PIP) install pip-tools
	deploy/lock.sh $(BIN)/pip-compile

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sekisho needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

audit: $(VENV)/.audit  ## known vulnerabilities of the locked dependencies; needs the advisory service
	deploy/audit.sh $(VENV)/audit/bin/pip-audit requirements.lock

sbom: $(VENV)/.audit  ## sbom.json: CycloneDX of requirements.lock, the same for the same lock
	$(VENV)/audit/bin/cyclonedx-py requirements --output-reproducible --of JSON -o sbom.json requirements.lock

$(VENV)/.audit: $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip --disable-pip-version-check --quiet install pip-audit cyclonedx-bom
	@touch $@
