"""my-dataset: say here what it is. `python -m bench check my-dataset` says what was read."""

import numpy as np
import pandas as pd

from bench.recordings import Recordings
from bench.registry import register_dataset


@register_dataset(
    "my-dataset",  # its name in suites and tables
    description="skin conductance and pulse, self-rated",
    licence="on which terms it may be used",
    where="where a copy comes from",
    needs_root=False,  # take this line out once it reads files: --data-root then has to name their folder
    # env="MY_DATASET_ROOT",  # a variable that names the folder where --data-root does not
    # files=lambda root: sorted(root.glob("*.csv")),  # what is read: it is read again once one of these has changed
)
def my_dataset(root, *, subjects=None):
    """Return the recordings in the folder `root`, a Path; `subjects` are those that a run asks for, or None for all."""
    # In place of this, read your files. Here are four people made up, with six trials each.
    rng = np.random.default_rng(0)
    signals, rows = [], []
    for subject in range(1, 5):
        if subjects is not None and subject not in subjects:
            continue
        for trial in range(1, 7):
            # A trial: float32 of shape (n_channels, n_samples). Trials may differ in length.
            signals.append(rng.standard_normal((2, 16 * 30)).astype(np.float32))
            arousal = 7.0 if (subject + trial) % 2 else 3.0
            rows.append((subject, trial, trial, trial, arousal))
    # A row a trial. `stimulus` is what was shown, `order` the trial's place in the session, if known; every other column
    # is a rating or a label, which a suite can take as its target.
    trials = pd.DataFrame(rows, columns=["subject", "trial", "stimulus", "order", "arousal"])
    return Recordings(
        "my-dataset",
        signals,
        channels=("EDA (uS)", "BVP"),
        sampling_rate=16.0,  # Hz, the same for all channels
        trials=trials,
        simulated=True,  # take this line out, too: all results say that they are on made-up recordings
    )
