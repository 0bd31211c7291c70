"""Registration of plugins: estimators, data sets, protocols and resamplers.

A plugin is a function with a decorator in a file, or a folder, of its own; `bench.discovery` finds it.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bench.discovery import broken, code_digest, discover
from bench.errors import PluginError, nearest

__all__ = ["Plugin", "register_dataset", "register_estimator", "register_protocol", "register_resampler"]

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_COST = re.compile(r"(\d+(?:\.\d+)?) (s|min|h)")
SIGNAL_FREE = "signal-free"
IDS = ("subject", "trial", "stimulus", "order")  # that an estimator without signals may be given

_Factory = TypeVar("_Factory", bound=Callable[..., Any])  # what is decorated keeps its type


@dataclass(frozen=True)
class Plugin:
    """One registered function and what is known of it without calling it."""

    kind: str
    name: str
    factory: Callable[..., Any]
    about: dict[str, Any] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    install: str = ""

    @property
    def source(self) -> Path:
        """The file that defines the factory."""
        return Path(inspect.getsourcefile(self.factory) or inspect.getfile(self.factory))

    @property
    def source_digest(self) -> str:
        """SHA-256 of the plugin's code; a stored result, or cached recordings, are reused only while it is the same.

        As `discovery.code_digest` takes it of the file that defines the factory.
        """
        return code_digest(self.source)

    @property
    def summary(self) -> str:
        """The first line of the factory's docstring."""
        return (inspect.getdoc(self.factory) or "").split("\n", 1)[0]

    @property
    def missing(self) -> list[str]:
        """Modules that the plugin needs and that are not installed."""
        return [module for module in self.requires if importlib.util.find_spec(module.split(".")[0]) is None]

    @property
    def needs(self) -> str:
        """What is to be said of `missing` modules, and the command that installs them."""
        how = self.install or f"pip install {' '.join(self.missing)}"
        return f"needs {', '.join(self.missing)}, not installed here: {how}"

    @property
    def signal_free(self) -> bool:
        """Whether it is an estimator that is given ids in place of windows."""
        return bool(self.about.get("family") == SIGNAL_FREE)

    @property
    def cost_seconds(self) -> float | None:
        """Seconds of an estimator's ``cost``; None where it states none."""
        stated = _COST.fullmatch(self.about.get("cost", ""))
        return float(stated[1]) * {"s": 1, "min": 60, "h": 3600}[stated[2]] if stated else None

    def parameters(self, reserved: Iterable[str] = ()) -> dict[str, Any]:
        """Return the factory's parameters and their defaults, less the `reserved` ones.

        The default of a parameter that has none is ``inspect.Parameter.empty``.
        """
        return {
            name: parameter.default
            for name, parameter in inspect.signature(self.factory).parameters.items()
            if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            and name not in set(reserved)
        }


_registered: dict[str, dict[str, Plugin]] = {k: {} for k in ("estimator", "dataset", "protocol", "resampler")}


def _register(
    kind: str, name: str, about: dict[str, Any], requires: Sequence[str], install: str
) -> Callable[[_Factory], _Factory]:
    if not _NAME.fullmatch(name):
        raise PluginError(f"{kind} name {name!r}: use lower-case letters, digits, '-' and '.'")

    def decorate(factory: _Factory) -> _Factory:
        plugin = Plugin(kind, name, factory, about, tuple(requires), install)
        other = _registered[kind].get(name)
        if other is not None and other.source != plugin.source:
            raise PluginError(f"two {kind} plugins are called '{name}': {other.source} and {plugin.source}")
        _registered[kind][name] = plugin
        return factory

    return decorate


def register_estimator(
    name: str,
    *,
    family: str,
    requires: Sequence[str] = (),
    install: str = "",
    compiled: bool = False,
    unequal_length: bool = False,
    most_probable: bool = False,
    level_blind: bool = False,
    ids: Sequence[str] = (),
    cpus: int = 1,
    gpus: float = 0,
    memory: str = "",
    cost: str = "",
) -> Callable[[_Factory], _Factory]:
    """Register a function that makes a classifier.

    The function is called with keyword arguments. ``random_state``, ``n_jobs``, ``log_dir`` (a folder for
    what it wants to write while it is fitted), ``channels`` (tuple of str, their names) and ``sampling_rate`` (Hz; 1.0
    without a clock) are given by the harness to a function that has them; the others are set in specs such as ``rocket[num_kernels=500]``.
    It returns an object with ``fit(X, y)`` and ``predict(X)``, and ``predict_proba(X)`` and
    ``classes_`` if it can, for `X` of shape (n_windows, n_channels, n_timepoints), float32, and `y`
    of str. What it has of ``history_`` (dict of str to list of float, a value an epoch), ``best_epoch_`` (int,
    from 0) and ``training_scores_`` (dict of str to float, of the training windows as it predicts them) is
    kept with the result. A ``fit`` that has a parameter ``groups`` is given a number for each window's person or trial,
    or -1 for a window that a resampler mixed from several. A registered class with ``save(path, about)`` and a
    class method ``load(path)`` can be kept by ``run --save-models`` and used by ``stream``.

    Parameters
    ----------
    name : str
        As in specs and tables; lower case.
    family : str
        The kind of method, e.g. ``"convolution"``, ``"distance"``, ``"deep"``. An estimator of the family
        ``"signal-free"`` is given the table of `ids` in place of windows, runs with every suite, and is one of
        those of which the best is the floor.
    requires : sequence of str
        Modules that must be installed; otherwise the estimator is listed as unavailable. They are
        imported before the clock starts.
    install : str
        The command that installs them, e.g. ``"pip install 'mlstm-bench[aeon]'"``.
    compiled : bool, default False
        Whether a first call compiles code (numba). It is then rehearsed once, untimed, on a handful
        of windows, so that no cell's seconds contain a compiler.
    unequal_length : bool, default False
        Whether it is given windows that are shorter than others with NaN after their end. Otherwise
        these are filled up with 0.
    most_probable : bool, default False
        Whether ``predict`` gives the class of highest ``predict_proba``, the first of equal ones. The harness
        then asks for probabilities only, in place of predicting twice.
    level_blind : bool, default False
        Whether adding a constant to a channel of a window changes nothing that it sees; tables of leaks say so.
    ids : sequence of str
        What a signal-free estimator sees of each window, columns of a DataFrame: of ``subject``, ``trial``,
        ``stimulus`` and ``order``. It is left out where the data set does not know them.
    cpus, gpus : int, float
        What a cell is given on a cluster; on one machine cells share what there is.
    memory : str, default ""
        What a cell needs on a cluster, e.g. ``"4GB"``; ``""``: not known.
    cost : str, default ""
        What a full split of DEAP (17,920 training and 7,680 test windows of 4 x 640) takes on two cores with the
        default parameters, e.g. ``"40 s"``, ``"2 min"``, ``"26 h"``; ``list`` shows it. ``""``: not known.
    """
    if cost and not _COST.fullmatch(cost):
        raise PluginError(f"estimator '{name}': give a cost such as '40 s', '2 min' or '26 h', not {cost!r}")
    if ids and family != SIGNAL_FREE:
        raise PluginError(f"estimator '{name}': only the family '{SIGNAL_FREE}' is given ids, not '{family}'")
    for column in ids:
        if column not in IDS:
            raise PluginError(
                f"estimator '{name}': ids are of {', '.join(IDS)}, not '{column}'{nearest(column, IDS)}"
            )
    about = {
        "family": family,
        "compiled": compiled,
        "unequal_length": unequal_length,
        "most_probable": most_probable,
        "level_blind": level_blind,
        "ids": tuple(ids),
        "cpus": cpus,
        "gpus": gpus,
        "memory": memory,
        "cost": cost,
    }
    return _register("estimator", name, about, requires, install)


def register_dataset(
    name: str,
    *,
    description: str,
    licence: str,
    where: str,
    env: str = "",
    fallback: str = "",
    files: Callable[[Path], Iterable[Path]] | None = None,
    variants: Callable[[Path | None], dict[str, Sequence[Any]]] | None = None,
    needs_root: bool = True,
    cache: bool = True,
    requires: Sequence[str] = (),
    install: str = "",
) -> Callable[[_Factory], _Factory]:
    """Register a function ``(root, *, subjects=None, ...) -> Recordings``.

    Parameters
    ----------
    name : str
        As in suites and tables; lower case.
    description, licence, where : str
        What it is, on which terms, and where a copy comes from.
    env : str
        Environment variable that names the folder when ``--data-root`` does not.
    fallback : str
        Data set to use where no folder is given; the program says that it does.
    files : callable, optional
        ``files(root)`` gives the files that are read: a cached reading is used while their names,
        sizes and times of modification are the same.
    variants : callable, optional
        ``variants(root)`` gives ``{parameter: values}``: a spec that does not set the parameter stands
        for one data set a value.
    needs_root : bool, default True
        Whether a folder is needed at all.
    cache : bool, default True
        Whether the recordings, once read or made, are kept in the cache folder.
    """
    about = {
        "description": description,
        "licence": licence,
        "where": where,
        "env": env,
        "fallback": fallback,
        "files": files,
        "variants": variants,
        "needs_root": needs_root,
        "cache": cache,
    }
    return _register("dataset", name, about, requires, install)


def register_protocol(name: str, *, promises: str) -> Callable[[_Factory], _Factory]:
    """Register a splitter class ``(seed) -> .split(windows, y)``; `promises` is ``clean``, ``leaks`` or ``nothing``.

    A split that leaks under a protocol that promises ``clean`` is an error; where it promises ``nothing`` it is shown
    as what it is.
    """
    if promises not in ("clean", "leaks", "nothing"):
        raise PluginError(f"protocol '{name}': promises is 'clean', 'leaks' or 'nothing', not {promises!r}")
    return _register("protocol", name, {"promises": promises}, (), "")


def register_resampler(name: str, *, weighs: bool = False) -> Callable[[_Factory], _Factory]:
    """Register a function ``(random_state) -> imbalanced-learn sampler``.

    The sampler repeats windows or mixes neighbours linearly. With `weighs` the function is instead
    ``(y) -> weights of shape (n_windows,)``, handed to the estimator's ``fit`` as ``sample_weight``.
    """
    return _register("resampler", name, {"weighs": weighs}, (), "")


def plugins(kind: str) -> dict[str, Plugin]:
    """Return all plugins of one kind (``estimator``, ``dataset``, ``protocol``, ``resampler``) by name."""
    discover()
    return dict(sorted(_registered[kind].items()))


def get(kind: str, name: str) -> Plugin:
    """Return one plugin.

    Raises
    ------
    PluginError
        If there is none of that name (with the nearest one) or a package that it needs is missing.
    """
    known = plugins(kind)
    if name not in known:
        faults = "".join(f"\n  {where} could not be imported: {why}" for where, why in broken().items())
        raise PluginError(f"no {kind} is called '{name}'{nearest(name, known)}{faults}")
    plugin = known[name]
    if plugin.missing:
        raise PluginError(f"{kind} '{name}' {plugin.needs}")
    return plugin
