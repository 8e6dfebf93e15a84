"""``breedeval pedigree groups``: sizes of unknown-parent groups; and the options by which other commands take groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from breedeval.cli.output import table_options, write_table
from breedeval.cli.pedigree_input import (
    COUNT,
    FILE,
    MENDING,
    READING,
    Options,
    column_choices,
    column_of,
    read_and_build,
    read_with_inbreeding,
    with_options,
)

if TYPE_CHECKING:
    from breedeval.arrays import Float64
    from breedeval.evaluation.grouping import CodedGroups
    from breedeval.evaluation.groups_section import GroupsSection
    from breedeval.pedigree.pedigree import Pedigree
    from breedeval.relationship.inbreeding import Inbreeding

_POSITIVE = click.FloatRange(min=0.0, min_open=True)
_BY = click.Choice(["birth_year", "sex", "path"])

#: Where the groups come from, and how unknown parents are related.
GROUPING: Options = (
    click.option(
        "--group-by",
        type=_BY,
        multiple=True,
        help="Group unknown parents by birth year of the progeny, sex of the parent, or path; may be repeated.",
    ),
    click.option("--min-size", type=COUNT, help="Fewest unknown parents of such a group.  [default: 50]"),
    click.option("--group-column", metavar="COLUMN", help="Column with the group of the animal's unknown parents."),
    click.option("--sire-group", metavar="COLUMN", help="Column with the group of an unknown sire."),
    click.option("--dam-group", metavar="COLUMN", help="Column with the group of an unknown dam."),
    click.option(
        "--group-code",
        metavar="CODE|negative",
        multiple=True,
        help="A text in the place of a parent that is a group; may be repeated; 'negative' for every negative whole number.",
    ),
    click.option("--inbred", is_flag=True, help="Unknown parents are as inbred and related as their time."),
    click.option("--gamma-within", type=_POSITIVE, help="Groups are metafounders with this relationship within."),
    click.option("--gamma-between", type=float, help="Relationship of any two metafounders.  [default: 0]"),
    click.option("--gamma-rate", type=_POSITIVE, help="Metafounders that drift: rate of inbreeding a year."),
    click.option("--gamma-start", type=_POSITIVE, help="Relationship within the earliest, with the rate.  [default: 0.01]"),
)
#: Where each option goes: keys of the section ``groups`` of a configuration, and of its ``gamma``.
_WAYS = {
    "group_by": "by",
    "min_size": "min_size",
    "group_column": "column",
    "sire_group": "sire_column",
    "dam_group": "dam_column",
    "group_code": "codes",
    "inbred": "inbred",
}
_GAMMA = {"gamma_within": "within", "gamma_between": "between", "gamma_rate": "rate", "gamma_start": "start"}

#: What the section says no to, by a part of its message, in the names of the options.
_PROBLEMS = {
    "come from one of": "Groups come from one of --group-by, --group-column, --sire-group and --dam-group, --group-code.",
    "go together": "--sire-group and --dam-group go together.",
    "one of matrix": "Give one of --gamma-within and --gamma-rate.",
    "rate needs groups": "--gamma-rate needs --group-by birth_year.",
    "inbred needs groups": "--inbred needs --group-by birth_year, and goes without --gamma-within and --gamma-rate.",
}


@dataclass(frozen=True)
class Grouping:
    """What the options `GROUPING` ask for, and the groups that the file holds."""

    section: GroupsSection
    coded: CodedGroups | None

    def place(self, pedigree: Pedigree) -> Pedigree:
        """Put the groups in the place of unknown parents."""
        from breedeval.evaluation.grouping import assign_groups
        from breedeval.pedigree.groups import with_groups

        return with_groups(pedigree, assign_groups(pedigree, self.section, self.coded))

    def inbreeding(self, grouped: Pedigree) -> Inbreeding:
        """Inbreeding with these groups."""
        from breedeval.evaluation.grouping import inbreeding_with_groups

        return inbreeding_with_groups(grouped, self.section)


def read_grouping(file: Path, options: dict[str, Any]) -> tuple[Grouping | None, dict[str, Any]]:
    """Groups by the options of a command, None if it has none of them; and what is left: the options of `READING`."""
    from breedeval.evaluation.grouping import read_groups
    from breedeval.io.groups_file import unknown_with_groups

    reading = {name: value for name, value in options.items() if name not in (*_WAYS, *_GAMMA)}
    way, gamma = (
        {key: options[name] for name, key in keys.items() if options[name] not in (None, (), False)} for keys in (_WAYS, _GAMMA)
    )
    if not way and not gamma:
        return None, reading
    section = _section(way, gamma)
    coded = read_groups(file, column_choices(reading), section, reading["encoding"])
    if coded is not None and coded.codes:
        reading["unknown"] = unknown_with_groups(reading["unknown"] or None, coded.codes)
    return Grouping(section, coded), reading


def read_with_groups(file: Path, mend: tuple[str, ...], options: dict[str, Any]) -> tuple[Pedigree, Inbreeding]:
    """Read, build, put groups in place if there are any, and compute inbreeding."""
    grouping, reading = read_grouping(file, options)
    if grouping is None:
        return read_with_inbreeding(file, mend, reading)
    pedigree = grouping.place(read_and_build(file, mend, reading))
    return pedigree, grouping.inbreeding(pedigree)


def _section(way: dict[str, Any], gamma: dict[str, Any]) -> GroupsSection:
    from pydantic import ValidationError

    from breedeval.evaluation.groups_section import GammaSection, GroupsSection

    way |= {key: column_of(value) for key, value in way.items() if key.endswith("column")}
    if way.get("codes") == ("negative",):
        way["codes"] = "negative"
    if "min_size" in way and "by" not in way:
        raise click.UsageError("--min-size is for groups by a rule. Give --group-by.")
    if any(key in gamma and needed not in gamma for key, needed in (("start", "rate"), ("between", "within"))):
        raise click.UsageError("--gamma-start goes with --gamma-rate, --gamma-between with --gamma-within.")
    try:
        return GroupsSection(**way, gamma=GammaSection(**gamma) if gamma else None)
    except ValidationError as error:
        raise click.UsageError(" ".join(_in_options(problem["msg"]) for problem in error.errors())) from error


def _in_options(message: str) -> str:
    """A problem of the section, in the names of the options."""
    return next((words for part, words in _PROBLEMS.items() if part in message), message.removeprefix("Value error, "))


@click.command(
    epilog="Example: breedeval pedigree groups pedigrees/herd_book_pedigree.csv --group-by birth_year --group-by sex"
)
@with_options(FILE, GROUPING)
@click.option("--records", type=click.Path(path_type=Path), help="A file of records: how many tell of each group.")
@click.option("--record-animal", metavar="COLUMN", help="Column of the animal in it.")
@click.option("--gamma", "show_gamma", is_flag=True, help="Print the relationships of the metafounders instead of sizes.")
@with_options(READING, MENDING)
@table_options
def groups(
    file: Path,
    records: Path | None,
    record_animal: str | None,
    show_gamma: bool,
    mend: tuple[str, ...],
    form: str,
    output: Path | None,
    **options: Any,
) -> None:
    """Groups of unknown parents: how many parents each stands for, their progeny and records; metafounders.

    With metafounders `gamma` is the relationship within a group, and `progeny_inbreeding` the mean of its progeny.
    """
    from breedeval.pedigree.group_sizes import group_sizes

    if (records is None) != (record_animal is None):
        raise click.UsageError("--records and --record-animal go together.")
    grouping, reading = read_grouping(file, options)
    if grouping is None:
        raise click.UsageError("Say where groups come from: --group-by, --group-column, --group-code.")
    if show_gamma and grouping.section.gamma is None:
        raise click.UsageError("--gamma is for metafounders. Give --gamma-within or --gamma-rate.")
    pedigree = grouping.place(read_and_build(file, mend, reading))
    counts = None if records is None or record_animal is None else _records_of_animals(records, record_animal, pedigree)
    frame = group_sizes(pedigree, counts)
    if grouping.section.gamma is not None or grouping.section.inbred:
        related = grouping.inbreeding(pedigree)
        _say_inbreeding(pedigree, related, metafounders=grouping.section.gamma is not None)
        frame = _gamma_frame(pedigree, related) if show_gamma else frame.assign(**_related_columns(pedigree, related))
    write_table(frame, form, output)


def _records_of_animals(file: Path, column: str, pedigree: Pedigree) -> Float64:
    """(n,) records of each animal; says how many are of no animal of the pedigree."""
    import numpy as np

    from breedeval.errors import count_of
    from breedeval.io.records_file import read_record_table

    found = read_record_table(file, classes=[column], numbers=[]).classes[column]
    row = np.append(pedigree.ids.find(found.names), np.int32(-1))[found.codes]
    if n_others := int((row < 0).sum()):
        click.echo(f"{file}: {count_of(n_others, 'record')} of no animal of the pedigree, not counted.", err=True)
    return np.bincount(row[row >= 0], minlength=pedigree.n_animals).astype(np.float64)


def _related_columns(pedigree: Pedigree, inbreeding: Inbreeding) -> dict[str, Any]:
    """Relationship within each group, and mean inbreeding of its progeny."""
    import numpy as np

    from breedeval.pedigree.group_sizes import progeny_of_groups

    assert inbreeding.gamma is not None
    progeny, group = progeny_of_groups(pedigree)
    total = np.bincount(group, weights=inbreeding.coefficients[progeny], minlength=pedigree.n_groups)
    return {
        "gamma": inbreeding.gamma.diagonal(),
        "progeny_inbreeding": total / np.bincount(group, minlength=pedigree.n_groups),
    }


def _gamma_frame(pedigree: Pedigree, inbreeding: Inbreeding) -> Any:
    import pandas as pd

    names = pedigree.groups.to_list()
    return pd.DataFrame(inbreeding.gamma, columns=names).assign(group=names)[["group", *names]]


def _say_inbreeding(pedigree: Pedigree, related: Inbreeding, *, metafounders: bool) -> None:
    """Mean inbreeding with and without related unknown parents; for metafounders, what the genetic variance is divided by."""
    from breedeval.relationship.inbreeding import compute_inbreeding
    from breedeval.relationship.metafounders import variance_divisor

    plain = compute_inbreeding(pedigree).coefficients.mean()
    click.echo(
        f"Mean inbreeding {related.coefficients.mean():.4f} with these groups, {plain:.4f} with unrelated unknown parents.",
        err=True,
    )
    if metafounders and related.gamma is not None:
        click.echo(
            f"A genetic variance of unrelated founders is to be divided by {variance_divisor(related.gamma):.4f}.", err=True
        )
