.PHONY: test slow lint types smoke

test:  ## what a change can break
	python -m pytest

slow:  ## Ray clusters, kill tests, long fits
	python -m pytest -m slow

lint:
	ruff check .
	ruff format --check .

types:
	mypy

smoke:  ## a whole run on simulated recordings
	python -m bench run --suite deap-arousal --profile smoke --results build/smoke
