"""``breedeval pedigree``: extract, prune, and mean relationships of groups of animals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from breedeval.cli.output import table_options, write_table
from breedeval.cli.pedigree_groups import GROUPING, read_with_groups
from breedeval.cli.pedigree_input import (
    FILE,
    MENDING,
    READING,
    WIDTH,
    ids_from,
    naming_lines,
    read_and_build,
    say_without_years,
    warn_of_idle,
    with_options,
)

_IDS = (
    click.option("--id", "listed", metavar="ID", multiple=True, help="An animal; may be repeated."),
    click.option(
        "--ids", "ids_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file, one id a line."
    ),
)


class Generations(click.ParamType[bool | int]):
    """``all``, ``none`` or a number of generations."""

    name = "all|none|NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool | int:
        """The number, True for all, False for none."""
        if isinstance(value, bool | int):
            return value
        if value in ("all", "none"):
            return bool(value == "all")
        if not value.isdigit():
            self.fail(f"'{value}' is neither 'all' nor 'none' nor a number of generations.", param, ctx)
        return int(value)


@click.command(epilog="Example: breedeval pedigree extract pedigrees/mrode_table_2_1.csv --id 4 --descendants all")
@with_options(FILE, READING, MENDING, _IDS)
@click.option(
    "--ancestors", type=Generations(), default="all", show_default=True, help="Generations of ancestors to take along."
)
@click.option("--descendants", type=Generations(), default="none", show_default=True, help="Generations of descendants.")
@table_options
def extract(
    file: Path,
    mend: tuple[str, ...],
    listed: tuple[str, ...],
    ids_file: Path | None,
    ancestors: bool | int,
    descendants: bool | int,
    form: str,
    output: Path | None,
    **reading: Any,
) -> None:
    """Take animals out of a pedigree, with their ancestors (also those of the descendants taken) and descendants."""
    from breedeval.errors import count_of
    from breedeval.pedigree.frame import pedigree_to_frame
    from breedeval.pedigree.subset import extract_pedigree

    ids = ids_from(listed, ids_file)
    whole = read_and_build(file, mend, reading)
    with naming_lines(ids_file):
        found = extract_pedigree(whole, ids, ancestors=ancestors, descendants=descendants)
    click.echo(f"{count_of(len(found), 'animal')} extracted.", err=True)
    write_table(pedigree_to_frame(found), form, output)


@click.command(epilog="Example: breedeval pedigree prune pedigrees/mrode_table_2_1.csv --id 3 --id 4")
@with_options(FILE, READING, MENDING, _IDS)
@table_options
def prune(
    file: Path,
    mend: tuple[str, ...],
    listed: tuple[str, ...],
    ids_file: Path | None,
    form: str,
    output: Path | None,
    **reading: Any,
) -> None:
    """Leave out the animals that tell nothing about those named: give all that have records, or whose values you want.

    What goes: animals that are no ancestors of those named, and founders with a single progeny. Breeding values of the animals
    left stay the same.
    """
    from breedeval.errors import count_of
    from breedeval.pedigree.frame import pedigree_to_frame
    from breedeval.pedigree.prune import prune_pedigree
    from breedeval.pedigree.subset import rows_of

    ids = ids_from(listed, ids_file)
    whole = read_and_build(file, mend, reading)
    with naming_lines(ids_file):
        rows = rows_of(whole, ids)
    found = prune_pedigree(whole, rows)
    click.echo(f"{count_of(len(found), 'animal')} left of {len(whole):,}.", err=True)
    write_table(pedigree_to_frame(found), form, output)


@click.command(
    "average-relationship",
    epilog="Example: breedeval pedigree average-relationship pedigrees/herd_book_pedigree.csv --by birth_year --width 5",
)
@with_options(FILE, READING, MENDING)
@click.option("--by", type=click.Choice(["birth_year", "sex"]), default="birth_year", show_default=True, help="The groups.")
@with_options(WIDTH, GROUPING)
@table_options
def average_relationship(
    file: Path, mend: tuple[str, ...], by: str, width: int, form: str, output: Path | None, **options: Any
) -> None:
    """Mean additive relationship within and between groups of animals, an animal with itself included.

    `different` is the mean within the group over pairs of two different animals; animals whose group is not known are left out.
    With metafounders (--gamma-...) the relationships are those of A(Γ); other groups of unknown parents make nobody related.
    """
    import numpy as np
    import pandas as pd

    from breedeval.pedigree.birth_classes import BirthClasses
    from breedeval.relationship.group_means import average_relationships

    warn_of_idle(width=(by == "birth_year", "--by birth_year"))
    pedigree, inbreeding = read_with_groups(file, mend, options)
    if by == "sex":
        labels, names = pedigree.sex.astype(np.int32) - 1, ["M", "F"]
    else:
        say_without_years(pedigree)
        classes = BirthClasses.of(pedigree, width)
        labels, names = classes.label, [str(year) for year in classes.first_year]
    found = average_relationships(pedigree, inbreeding, labels, len(names))
    frame = pd.DataFrame({by: names, "n": found.size, "different": found.within_different()})
    for column, name in enumerate(names):
        frame[name] = found.mean[:, column]
    write_table(frame, form, output)


COMMANDS = (extract, prune, average_relationship)
