"""Estimator plugins: the project's ``estimators/`` folder and the users' plugin folders, as one package."""

from bench.discovery import plugin_path

__path__ = plugin_path("estimators", __path__)
