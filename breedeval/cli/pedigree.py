"""``breedeval pedigree``: describe, check, inbreeding and relationships of a pedigree file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from breedeval.cli import pedigree_groups, pedigree_structure, pedigree_subset
from breedeval.cli.output import table_options, write_table
from breedeval.cli.pedigree_groups import GROUPING, read_grouping
from breedeval.cli.pedigree_input import FILE, MENDING, READING, build, read_table, with_options

if TYPE_CHECKING:
    from breedeval.arrays import Float64
    from breedeval.pedigree.pedigree import Pedigree


@click.group(epilog="Example: breedeval pedigree describe pedigrees/mrode_table_2_1.csv")
def pedigree() -> None:
    """Describe, check and divide a pedigree file; inbreeding and relationships."""


pedigree.add_command(pedigree_groups.groups)
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


@pedigree.command(
    epilog="Example: breedeval pedigree inbreeding herd.csv --parents -o inbreeding.parquet; when animals "
    "were added: breedeval pedigree inbreeding herd.csv --stored inbreeding.parquet --parents -o new.parquet"
)
@with_options(FILE, READING, MENDING)
@table_options
@click.option("--min", "minimum", type=float, default=None, help="Only animals with at least this inbreeding.")
@click.option(
    "--stored",
    type=click.Path(path_type=Path),
    help="A table that this command wrote earlier: only animals that are not in it are computed, and, if it was written with "
    "--parents, those whose ancestors have changed.",
)
@click.option("--parents", is_flag=True, help="Write the parents too; with them, --stored finds changes.")
@with_options(GROUPING)
def inbreeding(
    file: Path,
    mend: tuple[str, ...],
    form: str,
    output: Path | None,
    minimum: float | None,
    stored: Path | None,
    parents: bool,
    **options: Any,
) -> None:
    """Inbreeding coefficient of every animal, in the order of the file; parents that were added come last.

    Groups change it only if their unknown parents are metafounders (--gamma-...) or inbred.
    """
    import numpy as np
    import pandas as pd

    grouping, reading = read_grouping(file, options)
    if grouping is not None and stored is not None:
        raise click.UsageError("--stored is for unknown parents that are unrelated. Leave out --stored, or the groups.")
    table = read_table(file, reading)
    pedigree = build(table, mend).pedigree
    if grouping is None:
        coefficients = _coefficients(pedigree, stored)
    else:
        coefficients = grouping.inbreeding(grouping.place(pedigree)).coefficients
    in_file = pedigree.ids.find(table.names.take(table.animal[table.animal >= 0]))
    everyone = np.concatenate([in_file, np.arange(pedigree.n_animals, dtype=np.int32)])
    rows = everyone[np.sort(np.unique(everyone, return_index=True)[1])]
    if minimum is not None:
        rows = rows[coefficients[rows] >= minimum]
    columns: dict[str, Any] = {"animal": pedigree.ids.take(rows).to_list()}
    if parents:
        for name, parent in (("sire", pedigree.sire[rows]), ("dam", pedigree.dam[rows])):
            column = np.full(len(rows), "", dtype=object)
            known = parent >= 0
            column[known] = pedigree.ids.take(parent[known]).to_list()
            columns[name] = column
    write_table(pd.DataFrame({**columns, "inbreeding": coefficients[rows]}), form, output)


def _coefficients(pedigree: Pedigree, stored_file: Path | None) -> Float64:
    """Coefficients, from those of an earlier run where there is one; says what was taken and what was computed."""
    from breedeval.errors import count_of, name_some
    from breedeval.io.inbreeding_file import read_stored_inbreeding
    from breedeval.relationship.inbreeding import compute_inbreeding
    from breedeval.relationship.stored_inbreeding import doubt_of_base

    if stored_file is None:
        return compute_inbreeding(pedigree).coefficients
    stored = read_stored_inbreeding(stored_file)
    known = stored.find(pedigree)
    if doubt := doubt_of_base(pedigree, known.coefficients):
        click.echo(f"Warning: {stored_file}: {doubt}", err=True)
    n_taken = len(stored.ids) - known.n_outdated
    click.echo(
        f"{stored_file}: {count_of(n_taken, 'coefficient')} taken, {pedigree.n_animals - n_taken:,} computed.",
        err=True,
    )
    if len(known.changed):
        changed = pedigree.ids.take(known.changed).to_list()
        click.echo(
            f"{count_of(len(changed), 'animal')} with other parents than in {stored_file}: {name_some(changed)}; "
            f"{count_of(known.n_outdated, 'stored coefficient')} not taken, of these and of their descendants.",
            err=True,
        )
    if not stored.has_parents:
        click.echo(
            f"{stored_file} holds no parents: whether ancestors have changed is not known. Write it with --parents.", err=True
        )
    return compute_inbreeding(pedigree, known=known.coefficients).coefficients


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

    from breedeval.pedigree.subset import rows_of
    from breedeval.relationship.inbreeding import compute_inbreeding
    from breedeval.relationship.numerator import Numerator

    if len(animals) % 2:
        raise click.UsageError(f"Animals are given in pairs; there are {len(animals)}.")
    built = build(read_table(file, reading), mend)
    first, second = animals[::2], animals[1::2]
    rows = rows_of(built.pedigree, animals)
    numerator = Numerator(built.pedigree, compute_inbreeding(built.pedigree))
    frame = pd.DataFrame({"animal": first, "other": second, "relationship": numerator.relationships(rows[::2], rows[1::2])})
    write_table(frame, form, output)
