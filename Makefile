# Each target works as the first command in a fresh clone on Debian 12 with Python 3.11.

PYTHON ?= python3
VENV = .venv/bin

.PHONY: run run-distributed stop status clean test unit lint bench

run:
	@$(PYTHON) -m tools.bootstrap run
	@$(VENV)/python -m tools.cloud run

run-distributed:
	@$(PYTHON) -m tools.bootstrap distributed
	@$(VENV)/python -m tools.cloud run-distributed

stop:
	@if [ -x $(VENV)/python ]; then $(VENV)/python -m tools.cloud stop; else echo "Nothing was ever run here."; fi

status:
	@if [ -x $(VENV)/python ]; then $(VENV)/python -m tools.cloud status; else echo "Nothing was ever run here."; fi

clean: stop
	rm -rf var

test:
	@$(PYTHON) -m tools.bootstrap test
	@$(VENV)/python -m tools.testing all

unit:
	@$(PYTHON) -m tools.bootstrap test
	@$(VENV)/python -m tools.testing quick

lint:
	@$(PYTHON) -m tools.bootstrap lint
	@$(VENV)/python -m tools.testing lint

bench:
	@$(PYTHON) -m tools.bootstrap test
	@$(VENV)/python -m tools.bench
