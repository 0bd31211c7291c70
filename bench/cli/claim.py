"""``claim``: a sentence about two estimators, checked against stored results."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options import StoredOption
from bench.cli.stored import stored

EXAMPLES = """
Examples:

python -m bench claim "moments-forest > floor on hku956-arousal"

python -m bench claim "mlstm-fcn+ros > mlstm-fcn on hku956-arousal under subject-blocked"

python -m bench claim "rocket = minirocket on uea-baselines"
"""

_STATUS = {"supported": 0, "contradicted": 1, "cannot tell": 2}


def claim(
    sentence: Annotated[
        str,
        typer.Argument(
            help="ESTIMATOR > ESTIMATOR on SUITE [under PROTOCOL], also with < or =; 'floor' is the best without a signal.",
            metavar="CLAIM",
        ),
    ],
    results: StoredOption = None,
) -> None:
    """Check a claim: verdict, effect with interval, evidence. Without a protocol it is about every clean one.

    Exit status: 0 supported, 1 contradicted, 2 nobody can tell from these results, or the claim cannot be read.
    """
    from bench.report.claims import check_claim, in_words, read_claim

    read = read_claim(sentence)
    store, _ = stored(read.suite, results)[0]
    verdict, evidence = check_claim(read, store)
    typer.echo(f"{verdict}: {sentence}")
    for line in in_words(evidence):
        typer.echo(line)
    simulated = ", SIMULATED recordings" if next(store.cells()).result["suite"]["simulated"] else ""
    typer.echo(f"evidence: {store.folder}{simulated}")
    raise typer.Exit(_STATUS[verdict])
