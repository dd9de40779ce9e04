# Two commands: `make chat` and `make test`. `make help` lists the others.

ARTICLES ?= corpus
ARCHIVE ?=
PORT ?= 7860
# On Linux the default PyTorch brings gigabytes of CUDA; TORCH=gpu asks for that one.
TORCH ?= cpu

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11 python,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
TORCH_VERSION := $(shell sed -n 's/^torch==//p' constraints.txt)
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt

export ARTICLES ARCHIVE

.PHONY: help chat test check browser constraints clean

help:
	@echo "make chat                    chat with the sample archive on http://127.0.0.1:$(PORT)"
	@echo "make chat ARTICLES=folder    the same with your own articles (.txt .md .html .jsonl)"
	@echo "make test                    check format, lint and types, and run all tests"
	@echo "make constraints             pin all versions afresh in constraints.txt"
	@echo "make clean                   remove .venv and caches (archives stay)"
	@echo "Options: PORT=7860  PYTHON=python3.12  TORCH=gpu (on Linux: PyTorch with CUDA)"

# The sample has its archive at ./archive; every other folder gets one by its name and a number for its path.
chat: .venv/installed
	@archive="$${ARCHIVE:-$$ONRECORD_ARCHIVE}"; \
	path=$$(cd "$$ARTICLES" 2>/dev/null && pwd || echo "$$ARTICLES"); \
	if [ -z "$$archive" ] && [ "$$path" = "$(CURDIR)/corpus" ]; then archive=archive; fi; \
	if [ -z "$$archive" ]; then \
		name=$$(basename "$$path" | tr -c 'A-Za-z0-9._\n' _); \
		archive="archives/$$name-$$(echo "$$path" | cksum | cut -d' ' -f1)"; \
	fi; \
	$(BIN)/onrecord index "$$ARTICLES" --archive "$$archive" || [ $$? -eq 3 ] || exit 2; \
	exec $(BIN)/onrecord chat --archive "$$archive" --port $(PORT)

test: .venv/installed-for-tests browser
	@echo "Checking format, lint and types"
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@echo "Running the tests"
	@$(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.venv/created:
	@[ -n "$(PYTHON)" ] || { echo "Onrecord needs Python 3.11 or newer. Install it, or name it: make chat PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "Creating .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@touch $@

# The CPU build is looked for where pip looks anyway, then in PyTorch's own index of CPU builds.
.venv/installed: pyproject.toml constraints.txt | .venv/created
	@if [ "$$(uname)" = Linux ] && [ "$(TORCH)" = cpu ] && ! $(BIN)/python -c 'import torch' 2>/dev/null; then \
		echo "Installing PyTorch $(TORCH_VERSION), CPU build"; \
		$(INSTALL) "torch==$(TORCH_VERSION)+cpu" 2>/dev/null || \
		$(INSTALL) --timeout 15 --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu "torch==$(TORCH_VERSION)+cpu" 2>/dev/null || \
		echo "No CPU build of PyTorch is at hand; the default one follows, which is large"; \
	fi
	@echo "Installing Onrecord and its libraries, a minute or two"
	@$(INSTALL) setuptools
	@$(INSTALL) --no-build-isolation --editable .
	@$(BIN)/python -m pip check >/dev/null || $(BIN)/python -m pip check >&2
	@touch $@

.venv/installed-for-tests: .venv/installed
	@echo "Installing what the tests need"
	@$(INSTALL) --no-build-isolation --editable ".[dev]"
	@touch $@

browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "Installing Chromium for the browser tests" && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium >/dev/null; \
	} || echo "There is no Chromium here; the browser tests will be skipped"

constraints: .venv/created
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade --quiet \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links --output-file constraints.txt
	@echo "constraints.txt pins $$(grep -c == constraints.txt) packages"

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
