"""``breedeval pedigree``: describe, completeness, founders, generations, trend, inbreeding-rate, families."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from breedeval.cli.output import table_options, write_table
from breedeval.cli.pedigree_input import (
    COUNT,
    FILE,
    MENDING,
    READING,
    REFERENCE,
    WIDTH,
    read_and_build,
    read_with_inbreeding,
    say_without_years,
    warn_of_idle,
    warn_of_idle_years,
    with_options,
)
from breedeval.errors import count_of

if TYPE_CHECKING:
    import pandas as pd

#: What `trend --plot` shows: label of a panel, its columns.
TREND_PANELS = {
    "animals": ["n"],
    "parents known": ["sire_known", "dam_known"],
    "equivalent generations": ["equivalent_generations"],
    "inbreeding": ["mean_inbreeding", "max_inbreeding"],
}


@click.command(epilog="Example: breedeval pedigree describe pedigrees/mrode_table_2_1.csv")
@with_options(FILE, READING, MENDING, REFERENCE)
@table_options
def describe(
    file: Path, mend: tuple[str, ...], reference: str, years: int, form: str, output: Path | None, **reading: Any
) -> None:
    """Tell a pedigree in one screen: animals, families, generations, inbreeding, origin of the genes."""
    from breedeval.pedigree.summary import summarize_pedigree

    warn_of_idle_years(reference)
    pedigree, inbreeding = read_with_inbreeding(file, mend, reading)
    frame = summarize_pedigree(pedigree, inbreeding, reference=reference, years=years)  # type: ignore[arg-type]
    _write_quantities(frame, form, output)


@click.command(epilog="Example: breedeval pedigree completeness pedigrees/herd_book_pedigree.csv --by year --width 5")
@with_options(FILE, READING, MENDING)
@click.option(
    "--by",
    type=click.Choice(["depth", "path", "year", "animal"]),
    default="depth",
    show_default=True,
    help="A row a generation, a parent and grandparent, a class of birth years, or an animal.",
)
@click.option("--depth", type=COUNT, default=5, show_default=True, help="Generations counted for the index of completeness.")
@with_options(WIDTH)
@table_options
def completeness(
    file: Path, mend: tuple[str, ...], by: str, depth: int, width: int, form: str, output: Path | None, **reading: Any
) -> None:
    """How much of the ancestry is known: shares of known ancestors, equivalent generations, index of completeness."""
    import breedeval.pedigree.completeness as part

    warn_of_idle(width=(by == "year", "--by year"), depth=(by in ("depth", "animal"), "--by depth and --by animal"))
    pedigree = read_and_build(file, mend, reading)
    if by == "depth":
        frame = part.completeness_by_depth(pedigree, depth=depth)
    elif by == "path":
        frame = part.completeness_by_path(pedigree)
    elif by == "year":
        say_without_years(pedigree)
        frame = part.completeness_by_birth_year(pedigree, width=width)
    else:
        frame = _completeness_of_animals(pedigree, depth)
    write_table(frame, form, output)


@click.command(epilog="Example: breedeval pedigree founders pedigrees/herd_book_pedigree.csv --list ancestors --top 10")
@with_options(FILE, READING, MENDING, REFERENCE)
@click.option("--list", "listed", type=click.Choice(["founders", "ancestors"]), help="Name those that contribute most.")
@click.option("--top", type=COUNT, default=20, show_default=True, help="How many to name.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0),
    default=1e-3,
    show_default=True,
    help="Relative error of the number of ancestors; 0 for none.",
)
@table_options
def founders(
    file: Path,
    mend: tuple[str, ...],
    reference: str,
    years: int,
    listed: str | None,
    top: int,
    tolerance: float,
    form: str,
    output: Path | None,
    **reading: Any,
) -> None:
    """Where the genes of a reference population come from: effective numbers of founders, ancestors, founder genomes."""
    from breedeval.pedigree.founders import ancestor_contributions, founder_contributions
    from breedeval.pedigree.reference import reference_rows

    warn_of_idle(top=(listed is not None, "--list"), tolerance=(listed != "founders", "ancestors"))
    warn_of_idle_years(reference)
    pedigree = read_and_build(file, mend, reading)
    rows = reference_rows(pedigree, reference, years=years)  # type: ignore[arg-type]
    if listed == "founders":
        write_table(founder_contributions(pedigree, rows).to_frame(pedigree, top), form, output)
    elif listed == "ancestors":
        found = ancestor_contributions(pedigree, rows, tolerance=tolerance, most=top)
        write_table(found.to_frame(pedigree, top), form, output)
    else:
        _write_quantities(_origin_of_genes(pedigree, rows, tolerance), form, output)


@click.command(epilog="Example: breedeval pedigree generations pedigrees/herd_book_pedigree.csv")
@with_options(FILE, READING, MENDING)
@table_options
def generations(file: Path, mend: tuple[str, ...], form: str, output: Path | None, **reading: Any) -> None:
    """Generation interval: ages of sires and dams at the birth of sons and daughters, in years."""
    from breedeval.errors import count_of
    from breedeval.pedigree.generation_interval import generation_interval

    pedigree = read_and_build(file, mend, reading)
    say_without_years(pedigree)
    found = generation_interval(pedigree)
    if found.n_negative:
        pairs = count_of(found.n_negative, "pair")
        click.echo(f"{pairs} left out: the parent is born after its progeny ('breedeval pedigree check' names them).", err=True)
    write_table(found.to_frame(), form, output)


@click.command(epilog="Example: breedeval pedigree trend pedigrees/herd_book_pedigree.csv --plot trend.svg")
@with_options(FILE, READING, MENDING, WIDTH)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the trend into this .svg or .png file.")
@table_options
def trend(
    file: Path, mend: tuple[str, ...], width: int, plot: Path | None, form: str, output: Path | None, **reading: Any
) -> None:
    """Numbers, parents, completeness and inbreeding from birth year to birth year."""
    from breedeval.pedigree.trend import birth_year_trend

    if plot is not None and plot.suffix not in (".svg", ".png"):
        raise click.BadParameter(f"'{plot.name}' ends neither with .svg nor with .png.", param_hint="--plot")
    pedigree, inbreeding = read_with_inbreeding(file, mend, reading)
    say_without_years(pedigree)
    frame = birth_year_trend(pedigree, inbreeding, width=width)
    if plot is not None:
        _draw(frame, plot, f"{file.name}: {count_of(len(pedigree), 'animal')}")
    write_table(frame, form, output)


@click.command(
    "inbreeding-rate", epilog="Example: breedeval pedigree inbreeding-rate pedigrees/herd_book_pedigree.csv --by-year --width 5"
)
@with_options(FILE, READING, MENDING, REFERENCE, WIDTH)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Generation interval in years; that of the pedigree by default.",
)
@click.option("--by-year", is_flag=True, help="A row a class of birth years instead of the two methods.")
@table_options
def inbreeding_rate(
    file: Path,
    mend: tuple[str, ...],
    reference: str,
    years: int,
    width: int,
    interval: float | None,
    by_year: bool,
    form: str,
    output: Path | None,
    **reading: Any,
) -> None:
    """Rate of inbreeding a generation and effective population size, by two methods or by birth years."""
    import breedeval.pedigree.inbreeding_rate as part
    from breedeval.pedigree.completeness import compute_completeness
    from breedeval.pedigree.generation_interval import generation_interval
    from breedeval.pedigree.reference import reference_rows

    warn_of_idle(
        width=(by_year, "--by-year"),
        interval=(not by_year, "both methods, without --by-year"),
        reference=(not by_year, "both methods, without --by-year"),
    )
    warn_of_idle_years("none" if by_year else reference)
    pedigree, inbreeding = read_with_inbreeding(file, mend, reading)
    say_without_years(pedigree)
    if by_year:
        write_table(part.rates_by_birth_year(pedigree, inbreeding, width=width), form, output)
        return
    years_a_generation = generation_interval(pedigree).mean if interval is None else interval
    rows = reference_rows(pedigree, reference, years=years)  # type: ignore[arg-type]
    rates = [
        part.rate_from_birth_years(pedigree, inbreeding, years_a_generation),
        part.rate_from_individuals(inbreeding, compute_completeness(pedigree).equivalent, rows),
    ]
    write_table(_rates_frame(rates), form, output)


@click.command(epilog="Example: breedeval pedigree families pedigrees/herd_book_pedigree.csv --sizes sire")
@with_options(FILE, READING, MENDING)
@click.option("--sizes", type=click.Choice(["sire", "dam", "full_sibs"]), help="How many families there are of each size.")
@click.option("--largest", type=click.Choice(["sire", "dam"]), help="Name the parents with the most progeny.")
@click.option("--top", type=COUNT, default=20, show_default=True, help="How many to name.")
@table_options
def families(
    file: Path,
    mend: tuple[str, ...],
    sizes: str | None,
    largest: str | None,
    top: int,
    form: str,
    output: Path | None,
    **reading: Any,
) -> None:
    """Sizes of families: progeny of a sire, of a dam, of a pair."""
    import breedeval.pedigree.families as part

    if sizes and largest:
        raise click.UsageError("--sizes and --largest are two tables. Ask for one.")
    warn_of_idle(top=(largest is not None, "--largest"))
    pedigree = read_and_build(file, mend, reading)
    if largest:
        frame = part.largest_families(pedigree, largest, top)  # type: ignore[arg-type]
    elif sizes:
        frame = part.size_distribution(part.family_sizes(pedigree, sizes))  # type: ignore[arg-type]
    else:
        frame = part.describe_families(pedigree)
    write_table(frame, form, output)


COMMANDS = (describe, completeness, founders, generations, trend, inbreeding_rate, families)


def _completeness_of_animals(pedigree: Any, depth: int) -> pd.DataFrame:
    import pandas as pd

    from breedeval.pedigree.completeness import compute_completeness, index_of_completeness

    found = compute_completeness(pedigree)
    return pd.DataFrame(
        {
            "animal": pedigree.ids.to_list(),
            "equivalent": found.equivalent,
            "complete": found.complete,
            "longest": found.longest,
            "index": index_of_completeness(pedigree, depth),
        }
    )


def _origin_of_genes(pedigree: Any, rows: Any, tolerance: float) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    from breedeval.pedigree.founders import ancestor_contributions, founder_contributions
    from breedeval.relationship.group_means import average_relationships
    from breedeval.relationship.inbreeding import compute_inbreeding

    origin = founder_contributions(pedigree, rows)
    ancestors = ancestor_contributions(pedigree, rows, tolerance=tolerance)
    labels = np.full(len(pedigree), -1, dtype=np.int32)
    labels[rows] = 0
    within = average_relationships(pedigree, compute_inbreeding(pedigree), labels)
    values: dict[str, float | None] = {
        "reference population (animals)": origin.n_reference,
        "founders": origin.n_founders,
        "unknown parents among them": int((origin.unnamed > 0).sum()),
        "effective number of founders": origin.effective_number,
        "effective number of ancestors": ancestors.effective_number,
        "effective number of ancestors, at least": ancestors.lower,
        "effective number of ancestors, at most": ancestors.upper,
        "founder genome equivalents": float(within.founder_genome_equivalents()[0]),
        "mean relationship of two": float(within.within_different()[0]),
    }
    values |= {f"ancestors that explain {share:.0%}": ancestors.n_explaining(share) for share in (0.5, 0.8, 0.9)}
    known = {quantity: value for quantity, value in values.items() if value is not None and not np.isnan(value)}
    return pd.DataFrame({"quantity": list(known), "value": pd.Series(list(known.values()), dtype=object)})


def _rates_frame(rates: list[Any]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    rows = [(r.method, r.n_animals, r.rate, r.standard_error, r.effective_size, r.effective_size_error) for r in rates]
    columns = ["method", "n", "rate", "rate_error", "effective_size", "effective_size_error"]
    return pd.DataFrame(rows, columns=columns).replace([np.inf], np.nan)


def _write_quantities(frame: pd.DataFrame, form: str, output: Path | None) -> None:
    if form == "table":
        frame["value"] = [f"{value:.4f}" if isinstance(value, float) else str(value) for value in frame["value"]]
    elif form == "parquet":
        frame["value"] = frame["value"].astype(float)  # a column has one type there
    write_table(frame, form, output)


def _draw(frame: pd.DataFrame, plot: Path, title: str) -> None:
    from breedeval.errors import PedigreeError
    from breedeval.report.figures import draw_trend
    from breedeval.results.atomic import check_writable, written_whole

    if not frame["birth_year"].notna().any():
        message = f"No birth year is known in {title}, so there is no trend to draw. Name its column with --birth-year."
        raise PedigreeError(message, problems=())
    data = draw_trend(frame, TREND_PANELS, along="birth_year", title=title, form=plot.suffix[1:])  # type: ignore[arg-type]
    check_writable(plot, len(data))
    with written_whole(plot) as temporary:
        temporary.write_bytes(data)
