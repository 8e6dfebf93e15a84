"""``breedeval pedigree``: describe, check, inbreeding and relationships of a pedigree file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from breedeval.cli.output import table_options, write_table

if TYPE_CHECKING:
    from breedeval.pedigree.build import BuiltPedigree
    from breedeval.pedigree.table import PedigreeTable

Command = TypeVar("Command", bound=Callable[..., Any])

_MENDABLE = (
    "own_parent",
    "loop",
    "duplicate",
    "sex_conflict",
    "birth_order",
    "both_sexes",
    "suspicious_code",
    "all",
)
_COLUMNS = ("animal", "sire", "dam", "birth_year", "birth_date", "sex")

_READING = (
    click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    click.option(
        "--animal", metavar="COLUMN", help="Column of the animal: a name, or a number from 1 for a file without header."
    ),
    click.option("--sire", metavar="COLUMN", help="Column of the sire; 'none' if there is none."),
    click.option("--dam", metavar="COLUMN", help="Column of the dam; 'none' if there is none."),
    click.option("--birth-year", metavar="COLUMN", help="Column of the birth year."),
    click.option("--birth-date", metavar="COLUMN", help="Column of the birth date."),
    click.option("--sex", metavar="COLUMN", help="Column of the sex."),
    click.option("--unknown", metavar="CODE", multiple=True, help="A code that stands for an unknown parent; may be repeated."),
    click.option("--encoding", default="utf-8", show_default=True, help="Encoding of a text file."),
)
_MENDING = (
    click.option(
        "--mend",
        type=click.Choice(_MENDABLE),
        multiple=True,
        help="Set the parents concerned by this kind of problem to unknown, and list them; may be repeated.",
    ),
)


def _with_options(*groups: tuple[Callable[[Any], Any], ...]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


@click.group(epilog="Example: breedeval pedigree describe pedigrees/mrode_table_2_1.csv")
def pedigree() -> None:
    """Describe and check a pedigree file; inbreeding and relationships."""


@pedigree.command(epilog="Example: breedeval pedigree describe pedigrees/mrode_table_2_1.csv")
@_with_options(_READING, _MENDING)
@table_options
def describe(file: Path, mend: tuple[str, ...], form: str, output: Path | None, **reading: Any) -> None:
    """Count animals, parents, families, generations and inbreeding."""
    from breedeval.pedigree.describe import describe_pedigree
    from breedeval.relationship.inbreeding import compute_inbreeding

    built = _build(_read(file, reading), mend)
    frame = describe_pedigree(built.pedigree, compute_inbreeding(built.pedigree)).to_frame()
    if form == "table":
        frame["value"] = [f"{value:.4f}" if isinstance(value, float) else str(value) for value in frame["value"]]
    elif form == "parquet":
        frame["value"] = frame["value"].astype(float)  # a column has one type there
    write_table(frame, form, output)


@pedigree.command(epilog="Example: breedeval pedigree check herd.csv --birth-year born --sex sex")
@_with_options(_READING)
@table_options
@click.pass_context
def check(context: click.Context, /, file: Path, form: str, output: Path | None, **reading: Any) -> None:
    """Name everything that is wrong, one problem a row; exit status 1 if the file cannot be used as it is."""
    import pandas as pd

    from breedeval.errors import count_of
    from breedeval.pedigree.checks import find_problems

    table = _read(file, reading)
    problems = find_problems(table)
    rows = [
        (
            problem.kind.label,
            problem.kind.severity,
            " ".join(problem.animals),
            " ".join(str(table.source.line_of_row(row)) for row in problem.rows),
            problem.message,
        )
        for problem in problems
    ]
    for note in table.notes:
        click.echo(note, err=True)
    for unknown in table.unknown_forms:
        click.echo(
            f"Unknown parents in column '{unknown.column}': '{unknown.form}' {count_of(unknown.count, 'time')}.", err=True
        )
    if problems or form != "table":
        write_table(pd.DataFrame(rows, columns=["kind", "severity", "animals", "lines", "message"]), form, output)
    n_fatal = sum(problem.kind.fatal for problem in problems)
    n_rest = len(problems) - n_fatal
    click.echo(
        f"{file}: {count_of(table.n_rows, 'row')}, {count_of(n_fatal, 'error')}, {count_of(n_rest, 'warning')}.", err=True
    )
    context.exit(1 if n_fatal else 0)


@pedigree.command(epilog="Example: breedeval pedigree inbreeding pedigrees/mrode_table_2_1.csv --format csv -o inbreeding.csv")
@_with_options(_READING, _MENDING)
@table_options
@click.option("--min", "minimum", type=float, default=None, help="Only animals with at least this inbreeding.")
def inbreeding(
    file: Path, mend: tuple[str, ...], form: str, output: Path | None, minimum: float | None, **reading: Any
) -> None:
    """Inbreeding coefficient of every animal, in the order of the file; parents that were added come last."""
    import numpy as np
    import pandas as pd

    from breedeval.relationship.inbreeding import compute_inbreeding

    table = _read(file, reading)
    built = _build(table, mend)
    coefficients = compute_inbreeding(built.pedigree).coefficients
    in_file = built.pedigree.ids.find(table.names.take(table.animal[table.animal >= 0]))
    everyone = np.concatenate([in_file, np.arange(built.pedigree.n_animals, dtype=np.int32)])
    rows = everyone[np.sort(np.unique(everyone, return_index=True)[1])]
    if minimum is not None:
        rows = rows[coefficients[rows] >= minimum]
    frame = pd.DataFrame({"animal": built.pedigree.ids.take(rows).to_list(), "inbreeding": coefficients[rows]})
    write_table(frame, form, output)


@pedigree.command(epilog="Example: breedeval pedigree relationship pedigrees/mrode_table_2_1.csv 3 6  5 6")
@_with_options(_READING[:1])
@click.argument("animals", nargs=-1, required=True, metavar="A B [A B ...]")
@_with_options(_READING[1:], _MENDING)
@table_options
def relationship(
    file: Path, animals: tuple[str, ...], mend: tuple[str, ...], form: str, output: Path | None, **reading: Any
) -> None:
    """Additive relationship of pairs of animals; that of an animal with itself is 1 + its inbreeding."""
    import pandas as pd

    from breedeval.relationship.inbreeding import compute_inbreeding
    from breedeval.relationship.numerator import Numerator

    if len(animals) % 2:
        raise click.UsageError(f"Animals are given in pairs; there are {len(animals)}.")
    built = _build(_read(file, reading), mend)
    first, second = animals[::2], animals[1::2]
    numerator = Numerator(built.pedigree, compute_inbreeding(built.pedigree))
    rows = [[built.pedigree.row_of(name) for name in side] for side in (first, second)]
    frame = pd.DataFrame({"animal": first, "other": second, "relationship": numerator.relationships(*rows)})
    write_table(frame, form, output)


def _read(file: Path, reading: dict[str, Any]) -> PedigreeTable:
    from breedeval.io.pedigree_file import read_pedigree_table

    columns = {name: _column(reading[name]) for name in _COLUMNS}
    return read_pedigree_table(file, **columns, unknown=list(reading["unknown"]) or None, encoding=reading["encoding"])


def _column(text: str | None) -> str | int | bool | None:
    if text == "none":
        return False
    return int(text) if text is not None and text.isdigit() else text


def _build(table: PedigreeTable, mend: tuple[str, ...]) -> BuiltPedigree:
    from breedeval.pedigree.build import build_pedigree

    built = build_pedigree(table, mend)
    for line in built.report.lines():
        click.echo(line, err=True)
    return built
