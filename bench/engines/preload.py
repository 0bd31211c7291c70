"""Imported once by the process that all others are forked from: what takes long is there, and shared."""

import gc
import importlib
import os

from bench.quiet import import_quietly
from bench.registry import discover

MODULES = "BENCH_PRELOAD"

for module in ("bench.job", "pyarrow.parquet", "sklearn.utils.validation", "threadpoolctl"):
    importlib.import_module(module)
discover()
import_quietly(filter(None, os.environ.get(MODULES, "").split(",")))
gc.collect()
gc.freeze()  # a collection in a forked process then touches, and so copies, none of this
