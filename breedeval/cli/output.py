"""How commands write tables: to standard output, or to a file, whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_FORMS = ("table", "csv", "json", "parquet")

#: The option ``--format`` of what prints a table and writes no file.
FORMAT = click.option(
    "--format", "form", type=click.Choice(_FORMS), default="table", show_default=True, help="Form of the table."
)


def table_options(command: Command) -> Command:
    """Add ``--format`` and ``-o`` to a command that makes a table: without the first, a file has the form of its ending."""

    @wraps(command)
    def with_form(*args: Any, form: str | None, output: Path | None, **others: Any) -> Any:
        return command(*args, form=form or _form_of(output), output=output, **others)

    options = (
        click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the table to this file."),
        click.option(
            "--format",
            "form",
            type=click.Choice(_FORMS),
            help="Form of the table; by default what the ending of the file says (.csv, .json, .parquet), else table.",
        ),
    )
    for option in options:
        with_form = option(with_form)
    return cast("Command", with_form)


def _form_of(output: Path | None) -> str:
    ending = "" if output is None else output.suffix.lower().removeprefix(".")
    return ending if ending in _FORMS else "table"


def write_table(frame: Any, form: str, output: Path | None) -> None:
    """Write a table in one of the forms; Parquet goes to a file, or to a pipe."""
    from breedeval.report.tables import render_table
    from breedeval.results.atomic import check_writable, written_whole

    _refuse_input(output)
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for the screen. Name a file with -o.")
    data = render_table(frame, form)  # type: ignore[arg-type]
    if output is None:
        click.echo(data, nl=False)
        return
    check_writable(output, len(data))
    with written_whole(output) as temporary:
        temporary.write_bytes(data)


def _refuse_input(output: Path | None) -> None:
    """Refuse to write a table over the file that the command reads."""
    read = [value for name, value in click.get_current_context().params.items() if isinstance(value, Path) and name != "output"]
    if output is not None and output.resolve() in [path.resolve() for path in read]:
        raise click.UsageError(f"{output} is the file that is read. Give the table another name.")
