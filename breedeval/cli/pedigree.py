"""``breedeval pedigree``: describe, check, inbreeding and relationships of a pedigree file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from breedeval.cli import pedigree_structure, pedigree_subset
from breedeval.cli.output import table_options, write_table
from breedeval.cli.pedigree_input import FILE, MENDING, READING, build, read_table, with_options


@click.group(epilog="Example: breedeval pedigree describe pedigrees/mrode_table_2_1.csv")
def pedigree() -> None:
    """Describe, check and divide a pedigree file; inbreeding and relationships."""


for _command in (*pedigree_structure.COMMANDS, *pedigree_subset.COMMANDS):
    pedigree.add_command(_command)


@pedigree.command(epilog="Example: breedeval pedigree check herd.csv --birth-year born --sex sex")
@with_options(FILE, READING)
@table_options
@click.pass_context
def check(context: click.Context, /, file: Path, form: str, output: Path | None, **reading: Any) -> None:
    """Name everything that is wrong, one problem a row; exit status 1 if the file cannot be used as it is."""
    import pandas as pd

    from breedeval.errors import count_of
    from breedeval.pedigree.checks import find_problems

    table = read_table(file, reading)
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
@with_options(FILE, READING, MENDING)
@table_options
@click.option("--min", "minimum", type=float, default=None, help="Only animals with at least this inbreeding.")
def inbreeding(
    file: Path, mend: tuple[str, ...], form: str, output: Path | None, minimum: float | None, **reading: Any
) -> None:
    """Inbreeding coefficient of every animal, in the order of the file; parents that were added come last."""
    import numpy as np
    import pandas as pd

    from breedeval.relationship.inbreeding import compute_inbreeding

    table = read_table(file, reading)
    built = build(table, mend)
    coefficients = compute_inbreeding(built.pedigree).coefficients
    in_file = built.pedigree.ids.find(table.names.take(table.animal[table.animal >= 0]))
    everyone = np.concatenate([in_file, np.arange(built.pedigree.n_animals, dtype=np.int32)])
    rows = everyone[np.sort(np.unique(everyone, return_index=True)[1])]
    if minimum is not None:
        rows = rows[coefficients[rows] >= minimum]
    frame = pd.DataFrame({"animal": built.pedigree.ids.take(rows).to_list(), "inbreeding": coefficients[rows]})
    write_table(frame, form, output)


@pedigree.command(epilog="Example: breedeval pedigree relationship pedigrees/mrode_table_2_1.csv 3 6  5 6")
@with_options(FILE)
@click.argument("animals", nargs=-1, required=True, metavar="A B [A B ...]")
@with_options(READING, MENDING)
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
    built = build(read_table(file, reading), mend)
    first, second = animals[::2], animals[1::2]
    numerator = Numerator(built.pedigree, compute_inbreeding(built.pedigree))
    rows = [[built.pedigree.row_of(name) for name in side] for side in (first, second)]
    frame = pd.DataFrame({"animal": first, "other": second, "relationship": numerator.relationships(*rows)})
    write_table(frame, form, output)
