# Each target sets itself up in .venv (bootstrap.py) and then calls a real tool.
#   make demo | test | test-all | lab | notebooks | grade | bench
#   Variables: PYTHON=python3.12   TORCH=auto|cpu|cuda|URL   ASSIGNMENT=02_hello_rnn   OUT=runs/demo

.DEFAULT_GOAL := help
export PYTHON TORCH
OUT        ?= runs/demo
ASSIGNMENT ?= 02_hello_rnn
BIN        := .venv/bin
PY         := $(BIN)/python
PYTEST     := $(PY) -m pytest -n auto --maxprocesses 4 --dist loadgroup

.PHONY: help setup demo test test-all lab notebooks grade bench

help:
	@sed -n 's/^# *//p' Makefile | head -3

setup:
	@python3 bootstrap.py

demo: setup
	$(PY) -m cs_caption demo --out $(OUT)
	$(PY) -m autograder demo --out $(OUT)/grading
	@echo "Done. The page: $(OUT)/index.html  The figures: $(OUT)/results.json  The grades: $(OUT)/grading"
	@echo "Try it: $(PY) -m cs_caption caption PICTURE.png"

test: setup
	$(PY) -m ruff check .
	$(PYTEST)

test-all: setup
	$(PY) -m ruff check .
	$(PYTEST) --full
	$(PY) -m autograder cost

lab: setup
	$(BIN)/jupyter lab --notebook-dir notebooks

notebooks: setup
	$(PY) -m autograder release

grade: setup
	$(PY) -m autograder grade --assignment $(ASSIGNMENT)

bench: setup
	$(PY) -m benchmarks
