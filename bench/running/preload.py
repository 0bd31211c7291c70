"""Imported once by the process that all others are forked from: what takes long is there, and shared."""

import gc
import importlib
import os

import threadpoolctl
from sklearn.dummy import DummyClassifier

from bench.cells.job import hardware, versions
from bench.cells.quiet import import_quietly
from bench.discovery import discover

MODULES, PLUGINS = "BENCH_PRELOAD", "BENCH_PLUGINS"

for module in ("pyarrow.parquet", "pandas.io.parquet", "sklearn.utils.validation"):
    importlib.import_module(module)
discover()
import_quietly(filter(None, os.environ.get(MODULES, "").split(",")))
versions(), hardware()
DummyClassifier().fit([[0], [1]], [0, 1])  # scikit-learn imports more at its first fit
pools = threadpoolctl.ThreadpoolController()  # looking for the libraries takes a while
gc.collect()
gc.freeze()  # a collection in a forked process then touches, and so copies, none of this
