"""The command ``breedeval``: finds the subcommand, and turns errors into messages and an exit status.

Exit status 0 done, 1 the run failed with a message, 2 wrong usage, 128 and the number of a signal that ended the run. Commands
are imported when they are called, so that ``--help`` imports click and nothing else.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from importlib import import_module
from typing import Any

import click

from breedeval.errors import BreedevalError, InterruptedRunError
from breedeval.version import __version__

#: Command, its module below ``breedeval.cli``, and what --help says of it.
COMMANDS = {
    "check": ("check", "Read everything, name every problem, predict memory; solve nothing."),
    "evaluate": ("evaluate", "The main job: breeding values into one HDF5 file."),
    "estimate": ("estimate", "Variance components, with standard errors, into one HDF5 file."),
    "rank": ("rank", "Ranking list from a results file."),
    "show": ("show", "A run in one screen, or animals with parents, records and EBVs."),
    "pedigree": ("pedigree", "Describe and check a pedigree; inbreeding, relationships."),
    "simulate": ("simulate", "Populations with known breeding values."),
    "schema": ("schema", "Print the JSON schema of the configuration, for editors."),
    "warmup": ("warmup", "Compile every loop once, so that later runs start at once."),
}

EPILOG = """\b
Example, in the folder of the project:
  breedeval evaluate configs/herd_book.yaml -o herd_book.h5
  breedeval rank herd_book.h5 --sex M --top 10
"""


class LazyGroup(click.Group):
    """Imports a command when it is called; lists them all without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"breedeval.cli.{module}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest commands for one that is not there."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="breedeval")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(ctx: click.Context, debug: bool) -> None:
    """Genetic evaluation: from a pedigree and records to ranked breeding values."""
    ctx.obj = {"debug": debug}


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    _start_fast()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        status: Any = main.main(arguments, prog_name="breedeval", standalone_mode=False)
    except click.exceptions.Exit as done:
        status = done.exit_code
    except click.Abort:
        status = _say("Stopped. Nothing was written.", 130)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except KeyboardInterrupt:
        status = _say("Stopped. Nothing was written.", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except InterruptedRunError as error:
        status = _say(f"Stopped. {error}", 128 + error.facts["signal"])
    except Exception as error:
        if debug:
            raise
        status = _say(_message(error), 1)
    sys.exit(status if isinstance(status, int) else 0)


def _stop(number: int, _: object) -> None:
    """Leave as after Ctrl-C, so that an unfinished file is removed when a scheduler ends the run."""
    sys.exit(128 + number)


def _start_fast() -> None:
    # Imports make a million objects that stay: to look through them for garbage again and again takes a fifth of the time
    # of a short command.
    gc.set_threshold(100_000, *gc.get_threshold()[1:])
    # pydantic would read the metadata of every installed package in search of plugins; none is wanted.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def _message(error: Exception) -> str:
    if isinstance(error, BreedevalError):
        return f"Error: {error}"
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"Error: {place}{error.strerror or error}. Is the disk full? May you read and write there?"
    if isinstance(error, MemoryError):
        return f"Error: not enough memory. {error} 'breedeval check' predicts what a run needs."
    return (
        f"Error: {type(error).__name__}: {error}\n"
        "This is not a message that breedeval means you to see. Run again with --debug and report what it prints."
    )


def _say(text: str, status: int) -> int:
    click.echo(text, err=True)
    return status
