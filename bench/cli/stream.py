"""``stream``: classify a recording, or what comes on standard input, with a saved model."""

from __future__ import annotations

from bench.cli.options import (
    DataRootOption,
    FormatOption,
    HopOption,
    ModelArgument,
    PluginsOption,
    RealTimeOption,
    ReplayOption,
    ScaleSubjectOption,
)
from bench.cli.terminal import add_plugins, warn

EXAMPLES = """
Examples, with a model of: python -m bench run --suite deap-arousal --save-models

python -m bench stream results/deap-arousal@simulated/subject-stratified/mlstm-fcn/seed-0 --replay 3/12

recorder | python -m bench stream CELL/model.keras --hop 1 --format jsonl

python -m bench stream CELL --format csv < recording.csv > classes.csv
"""


def stream(
    model: ModelArgument,
    replay: ReplayOption = None,
    real_time: RealTimeOption = False,
    hop: HopOption = None,
    subject: ScaleSubjectOption = None,
    format_: FormatOption = None,
    data_root: DataRootOption = None,
    plugins: PluginsOption = None,
) -> None:
    """Classify a recording, or what comes on standard input, window after window, with a saved model.

    Standard input has a sample a line: a value of each channel in the model's order, separated by commas or
    blanks; or a first line names the columns, in any order. Samples come at the rate of the recordings; if the
    model's suite resampled these, the same is done here, and the first lines say how much later a window comes
    for that. Each window's line appears as soon as its last sample is there: seconds from the first sample to
    the window's end, class, probability, milliseconds from the last sample to the class. The end of the input,
    or Ctrl-C, brings the summary. The first predictions compile the network; they are made before the first
    sample is read, and not counted.

    Exit status: 0, or 2 if the model, an option or a line of the input is at fault.
    """
    add_plugins(plugins)
    from bench.cli.window_lines import WindowLines
    from bench.live.stream import stream as classify

    classify(
        model,
        lambda about, hop_samples, replaying: WindowLines(format_, about, hop_samples, replaying=replaying),
        recording=replay,
        data_root=data_root,
        real_time=real_time,
        hop=hop,
        subject=subject,
        say=warn,
    )
