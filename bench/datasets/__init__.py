"""Data set plugins: the project's ``datasets/`` folder and the users' plugin folders, as one package."""

from bench.discovery import plugin_path

__path__ = plugin_path("datasets", __path__)
