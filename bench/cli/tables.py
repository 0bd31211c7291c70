"""``tables``: the tables and figures of stored results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.options import StoredOption, SuiteOption
from bench.cli.stored import stored
from bench.cli.terminal import make_console

if TYPE_CHECKING:
    from bench.cells.store import Store
    from bench.study.suite import Suite


EXAMPLES = "Example:\n\npython -m bench tables --suite deap-arousal"


def tables(suite: SuiteOption, results: StoredOption = None) -> None:
    """Rebuild all tables and figures from the stored predictions, or from a capsule alone; trains nothing."""
    for store, study in stored(suite, results):
        write_tables(store, study)


def write_tables(store: Store, suite: Suite) -> None:
    """Write the capsule, all tables and figures of a store, and print the leaderboard."""
    from bench.cli.leaderboard_table import print_leaderboard
    from bench.report.ablations_files import write_ablations
    from bench.report.comparisons import make_comparisons, tied_with_first
    from bench.report.comparisons_files import write_comparisons
    from bench.report.confusion import write_confusions
    from bench.report.leaderboard import make_leaderboard
    from bench.report.leaderboard_files import write_leaderboard
    from bench.report.leakage_files import write_leakage
    from bench.report.methods import write_methods
    from bench.report.people_file import write_people
    from bench.report.published import write_published
    from bench.report.sampling_rates_files import write_sampling_rates
    from bench.report.training import write_training

    capsule = store.write_capsule()
    board = make_leaderboard(store)
    pairs, standings = make_comparisons(store)
    write_leaderboard(board, store, tied_with_first(standings))
    write_confusions(board, store)
    others = [
        *write_comparisons(board, store, pairs, standings),
        *write_leakage(board, store),
        *write_ablations(board, store),
        *write_sampling_rates(board, store),
        *write_training(board, store),
        *write_published(board, suite, store),
        *write_methods(board, store),
        *write_people(board, store),
    ]
    terminal = make_console()
    print_leaderboard(board, terminal)
    more = "".join(f", {file.name}" for file in others if file.suffix == ".md")
    terminal.print(
        f"tables and figures: {store.folder}/leaderboard.md, .csv, .tex{more} and {store.folder}/confusion/",
        soft_wrap=True,
    )
    terminal.print(f"all that they follow from: {capsule}", soft_wrap=True)
