# `make audit` is all a newcomer needs; it wants Python 3.11 or newer, pip and make.

PYTHON ?= python3
# Where to take torch from. Empty: from where pip takes everything else. On Linux without a GPU
# https://download.pytorch.org/whl/cpu holds builds that are some gigabytes smaller.
TORCH_INDEX ?=
# Where `make audit` keeps its records.
RUNS ?= runs
# More for pytest, as in `make test ARGS="-k gate"`.
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
TREE := $(VENV)/tree
# An installation is as old as its stamp, and is renewed when either of these two is newer.
SETTINGS := pyproject.toml constraints.txt hashes.txt
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help audit test test-quick test-quantised chaos forgeries pages hostile check tree format phantom phantom-versions proved reference screenshots sizes validity sbom hashes bench

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

audit: $(VENV)/.models ## audit the bundled student against its teacher, offline, and write a page
	@HF_HUB_OFFLINE=1 $(BIN)/maskaudit run --out "$(RUNS)"
	@page=$$(ls -t "$(RUNS)"/*/report.html | head -n 1) && test -n "$$page" && \
	  echo "Open this page in a browser: $$(cd "$$(dirname "$$page")" && pwd)/report.html"

# A worker for every processor, eight at most, for each loads torch; a worker that has no more to do
# takes over from another. `ARGS=-n0` runs the tests in one process, as a debugger needs it.
PYTEST := $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal

test: $(VENV)/.dev ## run the tests
	$(PYTEST) $(ARGS)

test-quick: $(VENV)/.dev ## run the tests that are not marked slow: under a minute on two cores
	$(PYTEST) -m "not slow" $(ARGS)

# In a folder of its own, which only these tests see: see pyproject.toml.
test-quantised: $(VENV)/.quantised ## run the tests of models that torchao quantised, which `make test` skips
	PYTHONPATH=$(VENV)/quantised $(BIN)/python -m pytest -n0 $(ARGS) \
	  tests/audit/measuring/loading/test_quantised.py tests/test_examples_quantised.py

chaos: $(VENV)/.dev ## try hostile files, forged records and 40 kills; counts go to SECURITY.md
	$(BIN)/python -m tests.hostile.counts $(ARGS)

forgeries: $(VENV)/.dev ## change a record in 200 ways, sealed again or not, and verify that each is found
	MASKAUDIT_EDITS=200 $(BIN)/python -m pytest tests/audit/verifying $(ARGS)

pages: $(VENV)/.dev ## try every kind of page at every width in light and in dark; needs Chromium
	MASKAUDIT_SCREENS=all $(PYTEST) tests/reports/test_in_browser.py $(ARGS)

hostile: $(VENV)/.dev ## try 2,000 files that say what no program of ours would write
	MASKAUDIT_FUZZ=2000 $(BIN)/python -m pytest -n0 tests/hostile $(ARGS)

check: $(VENV)/.dev tree ## check format, lint, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	cd $(TREE) && ../bin/mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache
	cd $(TREE) && ../bin/lint-imports --config ../../pyproject.toml --cache-dir ../../.import_linter_cache

# mypy and import-linter do not follow setuptools' `package-dir`: they read the package from links
# that put the folders where they are once installed.
tree:
	@mkdir -p $(TREE)/maskaudit
	@ln -sfn $(addprefix ../../../,audit probes reports $(wildcard maskaudit/*.py maskaudit/py.typed)) $(TREE)/maskaudit
	@ln -sfn ../../tests $(TREE)

format: $(VENV)/.dev ## put the code into the form that check asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proved: $(VENV)/.dev ## write the table of proved models into README.md
	$(BIN)/python -m tests.architectures

reference: $(VENV)/.dev ## write the help of every command into docs/commands.md
	$(BIN)/python -m tests.reference

screenshots: $(VENV)/.dev ## take the pictures of README anew; needs Chromium
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.screenshots

sizes: $(VENV)/.models ## write the sizes of the shipped sets, which `probes list` shows
	$(BIN)/python -m maskaudit.probes.shipped_sizes

# The allocator keeps what it freed: giving each tensor back to the system costs a third of the time.
TRAIN := MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184 $(BIN)/python -m

bench: $(VENV)/.dev ## measure how fast sentences are scored, side by side, into benchmarks/RESULTS.md (12 minutes)
	HF_HUB_OFFLINE=1 $(BIN)/python benchmarks/speed.py $(ARGS)

phantom: $(VENV)/.models ## train the bundled pair again (about 20 minutes on two cores)
	$(TRAIN) maskaudit.audit.proving.phantom.train

phantom-versions: $(VENV)/.models ## train and audit the versions of examples/versions (5 minutes)
	$(TRAIN) maskaudit.audit.proving.phantom.versions

# A check that fails is shown in the document, and the second command then fails.
validity: $(VENV)/.models ## measure the instrument against known truth; writes docs/validity.md (12 minutes)
	-$(BIN)/maskaudit selftest --full --json >$(VENV)/selftest.json
	$(BIN)/python -m maskaudit.audit.proving.validity --selftest $(VENV)/selftest.json

# torch is installed by itself only where it comes from an index of its own.
$(VENV)/.models: $(SETTINGS)
	@test -x $(BIN)/pip || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  2>/dev/null || { echo "maskaudit needs Python 3.11 or newer, and '$(PYTHON)' is not:" \
	  "name one, as in  make PYTHON=python3.12 audit" >&2; exit 1; }
	@echo "Setting up $(VENV): this takes a few minutes the first time."
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) --no-deps --require-hashes --requirement hashes.txt
	$(if $(TORCH_INDEX),$(PIP) --no-deps --index-url "$(TORCH_INDEX)" torch)
	$(PIP) --editable '.[models]'
	@touch $@

sbom: $(VENV)/.dev ## write what a release is installed with, in CycloneDX, to dist/sbom.json
	@mkdir -p dist
	@PYTHON=$(BIN)/python bash .ci/sbom dist/sbom.json
	@echo dist/sbom.json

# Without PyTorch, which has other builds on other indexes: no hash fits them all.
hashes: ## write hashes.txt anew from constraints.txt; needs uv
	echo torch | uv pip compile pyproject.toml --extra models --constraint constraints.txt \
	  --excludes - --universal --python-version 3.11 --generate-hashes --quiet --no-annotate \
	  --no-header --output-file hashes.txt

$(VENV)/.quantised: $(VENV)/.dev
	$(PIP) --no-deps --upgrade --target $(VENV)/quantised torchao
	@touch $@

$(VENV)/.dev: $(VENV)/.models
	$(PIP) --editable '.[models,dev]'
	@touch $@
