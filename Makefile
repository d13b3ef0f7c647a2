# Everything that is done with this project. `make run` and `make test` need nothing before them.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
FEED   ?= simulator
HISTORY ?= 2d
ROUNDS ?= 1000
JOBS   ?= 2
MINUTES ?= 30
SEED   ?= 0
SEEDS  ?= 1

.PHONY: help setup run test interop world teeth chaos soak jobs fuzz check generate compat release sdk frames pictures docs lock bench bench-quick clean

help:  ## Show what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.run: requirements.lock pyproject.toml asyncapi-server/pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what it needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable ./asyncapi-server --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing what tests and checks need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.dev  ## Install everything for development.

run: $(VENV)/.run  ## Serve on port 8080 with HISTORY (2d), fed by the simulator (FEED=binance: the real exchange).
	@CANDLECAST_FEED=$(FEED) CANDLECAST_HISTORY=$${CANDLECAST_HISTORY:-$(HISTORY)} exec $(BIN)/candlecast serve

test: $(VENV)/.dev  ## Run all tests.
	@$(BIN)/python -m pytest -n 3 --dist worksteal --cov --cov-report=term:skip-covered

interop: $(VENV)/.dev  ## Run the clients of docs/clients.md (CLIENTS=ccxt) against simulator and server: 6 minutes.
	@$(BIN)/python -m tests.interop $(CLIENTS) $(WRITE)

world: $(VENV)/.dev  ## Live through the simulated world of SEED (0) step by step, or of SEEDS from it on.
	@$(BIN)/python -m tests.world $(SEED) --seeds $(SEEDS) --jobs $(JOBS)

teeth: $(VENV)/.dev  ## Put each deliberate fault into a copy of the code: some seed has to find it.
	@$(BIN)/python -m tests.world.teeth --jobs $(JOBS)

chaos: $(VENV)/.dev  ## Run the chaos tests for ROUNDS rounds each (1000), JOBS at a time (2): hours.
	@$(BIN)/python -m tests.chaos.campaign --rounds $(ROUNDS) --jobs $(JOBS)

soak: $(VENV)/.dev  ## Serve in lies of the exchange and storms of clients for MINUTES (30).
	@SOAK_MINUTES=$(MINUTES) $(BIN)/python -m pytest -s tests/chaos/test_soak.py

jobs: $(VENV)/.dev  ## Backfill, audit and back up beside a server under load, with kills: 2 minutes.
	@$(BIN)/python -m tests.chaos.jobs

fuzz: $(VENV)/.dev  ## Attack a server from all sides for MINUTES (30): nothing fails, grows or stays open.
	@$(BIN)/python -m tests.chaos.fuzz --minutes $(MINUTES) --seed $(SEED)

check: $(VENV)/.dev  ## Check style, types, layers, specs, and that what is generated is up to date.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m scripts.check_specs
	@$(BIN)/python -m scripts.generate --check
	@$(BIN)/python -m scripts.sdk --check
	@$(BIN)/python -m scripts.sbom --check
	@$(BIN)/python -m scripts.compat

generate: $(VENV)/.dev  ## Write generated/ anew from specs/, the README's table of settings, and the SBOM.
	@$(BIN)/python -m scripts.generate
	@$(BIN)/python -m scripts.readme
	@$(BIN)/python -m scripts.sbom

compat: $(VENV)/.dev  ## Compare the specs with those of the last release.
	@$(BIN)/python -m scripts.compat

release: $(VENV)/.dev  ## Make specs/ the documents of the last release (VERSION=1.2.3).
	@$(BIN)/python -m scripts.release '$(VERSION)'

sdk: $(VENV)/.dev  ## Generate both clients from specs/ and pack them into dist/.
	@cd sdk/typescript && npm ci --silent
	@$(BIN)/python -m scripts.sdk
	@$(BIN)/uv build --quiet --offline sdk/python --out-dir dist
	@cd sdk/typescript && npm run --silent build && npm pack --silent --pack-destination ../../dist

frames: $(VENV)/.dev  ## Measure how smooth the console is with 300 symbols, in Chromium.
	@PYTHONPATH=asyncapi-server/tests $(BIN)/python -m tests.console.frames

pictures: $(VENV)/.dev  ## Take the pictures of the console in docs/ anew, in Chromium.
	@PYTHONPATH=asyncapi-server/tests $(BIN)/python -m tests.console.pictures

docs: $(VENV)/.run  ## Write the site that the server shows to build/docs.
	@$(BIN)/python -m scripts.docs

lock: $(VENV)/.dev  ## Resolve the dependencies anew.
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-package asyncapi-server --no-header --quiet pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-package asyncapi-server --no-header --quiet --extra dev pyproject.toml -c requirements.lock -o requirements-dev.lock
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-package asyncapi-server --no-header --quiet --extra dev --extra bench pyproject.toml -c requirements-dev.lock \
	  -o requirements-bench.lock
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  --fork-strategy fewest tests/interop/environments/main.in -o tests/interop/environments/main.lock
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  tests/interop/environments/apart.in --override tests/interop/environments/apart.override \
	  -o tests/interop/environments/apart.lock

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	@echo "Installing the peers to measure beside into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-bench.lock
	@touch $@

bench: $(VENV)/.bench  ## Measure speed beside peers, in one run of about 12 minutes.
	@$(BIN)/python -m bench

bench-quick: $(VENV)/.bench  ## The same, shorter and coarser.
	@$(BIN)/python -m bench --quick

clean:  ## Remove what was installed and made, but not the data.
	rm -rf $(VENV) dist build sdk/typescript/node_modules sdk/typescript/dist sdk/typescript/build tests/generators/node_modules tests/console/node_modules asyncapi-server/tests/*/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .coverage
