# `make book` builds the site, `make test` checks everything; `make help` lists the rest.
# Works from an empty clone, in any order, and offline once the packages are installed.

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip install -q --disable-pip-version-check
HTML := _build/html
PORT ?= 8000
JOBS ?= 2
SAMPLE ?= 200
TESTS ?= tests optcore book
PEERS ?= $(wildcard .venv-peers/bin/python)
export OMP_NUM_THREADS ?= 1

.PHONY: help book serve lab sync run test tested lighthouse faces pdf fuzz lint links bench gradebook slips editor live-assets pages-run processors mutants recipes colab labs graders peers firefox floors oldest clean clean-all
.DELETE_ON_ERROR:

help:
	@echo 'make book    build the site into $(HTML) from the stored outputs'
	@echo 'make serve   serve it at http://localhost:$(PORT)'
	@echo 'make pdf     print it into one file, _build/course.pdf'
	@echo 'make lab     open the notebooks in JupyterLab'
	@echo 'make sync    write what is generated: set-up cells, exercises, the concept index, …'
	@echo 'make run     execute every notebook afresh and store its outputs (NOTEBOOKS=chapters/… for some)'
	@echo 'make test    run every test (TESTS="tests/test_rules.py …" for some)'
	@echo 'make tested  measure every page for what-is-tested.md'
	@echo 'make lighthouse   audit six pages as on a phone (needs npx)'
	@echo 'make faces   cut the site'"'"'s faces again from their packages (needs npm)'
	@echo 'make fuzz    20,000 calls with hostile arguments'
	@echo 'make lint    style and types: ruff, biome and mypy'
	@echo 'make links   try every link to other sites'
	@echo 'make bench   time the course against its alternatives, and write how-fast.md (with PyTorch, JAX and optax after make peers)'
	@echo 'make gradebook   grade a made-up class of 200 students'
	@echo 'make slips   grade every solution with one slip in it (EXERCISES="adam …" for some)'
	@echo 'make editor  build the editor of the pages from CodeMirror again (needs npm)'
	@echo 'make pages-run   run every cell of every page in the browser (PAGES="gallery …" for some)'
	@echo 'make live-assets   get the Python of the pages again, and check it (needs npm)'
	@echo 'make colab   run notebooks with the old versions that Colab has'
	@echo 'make graders exercises in nbgrader itself, and hand-ins as otter packs them'
	@echo 'make mutants change the code in $(SAMPLE) places, one at a time: the tests must notice'
	@echo 'make recipes carry out what CONTRIBUTING.md says, on copies'
	@echo 'make peers   run the boxes "In PyTorch", and compare with PyTorch and optax of today'
	@echo 'make processors   run the notebooks as other processors compute, and say how much of each claim they use'
	@echo 'make labs    run notebooks in JupyterLab with the newest anywidget and an old one, and in Notebook 7'
	@echo 'make firefox move every control of the site in Firefox, and run Python there'
	@echo 'make oldest  run every test with the lowest versions that the requirements allow'
	@echo 'make clean   remove the built site (make clean-all: the virtual environment too)'

# ---- environment: one stamp per requirements file -------------------------------------------------------------

$(VENV)/python-ready:
	@book/commands/make_venv $(VENV)
	@touch $@

$(VENV)/requirements-ready: requirements.txt | $(VENV)/python-ready
	@echo 'Installing what the book needs ...'
	@$(PIP) -r $<
	@touch $@

# Editable, so edits to optcore/ count at once; pyproject.toml alone never triggers a network access.
$(VENV)/optcore-ready: | $(VENV)/requirements-ready
	@$(PIP) --no-deps -e .
	@touch $@

$(VENV)/requirements-%-ready: requirements-%.txt $(VENV)/requirements-ready
	@echo 'Installing $< ...'
	@$(PIP) -r $<
	@touch $@

$(VENV)/requirements-test-ready: requirements-lab.txt

READY := $(VENV)/requirements-ready $(VENV)/optcore-ready

# ---- the book -------------------------------------------------------------------------------------------------

book: $(READY)
	@echo 'Building the book ...'
	@$(BIN)/jupyter-book build -q -W --keep-going .
	@echo
	@echo 'Open $(HTML)/index.html in a browser, or run: make serve'

serve: $(READY)
	@test -f $(HTML)/index.html || $(MAKE) --no-print-directory book
	@echo 'http://localhost:$(PORT)   (Ctrl-C stops)'
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory $(HTML)

pdf: book $(VENV)/requirements-test-ready
	@book/commands/ensure_tools
	@$(BIN)/python -m book.commands.pdf

lab: $(READY) $(VENV)/requirements-lab-ready
	@$(BIN)/jupyter lab --notebook-dir=. $(if $(filter 0,$(shell id -u)),--allow-root)

sync: $(READY)
	@$(BIN)/python -m book.commands.sync

run: $(READY)
	@$(BIN)/python -m book.commands.sync --before-run
	@$(BIN)/python -m book.commands.run_notebooks --jobs $(JOBS) $(NOTEBOOKS)
	@$(BIN)/python -m book.commands.sync

# ---- checks ---------------------------------------------------------------------------------------------------

test: $(READY) $(VENV)/requirements-test-ready
	@book/commands/ensure_tools
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --doctest-modules $(TESTS)

# Measures every page, so it takes a while: run it before a release, then `make book` again.
tested: book $(VENV)/requirements-test-ready
	@$(BIN)/python -m book.pages.what_is_tested

lighthouse: book $(VENV)/requirements-test-ready
	@$(BIN)/python -m book.commands.lighthouse

faces: $(READY)
	@$(PIP) brotli
	@$(BIN)/python -m book.commands.faces

fuzz: $(READY) $(VENV)/requirements-test-ready
	@FUZZ=20000 $(BIN)/python -m pytest -q tests/test_fuzz.py

lint: $(READY) $(VENV)/requirements-test-ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/biome check --error-on-warnings .
	@$(BIN)/mypy

links: $(READY)
	@$(BIN)/jupyter-book build -q --builder linkcheck .

bench: book $(VENV)/requirements-test-ready
	@$(BIN)/python -m book.pages.how_fast $(if $(PEERS),--peers $(PEERS))

# Every solution of the catalogue with every slip in it: what the grader says, exercise by exercise.
slips: $(READY) $(VENV)/requirements-test-ready
	@$(BIN)/python -m tests.grading.slipping $(EXERCISES)

gradebook: $(READY)
	@$(BIN)/python -m optcore.grading.demo _build/class
	@$(BIN)/python -m optcore.grading _build/class --seed demo --only gradient-descent --fresh -o _build/gradebook/grades.csv

# ---- elsewhere: other processors, versions, places --------------------------------------------------------------------

processors: $(READY) $(VENV)/requirements-test-ready
	@$(BIN)/python -m tests.elsewhere.processors --jobs $(JOBS) $(NOTEBOOKS)

.venv-colab/ready: requirements-colab.txt
	@book/commands/make_venv .venv-colab
	@.venv-colab/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

colab: $(READY) $(VENV)/requirements-test-ready .venv-colab/ready
	@book/commands/ensure_tools
	@$(BIN)/python -m pytest -v tests/elsewhere/colab.py

.venv-labs/ready: requirements-labs.txt requirements-lab.txt requirements.txt
	@book/commands/make_venv .venv-labs
	@.venv-labs/bin/python -m pip install -q --disable-pip-version-check -r $< -e .
	@touch $@

labs: $(READY) $(VENV)/requirements-test-ready .venv-labs/ready
	@book/commands/ensure_tools
	@$(BIN)/python -m pytest -v tests/elsewhere/labs.py

.venv-graders/ready: requirements-graders.txt
	@book/commands/make_venv .venv-graders
	@.venv-graders/bin/python -m pip install -q --disable-pip-version-check -r $< -e .
	@touch $@

graders: $(READY) $(VENV)/requirements-test-ready .venv-graders/ready
	@$(BIN)/python -m pytest -v tests/elsewhere/graders.py

# A sample of one-line changes, another one each week: the tests must notice. About an hour on two cores.
mutants: $(READY) $(VENV)/requirements-test-ready
	@book/commands/ensure_tools
	@$(BIN)/python -m tests.mutation --sample $(SAMPLE) --jobs $(JOBS)

# Every recipe of CONTRIBUTING.md on a copy, with all the tests that it names.
recipes: $(READY) $(VENV)/requirements-test-ready
	@OC_WHOLE_RECIPES=1 $(BIN)/python -m pytest -n $(JOBS) tests/test_contributing.py

.venv-peers/ready: requirements-peers.txt requirements.txt requirements-test.txt
	@book/commands/make_venv .venv-peers
	@echo 'Installing PyTorch, JAX and optax ...'
	@.venv-peers/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

peers: .venv-peers/ready
	@OC_REQUIRE_PEERS=1 .venv-peers/bin/python -m pytest -m peers -v tests

firefox: book $(VENV)/requirements-test-ready
	@$(BIN)/python -m pytest -v tests/elsewhere/firefox.py

live-assets: $(READY)
	@$(BIN)/python -m book.live.fetch

# Every notebook and the gallery, each in its page: some minutes.
pages-run: book $(VENV)/requirements-test-ready
	@book/commands/ensure_tools
	@$(BIN)/python -m book.commands.run_pages $(PAGES)

editor: $(READY)
	@$(BIN)/python -m book.commands.editor

# Constraints for pip: the lowest version of each requirement.
floors:
	@sed -nE 's/^([A-Za-z0-9_.-]+)[>=]=([0-9.]+).*/\1==\2/p' requirements.txt requirements-lab.txt requirements-test.txt

oldest:
	@mkdir -p _build
	@$(MAKE) -s floors >_build/floors.txt
	@PIP_CONSTRAINT=$(CURDIR)/_build/floors.txt $(MAKE) --no-print-directory VENV=.venv-oldest test

clean:
	rm -rf _build

clean-all: clean
	rm -rf $(VENV) .venv-colab .venv-labs .venv-graders .venv-peers .venv-oldest
