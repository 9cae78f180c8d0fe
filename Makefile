# `make run` starts the bench, `make test` passes the tests; each makes .venv when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 9000

.PHONY: run test soak bench twisted-suite screenshots check format clean

run: $(VENV)/installed
	@exec $(BIN)/twistd -n --pidfile= socketlab --port $(PORT) $(OPTIONS)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 3 $(PYTEST_OPTIONS)

# Heavy rounds; their last figures stand in docs/measured.md.
soak: $(VENV)/installed-dev
	$(BIN)/python -m scripts.soak $(SOAK_OPTIONS)

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks $(BENCH_OPTIONS)

# Twisted's own tests under the lean reactor and under epoll: prints what differs.
twisted-suite: $(VENV)/installed-dev
	$(BIN)/python -m scripts.twisted_suite

# The page in both widths and both schemes, for a person to look at.
screenshots: $(VENV)/installed-dev
	$(BIN)/python -m scripts.screenshots $(or $(FOLDER),screenshots)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) dist build _trial_temp*
