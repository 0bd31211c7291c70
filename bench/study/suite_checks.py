"""The estimators and protocols that a suite names, checked against what is registered."""

from __future__ import annotations

import inspect
from typing import Any

from bench.cells.making import HARNESS
from bench.errors import SuiteError, nearest
from bench.registry import Plugin, get, plugins
from bench.spec import Spec, check_parameters, parse_spec
from bench.study.suite import Suite


def check_estimators(suite: Suite) -> list[Spec]:
    """Return the suite's estimators, each once; an error if one is unknown or has not such a parameter."""
    specs = [parse_spec(text) for text in suite.estimators]
    for spec in specs:
        plugin = get("estimator", spec.name)
        check_parameters(plugin, spec.parameters, HARNESS, f"estimator '{spec}'")
        if spec.resampler:
            get("resampler", spec.resampler)
            if plugin.signal_free:
                raise SuiteError(
                    f"estimator '{spec}': {spec.name} sees no windows, so there are none to balance"
                )
    for name, parameters in suite.parameters.items():
        if name not in plugins("estimator"):
            raise SuiteError(
                f"suite '{suite.name}': key 'parameters.{name}': no estimator of that name"
                f"{nearest(name, plugins('estimator'))}"
            )
        check_parameters(
            plugins("estimator")[name], parameters, HARNESS, f"suite '{suite.name}': parameters.{name}"
        )
    return list({str(spec): spec for spec in specs}.values())


def installed_estimators(suite: Suite) -> tuple[Suite, list[str]]:
    """Return the suite less the estimators whose packages are missing, and a sentence on each of these.

    Of a suite that would have none left, all are kept: `check_estimators` says what to install.
    """
    missing = {}
    for text in suite.estimators:
        plugin = plugins("estimator").get(parse_spec(text).name)
        if plugin is not None and plugin.missing:
            missing[text] = plugin
    left = [text for text in suite.estimators if text not in missing]
    if not left or not missing:
        return suite, []
    notices = [f"estimator '{text}' is left out: it {plugin.needs}" for text, plugin in missing.items()]
    return suite.model_copy(update={"estimators": left}), notices


def signal_free_estimators(suite: Suite) -> list[Spec]:
    """Return all estimators without signals: they run with every suite, and the best of them is the floor."""
    names = [
        name for name, plugin in plugins("estimator").items() if plugin.signal_free and not plugin.missing
    ]
    return check_estimators(suite.model_copy(update={"estimators": names}))


def check_protocols(suite: Suite) -> list[Spec]:
    """Return the suite's protocols, each once; an error if one is unknown or has not such a parameter."""
    specs = [parse_spec(text) for text in suite.protocols]
    for spec in specs:
        plugin = get("protocol", spec.name)
        check_parameters(plugin, spec.parameters, ("seed",), f"protocol '{spec}'")
        if spec.resampler:
            raise SuiteError(
                f"protocol '{spec}': resamplers belong to estimators: mlstm-fcn+{spec.resampler}"
            )
    return list({str(spec): spec for spec in specs}.values())


def all_parameters(suite: Suite, spec: Spec, plugin: Plugin) -> dict[str, Any]:
    """Return what an estimator is called with: defaults, the suite's and the spec's; an error if one lacks."""
    parameters = {**plugin.parameters(HARNESS), **suite.parameters.get(spec.name, {}), **spec.parameters}
    for name, value in parameters.items():
        if value is inspect.Parameter.empty:
            raise SuiteError(f"estimator '{spec}' needs its parameter '{name}': {spec.name}[{name}=...]")
    return parameters
