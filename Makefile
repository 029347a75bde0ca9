# Everything runs in .venv; the first target that needs it makes it, from the hashed lock.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
ARGS ?=
# One test process a core, at most four: the suite starts real brokers, databases and nodes.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; echo $$n)
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test check lock bench faults fuzz fmt docs clean system
.DELETE_ON_ERROR:

help:
	@echo "make demo    a city in a box: one city, two districts, two edges, terminals reporting"
	@echo "             (make demo ARGS='--once --reports 300 --json' is the proof that nothing is lost)"
	@echo "make test    every test, with a real broker, both databases and real telephones"
	@echo "make check   format, lint, types, import contracts, house rules, fresh docs"
	@echo "make bench   the speed figures, each beside its floor"
	@echo "make faults  the fault simulator and the kill tests, long"
	@echo "make fuzz    a million damaged inputs for every decoder, and the property tests with many more examples"
	@echo "make lock    remake the hashed locks"
	@echo "make fmt     format the code    make docs  rewrite docs/reference    make clean"

$(STAMP): pyproject.toml hatch_build.py package-lock.json requirements/dev.lock requirements/node.lock
	@tools/make-venv $(PYTHON) $(VENV)
	@touch $@

system:
	@tools/system-packages mosquitto postgresql baresip-core sip-tester snmpd snmp gpsd gpsd-clients systemd

demo: $(STAMP)
	@tools/system-packages --try mosquitto
	@$(BIN)/wanmi demo $(ARGS)

test: $(STAMP) system
	@$(PYTEST) -n $(WORKERS) --dist loadgroup -m "not long and not bench" tests $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs.py --check
	@$(PYTEST) -q tests/house

faults: $(STAMP) system
	@tools/system-packages iproute2 faketime
	@$(PYTEST) -n $(WORKERS) --dist loadgroup -m "long" --timeout 3600 tests $(ARGS)

fuzz: $(STAMP) system
	@PYTHONPATH=tests $(BIN)/python -m fuzz --workers $(WORKERS)
	@$(PYTEST) -n $(WORKERS) --hypothesis-profile fuzz --timeout 3600 tests/core tests/edge tests/federation tests/hardware tests/plugins $(ARGS)

bench: $(STAMP) system
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

lock:
	@tools/lock $(PYTHON) $(VENV)

docs: $(STAMP)
	@$(BIN)/python tools/docs.py

fmt: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) node_modules core/wanmi/static/vendor dist build
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find core edge federation plugins tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
