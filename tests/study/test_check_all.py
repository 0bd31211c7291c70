"""Every estimator of the project keeps the interface that a user's is checked by."""

from pathlib import Path

import pytest

from bench.registry import plugins
from bench.spec import parse_spec
from bench.study.check import check_estimator

OWN = Path(__file__).parents[2] / "estimators"
# Small enough to be quick, where the default would take minutes.
SMALL = {
    "mlstm-fcn": "mlstm-fcn[epochs=2]",
    "fcn": "fcn[epochs=2]",
    "gru": "gru[units=4,epochs=2]",
    "resnet": "resnet[blocks=1,epochs=1]",
    "inception-time": "inception-time[networks=1,depth=1,filters=4,epochs=1]",
    "lite-time": "lite-time[networks=1,filters=4,kernel_size=8,epochs=1]",
    "lstm-fcn": "lstm-fcn[n_epochs=2]",
    "rocket": "rocket[num_kernels=50]",
    "minirocket": "minirocket[num_kernels=168]",
    "multirocket": "multirocket[num_kernels=168]",
    "hydra": "hydra[num_groups=4]",
    "multirocket-hydra": "multirocket-hydra[num_groups=4]",
    "rdst": "rdst[max_shapelets=100]",
    "rstsf": "rstsf[n_estimators=10,n_intervals=2]",
}


def own(slow):
    names = [name for name, plugin in plugins("estimator").items() if OWN in plugin.source.parents]
    return [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                bool(plugins("estimator")[name].missing), reason=f"{name} needs what is not installed"
            ),
        )
        for name in names
        if (name in SMALL) == slow
    ]


def faults(name):
    spec = parse_spec(SMALL.get(name, name))
    return [f"{found.sentence}: {found.fault}" for found in check_estimator(spec) if found.fault]


@pytest.mark.parametrize("name", own(slow=False))
def test_it_keeps_the_interface(name):
    assert faults(name) == []


@pytest.mark.slow  # networks and what numba compiles
@pytest.mark.parametrize("name", own(slow=True))
def test_it_keeps_the_interface_with_little_training(name):
    assert faults(name) == []
