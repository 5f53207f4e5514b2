# `make` alone says what there is. Every target does its own set-up: a .venv with the packages of constraints.txt.
ifeq ($(filter oneshell,$(.FEATURES)),)
$(error GNU make 3.82 or newer is needed; macOS: brew install make, then gmake)
endif
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

NAME := med-small-lm
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.set-up
PYTHON ?=
ARGS ?=
VIZ_PORT ?= 4141
MLFLOW_PORT ?= 5000

# Nothing calls home, and nothing is fetched while the project works.
export DO_NOT_TRACK := 1
export KEDRO_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := true
export HF_HUB_DISABLE_TELEMETRY := 1
export HF_HUB_DISABLE_UPDATE_CHECK := 1
export HF_HUB_OFFLINE := 1
export HF_DATASETS_OFFLINE := 1
export TRANSFORMERS_OFFLINE := 1
export RAY_USAGE_STATS_ENABLED := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A bundle brings its wheels, and the Python that they were built for; without one, 3.11 comes first because the
# constraints were frozen on it.
WHEELS := $(wildcard wheels)
SOURCE := $(if $(WHEELS),--no-index --find-links wheels)
WANTED := $(if $(WHEELS),$(shell cat wheels/python-version 2>/dev/null))
PYTHONS := $(or $(PYTHON),$(if $(WANTED),python$(WANTED) python3,python3.11 python3.12 python3.13 python3))
FITS := import sys, venv, ensurepip; v = sys.version_info; sys.exit(v < (3, 11) or "$(WANTED)" not in ("", f"{v[0]}.{v[1]}"))
PIP := $(PY) -m pip
INSTALL := $(PIP) install -qq $(SOURCE) -c constraints.txt

# A virtual environment holds absolute paths: in a moved or copied folder it is made anew.
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell cat $(STAMP)),$(CURDIR))
MOVED := moved
endif
endif

.PHONY: help set-up demo test lint viz mlflow bench bundle clean moved

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

set-up: $(STAMP) ## .venv with everything; the other targets call it

moved:
	@echo "Set-up: this .venv was made in another folder; making it anew"
	rm -rf $(VENV)

$(STAMP): pyproject.toml constraints.txt $(MOVED)
	@if ! $(PY) -c "import pip" 2>/dev/null; then
	  found=
	  for python in $(PYTHONS); do
	    if $$python -c '$(FITS)' 2>/dev/null; then found=$$python; break; fi
	  done
	  if [ -z "$$found" ]; then
	    echo "Set-up: no Python $(or $(WANTED),3.11 or newer) with venv among: $(PYTHONS)." >&2
	    echo "  Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python" >&2
	    exit 1
	  fi
	  echo "Set-up 1/3: .venv with $$($$found --version)"
	  rm -rf $(VENV)
	  $$found -m venv $(VENV)
	fi
	echo "Set-up 2/3: pip, setuptools, wheel$(if $(WHEELS), from wheels/)"
	$(INSTALL) pip setuptools wheel
	echo "Set-up 3/3: $(NAME) and what it needs, a few minutes the first time"
	$(INSTALL) --no-build-isolation -e '.[test]'
	printf '%s' '$(CURDIR)' > $@

demo: $(STAMP) ## textbooks in, scored model out: the whole default run
	@$(PY) -m kedro run $(ARGS)
	echo "Done. Report: data/08_reporting/report.html   How each book led there: make viz   Curves and scores: make mlflow"

test: lint ## set-up, lint, tests; ARGS="-k passages" chooses
	@echo "Tests"
	$(PY) -m pytest $(ARGS)

lint: $(STAMP) ## ruff, mypy, import-linter
	@echo "Lint: ruff"
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	echo "Lint: mypy"
	$(PY) -m mypy --no-error-summary
	echo "Lint: import-linter"
	$(VENV)/bin/lint-imports --no-logo

viz: $(STAMP) ## the pipeline as a picture, in the browser
	@echo "http://127.0.0.1:$(VIZ_PORT) (Ctrl-C ends it)"
	$(PY) -m kedro viz run --host 127.0.0.1 --port $(VIZ_PORT) --no-browser

mlflow: $(STAMP) ## parameters, curves and scores of every run, in the browser
	@echo "http://127.0.0.1:$(MLFLOW_PORT) (Ctrl-C ends it)"
	$(PY) -m kedro mlflow ui --host 127.0.0.1 --port $(MLFLOW_PORT)

bench: $(STAMP) ## every measured figure, and the table of docs/measurements.md; ARGS="main_job" chooses
	@$(PY) bench $(ARGS)

# Packs the last commit, not the working tree. sdist-only packages become wheels here, where a network and a compiler
# may be used.
bundle: $(STAMP) ## project, pocket data and wheels in one archive for machines without a network
	@git rev-parse --quiet --verify HEAD^{commit} > /dev/null || { echo "make bundle packs the last commit; there is none" >&2; exit 1; }
	if [ -n "$$(git status --porcelain)" ]; then echo "Note: what is not committed stays out of the bundle"; fi
	root=$(NAME)-$(VERSION) archive=dist/$(NAME)-$(VERSION)-bundle.tar
	rm -rf dist/stage "$$archive"
	mkdir -p "dist/stage/$$root"
	git archive HEAD | tar -x -C "dist/stage/$$root"
	echo "Bundle 1/2: wheels"
	python="$$PWD/$(PY)"
	find_links='$(if $(WHEELS),--no-index --find-links $(CURDIR)/wheels)'
	(cd "dist/stage/$$root" && "$$python" -m pip wheel -qq $$find_links --no-build-isolation -c constraints.txt \
	  -w wheels '.[test]' pip setuptools wheel)
	cd "dist/stage/$$root"
	rm -rf wheels/med_small_lm-*.whl build src/*.egg-info
	"$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' > wheels/python-version
	cd ..
	echo "Bundle 2/2: archive"
	tar -cf bundle.part "$$root"
	mv bundle.part "../../$$archive"
	cd ../..
	rm -rf dist/stage
	echo "$$archive: $$(du -h "$$archive" | cut -f1), for $$(uname -s) $$(uname -m) with Python $$($(PY) -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

clean: ## .venv, caches and archives; what runs made in data/ stays
	@rm -rf $(VENV) build dist .viz .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
	find src tests bench notebooks -name __pycache__ -type d -prune -exec rm -rf {} + 2> /dev/null || true
