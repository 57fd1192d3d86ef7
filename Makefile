# What a person does here. A newcomer needs two: make run, make test. Both need Python 3.11+ and make, nothing else:
# they make a virtual environment in .venv and install exactly what requirements/ names, checked by hash.

PYTHON      ?= python3
PORT        ?= 5000
PYTEST_ARGS ?=
SECONDS     ?= 60

VENV    := .venv
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes --only-binary :all: --no-compile
# What the demo loads of all that, once: every start would do it where PYTHONDONTWRITEBYTECODE is set, as in many containers.
COMPILE := PYTHONDONTWRITEBYTECODE= $(BIN)/python -c "import service.server, service.fhir.client"

# What runs is what is installed in .venv: a PYTHONPATH for something else may well hold a package of the name "service".
unexport PYTHONPATH PYTHONHOME

# Programs of others that tests/counterparts talks to. They ask for other versions of packages than ours do.
COUNTERPARTS := sekmet healthchain

.DEFAULT_GOAL := help
.PHONY: help run test lint check fuzz load docs licences sbom counterparts bench bench-peers renderers picture pins clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## start the service with synthetic patients on 127.0.0.1 (PORT=5000)
	@$(BIN)/muscle-cds demo --port $(PORT)

test: $(VENV)/.dev ## the whole test suite (PYTEST_ARGS="-k potassium")
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev ## form, lint, types, import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: ## everything that has to be green before a change lands
	@.ci/run

fuzz: $(VENV)/.dev ## random bytes for the readers of requests (SECONDS=60)
	@$(BIN)/python -m tests.fuzz.corpus build/fuzz
	@$(BIN)/python tests/fuzz/parser.py -max_total_time=$(SECONDS) -max_len=65536 -timeout=10 -print_final_stats=1 \
	  -artifact_prefix=build/ build/fuzz

load: $(VENV)/.dev ## 20 hooks a second for a minute, twice; writes docs/load-test.md
	@$(BIN)/python -m tests.load.run --seconds $(SECONDS) --write docs/load-test.md

docs: $(VENV)/.runtime ## write the generated reference pages anew
	$(BIN)/python -m service.reference
	$(BIN)/python -m tests.contract.conformance

licences: $(VENV)/.dev ## write the list of packages and their licences anew
	$(BIN)/python -m tests.deploy.licences

sbom: $(VENV)/.dev ## write what ships, as CycloneDX JSON, into dist/: of the packages alone, and of the image
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
	  --output-file dist/muscle-cds.cdx.json requirements/runtime.txt
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
	  --output-file dist/muscle-cds-image.cdx.json requirements/postgres.txt

counterparts: $(COUNTERPARTS:%=$(VENV)/counterparts/%/.made) ## a FHIR server and a client of others, for tests/counterparts

bench: $(VENV)/.dev ## measure speed beside alternatives, and judge it: docs/performance.md
	$(BIN)/python -m bench run

bench-peers: $(VENV)/.dev ## the same bytes through a service built with HealthChain, in a temporary environment
	$(BIN)/python -m bench.peers

renderers: ## install the Markdown renderers that the tests of hostile text use (npm, once)
	@cd tests/faults/renderers && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error

picture: $(VENV)/.dev ## take the picture on the README anew (needs Chromium)
	$(BIN)/python -m tests.browser.picture

pins: $(VENV)/.pins ## resolve requirements/ anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(PIN) --output-file requirements/runtime.txt pyproject.toml
	$(PIN) --constraint requirements/runtime.txt --extra postgres --output-file requirements/postgres.txt pyproject.toml
	$(PIN) --constraint requirements/postgres.txt --extra dev --extra postgres --output-file requirements/dev.txt pyproject.toml
	echo "setuptools>=77" | $(PIN) --output-file requirements/build.txt -
	echo "sekmet-fhir==0.1.1" | $(PIN) --output-file requirements/sekmet.txt -
	echo "healthchain==0.16.1" | $(PIN) --output-file requirements/healthchain.txt -
	@for file in requirements/*.txt; do grep -E '^([a-z0-9]|    --hash=)' $$file > $$file.new && mv $$file.new $$file; done

clean: ## remove the virtual environment and everything made by a tool
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage bench.json peers.json
	rm -rf tests/faults/renderers/node_modules tests/browser/node_modules tests/browser/screenshots
	find service cards terminology tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Name, version and sha256 go into the files and nothing else: what says where a package was found is cut out again.
PIN := $(VENV)/pins/bin/pip-compile --quiet --no-config --generate-hashes --strip-extras --allow-unsafe $(UPGRADE) \
       --no-header --no-annotate --no-emit-options

$(BIN)/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || { \
	  echo "muscle-cds needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)" >&2; \
	  echo "If there is a newer one, name it: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "First time here: making $(VENV) and installing the packages that requirements/ names. This takes a minute or so."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The stamps: an install happens once, and again when what it is made from changes.
$(VENV)/.runtime: $(BIN)/python requirements/build.txt requirements/runtime.txt pyproject.toml
	@$(INSTALL) -r requirements/build.txt -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.dev: $(BIN)/python requirements/build.txt requirements/dev.txt pyproject.toml
	@$(INSTALL) -r requirements/build.txt -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(COMPILE)
	@touch $(VENV)/.runtime $@

$(VENV)/counterparts/%/.made: requirements/%.txt | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)/counterparts/$*
	@$(VENV)/counterparts/$*/bin/python -m pip --disable-pip-version-check --quiet install \
	  --require-hashes --only-binary :all: --no-compile -r $<
	@touch $@

$(VENV)/.pins: $(BIN)/python
	@$(PYTHON) -m venv $(VENV)/pins
	@$(VENV)/pins/bin/pip --disable-pip-version-check --quiet install pip-tools
	@touch $@
