"""What the commands of ``breedeval pedigree`` share: how a pedigree file is named, read and mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from breedeval.pedigree.build import BuiltPedigree
    from breedeval.pedigree.pedigree import Pedigree
    from breedeval.pedigree.table import PedigreeTable
    from breedeval.relationship.inbreeding import Inbreeding

Command = TypeVar("Command", bound=Callable[..., Any])
Options = tuple[Callable[[Any], Any], ...]

_MENDABLE = (
    "own_parent",
    "loop",
    "duplicate",
    "sex_conflict",
    "birth_order",
    "birth_year",
    "both_sexes",
    "suspicious_code",
    "all",
)
_COLUMNS = ("animal", "sire", "dam", "birth_year", "birth_date", "sex")

#: A number of years, generations or names.
COUNT = click.IntRange(min=1)

FILE: Options = (click.argument("file", type=click.Path(path_type=Path)),)
READING: Options = (
    click.option(
        "--animal", metavar="COLUMN", help="Column of the animal: a name, or a number from 1 for a file without header."
    ),
    click.option("--sire", metavar="COLUMN", help="Column of the sire; 'none' if there is none."),
    click.option("--dam", metavar="COLUMN", help="Column of the dam; 'none' if there is none."),
    click.option("--birth-year", metavar="COLUMN", help="Column of the birth year; 'none' if a column looks like one."),
    click.option("--birth-date", metavar="COLUMN", help="Column of the birth date; 'none' in the same way."),
    click.option("--sex", metavar="COLUMN", help="Column of the sex; 'none' in the same way."),
    click.option("--unknown", metavar="CODE", multiple=True, help="A code that stands for an unknown parent; may be repeated."),
    click.option("--encoding", default="utf-8", show_default=True, help="Encoding of a text file."),
)
MENDING: Options = (
    click.option(
        "--mend",
        type=click.Choice(_MENDABLE),
        multiple=True,
        help="Set the parents (birth_year: the birth years) concerned by this kind of problem to unknown, and list them; may "
        "be repeated.",
    ),
)
REFERENCE: Options = (
    click.option(
        "--reference",
        type=click.Choice(["auto", "last_years", "no_progeny", "all"]),
        default="auto",
        show_default=True,
        help="The animals the numbers are about; auto: the last birth year, or those without progeny if no year is known.",
    ),
    click.option(
        "--years", type=COUNT, default=1, show_default=True, help="Birth years in the reference population last_years."
    ),
)
WIDTH: Options = (click.option("--width", type=COUNT, default=1, show_default=True, help="Birth years in a class."),)


def with_options(*groups: Options) -> Callable[[Command], Command]:
    """Add groups of arguments and options to a command, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


def read_table(file: Path, reading: dict[str, Any]) -> PedigreeTable:
    """Read a file by the options `READING`."""
    from breedeval.io.pedigree_file import read_pedigree_table

    return read_pedigree_table(
        file, **column_choices(reading), unknown=list(reading["unknown"]) or None, encoding=reading["encoding"]
    )


def column_choices(reading: dict[str, Any]) -> dict[str, Any]:
    """The columns of a pedigree file by the options `READING`: names, numbers, False for none, None to be recognized."""
    return {name: column_of(reading[name]) for name in _COLUMNS}


def build(table: PedigreeTable, mend: tuple[str, ...]) -> BuiltPedigree:
    """Build a pedigree, and say on standard error what was found."""
    from breedeval.pedigree.build import build_pedigree

    built = build_pedigree(table, mend)
    for line in built.report.lines():
        click.echo(line, err=True)
    return built


def read_and_build(file: Path, mend: tuple[str, ...], reading: dict[str, Any]) -> Pedigree:
    """Read and build in one go."""
    return build(read_table(file, reading), mend).pedigree


def read_with_inbreeding(file: Path, mend: tuple[str, ...], reading: dict[str, Any]) -> tuple[Pedigree, Inbreeding]:
    """Read, build, and compute inbreeding."""
    from breedeval.relationship.inbreeding import compute_inbreeding

    pedigree = read_and_build(file, mend, reading)
    return pedigree, compute_inbreeding(pedigree)


def say_without_years(pedigree: Pedigree) -> None:
    """Warn of tables by birth year that say little without one."""
    from breedeval.pedigree.table import YEAR_UNKNOWN

    if (pedigree.birth_year == YEAR_UNKNOWN).all():
        click.echo("Warning: no birth year is known. Name its column with --birth-year or --birth-date.", err=True)


def warn_of_idle(**options: tuple[bool, str]) -> None:
    """Warn of options that were given and change nothing: for each whether it does something here, and what it is for."""
    context = click.get_current_context()
    for name, (works, purpose) in options.items():
        if not works and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            click.echo(f"Warning: --{name} changes nothing here: it is for {purpose}.", err=True)


def warn_of_idle_years(reference: str) -> None:
    """Warn of a number of birth years for a reference population without birth years."""
    warn_of_idle(years=(reference in ("auto", "last_years"), "--reference last_years"))


def ids_from(listed: tuple[str, ...], file: Path | None) -> list[str]:
    """Names of animals from options and from a text file with one a line."""
    from_file = [] if file is None else [line.strip() for line in _text_of(file).splitlines()]
    ids = [*listed, *(line for line in from_file if line)]
    if not ids:
        raise click.UsageError("No animal is named. Give ids with --id, or a file with one id a line with --ids.")
    return ids


@contextmanager
def naming_lines(file: Path | None) -> Iterator[None]:
    """Say in which lines of a file the animals stand that are not there."""
    from breedeval.errors import UnknownNameError
    from breedeval.source import Source

    try:
        yield
    except UnknownNameError as error:
        absent = error.facts.get("names", [error.facts["name"]])
        lines = [] if file is None else _text_of(file).splitlines()
        rows = [row for row, line in enumerate(lines) if line.strip() in absent]
        if not rows:
            raise
        where = Source(str(file), unit="line").where(rows).strip("()")
        raise UnknownNameError(f"{error} Asked for in {where}.", **error.facts) from error


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{file} is not UTF-8 (byte {error.object[error.start]:#x}). Save it as UTF-8, with one id a line."
        raise click.BadParameter(message, param_hint="--ids") from error


def column_of(text: str | None) -> str | int | bool | None:
    """A column as it is written: a name, a number from 1, False for ``none``; None if nothing is written."""
    if text == "none":
        return False
    return int(text) if text is not None and text.isdigit() else text
