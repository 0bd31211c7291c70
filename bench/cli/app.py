"""``python -m bench``: the commands, a file each. Heavy imports happen inside the command that needs them."""

from __future__ import annotations

import os
import sys

import typer

from bench.cli import (
    audit,
    canary,
    capsule,
    check,
    claim,
    compare,
    data,
    describe,
    list,
    new,
    run,
    stream,
    tables,
    verify,
    why,
)
from bench.errors import BenchError

app = typer.Typer(
    name="python -m bench",
    help="How well do MLSTM-FCN and other classifiers really recognise emotion from physiological signals?",
    epilog="Start with: python -m bench run --suite deap-arousal --profile smoke",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
)
# In the order of the help.
app.command(epilog=run.EXAMPLES)(run.run)
app.command(epilog=stream.EXAMPLES)(stream.stream)
app.command(epilog=audit.EXAMPLES)(audit.audit)
app.command(epilog=canary.EXAMPLES)(canary.canary)
app.command(epilog=tables.EXAMPLES)(tables.tables)
app.command(epilog=compare.EXAMPLES)(compare.compare)
app.command(epilog=claim.EXAMPLES)(claim.claim)
app.command(epilog=verify.EXAMPLES)(verify.verify)
app.command(epilog=why.EXAMPLES)(why.why)
app.command("list", epilog=list.EXAMPLES)(list.list_)
app.command(epilog=check.EXAMPLES)(check.check)
app.command(epilog=new.EXAMPLES)(new.new)
folders = typer.Typer(help="Describe recordings, and make some up.", no_args_is_help=True)
folders.command(epilog=describe.EXAMPLES)(describe.describe)
folders.command("simulate-deap", epilog=data.EXAMPLES)(data.simulate_deap)
app.add_typer(folders, name="data")
capsules = typer.Typer(help="Join files that hold a study's results.", no_args_is_help=True)
capsules.command(epilog=capsule.EXAMPLES)(capsule.merge)
capsules.callback()(lambda: None)  # so that its one command keeps its name
app.add_typer(capsules, name="capsule")


def main() -> None:
    """Run the command line; errors that a user can mend are one message and exit status 2."""
    # TensorFlow's start-up chatter says nothing that a user could act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app(prog_name="python -m bench")
    except BenchError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except OSError as error:
        sys.stderr.write(f"error: {error.filename or ''}: {error.strerror or error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
